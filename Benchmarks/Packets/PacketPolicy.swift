import HostNetwork

/// The intents that packets are measured with: a client and a server among other pods, each with two groups of its own.
struct PacketPolicy: Hashable {
    /// Of each of the two groups; 0: no port security, so no rule is asked.
    var rules: Int
    /// Of this host.
    var pods: Int
    /// Of the group that the client is a member of, and that rules of the server's name.
    var members: Int
    /// Groups that the rules of one group name as their remotes.
    var remotes = 4

    static let network = Network(
        id: "plane",
        subnets: [
            Subnet(id: "plane-4", cidr: prefix(.v4(0x0a40_0000), 10), gateway: .v4(0x0a40_0001)),
            Subnet(id: "plane-6", cidr: prefix(.v6(v6), 64), gateway: .v6(v6 + 1)),
        ])
    private static let v6: UInt128 = 0xfd00_0041 << 96

    func intents(in namespace: (Int) -> String) -> [Intent] {
        guard rules > 0 else { return [.network(Self.network)] + [client, server].map { .pod(pod($0, namespace($0))) } }
        return [.network(Self.network)] + (0..<pods).map { .securityGroup(group($0)) }
            + (1..<max(2, remotes)).map { .securityGroup(SecurityGroup(id: tier($0), network: Self.network.id, rules: [])) }
            + (0..<pods).map { .pod(pod($0, namespace($0))) } + neighbors
    }

    /// Amid the others, and bound to other groups than the server.
    var client: Int { pods / 2 - 1 }
    var server: Int { client + 2 }

    /// Of a pod's two groups, the next pod has one, too.
    func groups(of pod: Int) -> [SecurityGroup] { [group(pod % pods), group((pod + 1) % pods)] }

    func pod(_ number: Int, _ namespace: String) -> Pod {
        Pod(
            id: ID("pod-\(number)"), network: Self.network.id, namespace: namespace,
            addresses: [address(number), .v6(Self.v6 + 16 + UInt128(number))],
            securityGroups: rules > 0 ? groups(of: number).map(\.id) : [], portSecurity: rules > 0)
    }

    func address(_ pod: Int) -> IPAddress { .v4(0x0a40_0010 + UInt32(pod)) }

    /// The first remote is the client's second group; the others' members are far away.
    private func tier(_ number: Int) -> ID<SecurityGroup> { number == 0 ? ID("group-\(client + 1)") : ID("tier-\(number)") }

    /// The addresses of the first remote's members. The next pod is bound to the client's second group, too.
    var firstMembers: [IPAddress] { far(members - 2).map(\.addresses[0]) + [address(client + 1), address(client)] }

    private func far(_ count: Int) -> [Neighbor] {
        (0..<count).map { number in
            Neighbor(
                id: ID("far-\(number)"), network: Self.network.id, addresses: [.v4(0x0a60_0000 + UInt32(number))], mac: nil,
                host: .v4(0xc000_0207), securityGroups: [tier(0)])
        }
    }

    private var neighbors: [Intent] {
        let others = (1..<max(2, remotes)).map { number in
            Neighbor(
                id: ID("tier-\(number)"), network: Self.network.id, addresses: [.v4(0x0a70_0000 + UInt32(number))], mac: nil,
                host: .v4(0xc000_0207), securityGroups: [tier(number)])
        }
        return (far(members - 2) + others).map { .neighbor($0) }
    }

    /// Of fifty rules: ping, egress to anyone, 6 of IPv6 prefixes and 38 of IPv4 prefixes, each with a port, and 4 remote groups, each with a
    /// port; of another number as many of each in proportion. Every other IPv4 prefix holds the client. Rules that may match come last.
    func group(_ number: Int) -> SecurityGroup {
        let (sixes, remote) = (rules * 12 / 100, max(1, rules * 8 / 100))
        var list = [
            Rule(id: "ping", direction: .ingress, family: .v4, protocol: .icmp, icmp: ICMPMatch(type: 8)),
            Rule(id: "out", direction: .egress, family: .v4),
        ]
        for index in 0..<sixes {
            let cidr = Self.prefix(.v6(0x2001_0db8 << 96 + UInt128(number * 60 + index) << 64), 64)
            list.append(
                Rule(id: "six-\(index)", direction: .ingress, protocol: .tcp, ports: PortRange(2000 + UInt16(index)), remote: .cidr(cidr)))
        }
        for index in 0..<remote {
            let ports = PortRange(Self.remotePort(number, index))
            list.append(
                Rule(id: "remote-\(index)", direction: .ingress, protocol: .tcp, ports: ports, remote: .group(tier(index % remotes))))
        }
        let count = rules - list.count
        for index in 0..<count {
            let holdsClient = (count - index) % 2 == 1
            let foreign = IPAddress.v4(0xc612_0000 + UInt32((number * 200 + index) % 512) << 8)
            let cidr = holdsClient ? Self.prefix(address(client), 10 + index % 15) : Self.prefix(foreign, 24)
            let ports = PortRange(Self.addressPort(number, index))
            list.append(Rule(id: "cidr-\(index)", direction: .ingress, protocol: .tcp, ports: ports, remote: .cidr(cidr)))
        }
        return SecurityGroup(id: ID("group-\(number)"), network: Self.network.id, rules: list)
    }

    /// Groups of one pod have different ports, so that only one rule decides.
    private static func addressPort(_ group: Int, _ index: Int) -> UInt16 { 10000 + UInt16(group % 2) * 10000 + UInt16(index) }
    private static func remotePort(_ group: Int, _ index: Int) -> UInt16 { 30000 + UInt16(group % 2) * 1000 + UInt16(index) }

    // MARK: Ports of the server that decide

    /// By the last rule of the server's last group.
    var last: UInt16 { ports(of: groups(of: server)[1]) { if case .cidr = $0 { true } else { false } }.last ?? 0 }
    /// By that group's last rule about the first remote.
    var remote: UInt16 { ports(of: groups(of: server)[1]) { $0 == .group(tier(0)) }.last ?? 0 }
    /// By any of the rules that can match.
    var any: [UInt16] {
        let client = address(client)
        return groups(of: server).flatMap { group in
            ports(of: group) { remote in
                if case .cidr(let cidr) = remote { cidr.contains(client) } else { remote == .group(tier(0)) }
            }
        }
    }
    /// By none.
    static let denied: UInt16 = 60000

    private func ports(of group: SecurityGroup, where matches: (Remote) -> Bool) -> [UInt16] {
        group.rules.compactMap { matches($0.remote) ? $0.ports?.first : nil }
    }

    private static func prefix(_ address: IPAddress, _ length: Int) -> Prefix {
        guard let prefix = Prefix(address, length: length) else { fatalError("\(address)/\(length) is no prefix") }
        return prefix
    }
}
