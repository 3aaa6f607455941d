import HostNetwork

/// The intents that the measurements are made with: pods with two groups of fifty rules each.
struct Region {
    static let network = Network(
        id: "region",
        subnets: [
            Subnet(id: "region-4", cidr: prefix(.v4(0x0a40_0000), 10), gateway: .v4(0x0a40_0001)),
            Subnet(id: "region-6", cidr: prefix(.v6(v6), 64), gateway: .v6(v6 + 1)),
        ])
    private static let v6: UInt128 = 0xfd00_0040 << 96
    /// Groups that rules name as their remote; their members are pods of other hosts.
    static let tiers: [ID<SecurityGroup>] = (0..<4).map { ID("tier-\($0)") }

    var pods: Int
    /// Members of the first tier.
    var members: Int
    /// The folder of the pods' namespaces, and what their names begin with.
    var place: String

    var groups: Int

    /// - Parameter groups: as many as pods, each bound by two of them, unless it is said otherwise.
    init(pods: Int, members: Int, groups: Int? = nil, place: String) {
        self.pods = pods
        self.members = members
        self.groups = groups ?? pods
        self.place = place
    }

    var intents: [Intent] {
        [.network(Self.network)] + Self.tiers.map { .securityGroup(SecurityGroup(id: $0, network: Self.network.id, rules: [])) }
            + (0..<groups).map { .securityGroup(group($0)) } + (0..<pods).map { .pod(pod($0)) }
            + Self.movers.map { .pod(mover($0, to: false)) }
            + (0..<members).map { .neighbor(neighbor($0)) }
    }

    func namespace(_ name: String) -> String { place + name }

    /// Bound to its own group and to the next one.
    func pod(_ number: Int) -> Pod { pod("pod-\(number)", number, groups: number, number + 1) }

    func pod(_ id: String, _ number: Int, groups first: Int, _ second: Int) -> Pod {
        Pod(
            id: ID(id), network: Self.network.id, namespace: namespace(id),
            addresses: [.v4(0x0a40_0010 + UInt32(number)), .v6(Self.v6 + 0x10 + UInt128(number))],
            securityGroups: [groupID(first), groupID(second)])
    }

    /// Two pods beside the others that are bound to other groups again and again: one by Hawser, one by `nft`.
    static let movers = ["mover", "mover-nft"]

    func mover(_ name: String, to other: Bool) -> Pod {
        pod(name, pods + (name == Self.movers[0] ? 0 : 1), groups: other ? 3 : 5, other ? 4 : 6)
    }

    /// Pods that come and go: one by Hawser, one by `ip` and `nft`.
    static let comers = ["comer", "comer-nft"]

    func comer(_ name: String) -> Pod { pod(name, pods + (name == Self.comers[0] ? 2 : 3), groups: 7, 8) }

    /// The names of all namespaces.
    var names: [String] { (0..<pods).map { "pod-\($0)" } + Self.movers + Self.comers }

    func neighbor(_ number: Int) -> Neighbor {
        Neighbor(
            id: ID("far-\(number)"), network: Self.network.id, addresses: [.v4(0x0a60_0000 + UInt32(number))], mac: nil,
            host: .v4(0xc000_0207), securityGroups: [Self.tiers[0]])
    }

    private func groupID(_ number: Int) -> ID<SecurityGroup> { ID("group-\(number % groups)") }

    /// Fifty rules: 36 of IPv4 prefixes and ports, 6 of IPv6 prefixes and ports, 4 remote groups, ping in both families, egress to anyone in
    /// both. Only the first group names the first tier, whose members change.
    private func group(_ number: Int) -> SecurityGroup {
        var rules: [Rule] = []
        for index in 0..<36 {
            let cidr = Self.prefix(.v4(0xc612_0000 + UInt32((number * 36 + index) % 512) << 8), 24)
            rules.append(
                Rule(id: "cidr-\(index)", direction: .ingress, protocol: .tcp, ports: PortRange(1000 + UInt16(index)), remote: .cidr(cidr)))
        }
        for index in 0..<6 {
            let cidr = Self.prefix(.v6(0x2001_0db8 << 96 + UInt128(number * 6 + index) << 64), 64)
            rules.append(
                Rule(
                    id: "cidr-6-\(index)", direction: .ingress, protocol: .tcp, ports: PortRange(2000, 2000 + UInt16(index)),
                    remote: .cidr(cidr)))
        }
        for index in 0..<4 {
            let tier = Self.tiers[number == 0 ? index : 1 + (number + index) % 3]
            rules.append(
                Rule(
                    id: "remote-\(index)", direction: .ingress, protocol: .tcp, ports: PortRange(3000 + UInt16(index)), remote: .group(tier)
                ))
        }
        rules.append(Rule(id: "ping", direction: .ingress, protocol: .icmp, icmp: ICMPMatch(type: 8)))
        rules.append(Rule(id: "ping-6", direction: .ingress, protocol: .icmpv6, icmp: ICMPMatch(type: 128)))
        rules.append(Rule(id: "out-4", direction: .egress, family: .v4))
        rules.append(Rule(id: "out-6", direction: .egress, family: .v6))
        return SecurityGroup(id: groupID(number), network: Self.network.id, rules: rules)
    }

    private static func prefix(_ address: IPAddress, _ length: Int) -> Prefix {
        guard let prefix = Prefix(address, length: length) else { fatalError("\(address)/\(length) is no prefix") }
        return prefix
    }
}
