import HostNetwork
import PolicyModel

extension Seeded {
    mutating func scene(pods count: Int = 6) -> Scene {
        var scene = Scene()
        // Apart, so that a seed's policy is the same whatever its fabrics are.
        var aside = self
        scene.layout.underlay = aside.pick(nil, Underlay(address: .v4(0xc000_0201), mtu: 1500))
        let networks: [Intent] = [1, 2].map { .network(aside.nearNetwork($0)) }
        _ = scene.intents.upsert(contentsOf: networks)
        let others: [Intent] =
            ["office", "partners"].filter { _ in !once(in: 4) }.map { .addressGroup(nearAddressGroup($0)) }
            + ["web", "db", "any", "raw", "bare", "office"].map { .securityGroup(nearGroup($0)) }
            + (0..<count).map { .pod(nearPod($0)) } + (0..<2).map { .neighbor(nearNeighbor($0)) }
        _ = scene.intents.upsert(contentsOf: others)
        scene.attachable = Set(scene.intents.pods.keys)
        scene.layout.host.toPods = pick(.allow, .rules)
        scene.layout.host.fromPods = pick(.replies, .rules, .allow)
        scene.layout.invalid = pick(.rules, .drop)
        for id in scene.intents.pods.keys.sorted() where once(in: 2) { scene.epochs[id] = Epoch(UInt32(number(2...9))) }
        return scene
    }

    /// Its fabric is another each time.
    mutating func nearNetwork(_ number: Int) -> Network {
        let four = Subnet(
            id: "four", cidr: Self.near(.v4, number, 0, 24), gateway: Self.place(.v4, number, 1),
            tunnelID: once(in: 2) ? TunnelID(10 + number) : nil, gatewayMAC: once(in: 3) ? MAC(0x0200_0000_00aa) : nil,
            routes: nearRoutes(.v4, number))
        let six = Subnet(
            id: "six", cidr: Self.near(.v6, number, 0, 112), gateway: Self.place(.v6, number, 1), routes: nearRoutes(.v6, number))
        return Network(
            id: number == 1 ? "blue" : "green", subnets: [four, six], fabric: pick(nil, Fabric.none, .routed, .vxlan),
            tunnelID: TunnelID(number))
    }

    /// Of few destinations, through pods, neighbors, nobody and the gateway.
    private mutating func nearRoutes(_ family: Family, _ network: Int) -> [SubnetRoute] {
        guard once(in: 2) else { return [] }
        let far = family == .v4 ? Prefix(.v4(0xc633_6400), length: 24) : Prefix(.v6(0x2001_0db8_0099 << 80), length: 48)
        let destinations: [Prefix] = [.everything(family), far].compactMap(\.self)
        return (0..<UInt32(number(1...4))).map { priority in
            SubnetRoute(
                destinations[number(0...destinations.count - 1)], through: Self.place(family, network, pick(1, 2, 3, 4, 20, 21, 30)),
                priority: priority)
        }
    }

    /// Another version of one of the scene's resources, or another one.
    mutating func nearIntent() -> Intent {
        switch number(0...9) {
        case 0: .addressGroup(nearAddressGroup(pick("office", "partners")))
        case 1...4: .securityGroup(nearGroup(pick("web", "db", "any", "raw", "bare", "office", "ghost", "blue/default")))
        case 5: .neighbor(nearNeighbor(number(0...2)))
        case 6: once(in: 2) ? .network(nearNetwork(number(1...2))) : .neighbor(nearNeighbor(number(0...2)))
        default: .pod(nearPod(number(0...6)))
        }
    }

    /// Addresses of a small world: the 64 lowest of a network.
    static func place(_ family: Family, _ network: Int, _ number: Int) -> IPAddress {
        family == .v4
            ? .v4(0x0a00_0000 + UInt32(network) << 8 + UInt32(number)) : .v6(0xfd00 << 112 + UInt128(network) << 16 + UInt128(number))
    }

    static func near(_ family: Family, _ network: Int, _ number: Int, _ length: Int) -> Prefix {
        Prefix(place(family, network, number), length: length) ?? .everything(family)
    }

    mutating func nearPrefix() -> Prefix {
        let family: Family = pick(.v4, .v6)
        return Self.near(family, number(1...2), number(0...31), family.bits - number(0...6))
    }

    private mutating func nearAddressGroup(_ id: ID<AddressGroup>) -> AddressGroup {
        AddressGroup(id: id, cidrs: (0..<number(0...4)).map { _ in nearPrefix() })
    }

    mutating func nearGroup(_ id: ID<SecurityGroup>) -> SecurityGroup {
        let isStateless = id == "raw" || id == "bare"
        let network: ID<Network>? = id.networkOfDefault ?? (id == "any" || id == "raw" ? nil : "blue")
        return SecurityGroup(id: id, network: network, stateful: !isStateless, rules: (0..<number(0...6)).map { nearRule("r\($0)") })
    }

    mutating func nearRule(_ id: String) -> Rule {
        let remote: Remote =
            switch number(0...5) {
            case 0, 1: .anyone
            case 2: .cidr(nearPrefix())
            case 3, 4: .group(pick("web", "db", "any", "raw", "office", "office", "blue/default", "ghost"))
            default: .addressGroup(pick("office", "office", "partners"))
            }
        let family: Family? = remote.family ?? pick(nil, nil, .v4, .v6)
        let direction: Rule.Direction = pick(.ingress, .egress)
        switch number(0...5) {
        case 0: return Rule(id: id, direction: direction, family: family, remote: remote)
        case 1: return Rule(id: id, direction: direction, family: family, protocol: IPProtocol(UInt8(pick(6, 17, 47, 50))), remote: remote)
        case 2, 3:
            let kind: IPProtocol = (family ?? pick(.v4, .v6)) == .v6 ? .icmpv6 : .icmp
            guard remote.family == nil || remote.family == kind.onlyFamily else {
                return Rule(id: id, direction: direction, remote: remote)
            }
            let match = ICMPMatch(type: pick(8, 128, 13, 3, 1, 0), code: once(in: 2) ? nil : UInt8(number(0...1)))
            return Rule(
                id: id, direction: direction, family: kind.onlyFamily, protocol: kind, icmp: once(in: 3) ? nil : match, remote: remote)
        default:
            return Rule(
                id: id, direction: direction, family: family, protocol: pick(.tcp, .tcp, .udp, .sctp, .dccp, .udplite), ports: nearPorts(),
                sourcePorts: once(in: 2) ? nil : nearPorts(), remote: remote)
        }
    }

    private mutating func nearPorts() -> PortRange? {
        pick(
            nil, PortRange(80), PortRange(80, 443), PortRange(443, 5000), PortRange(67, 68), PortRange(number(0...1) == 0 ? 1 : 400, 65535))
    }

    mutating func nearPort() -> UInt16 { pick(80, 443, 79, 81, 444, 5000, 5001, 0, 1, 65535, 67, 68) }

    mutating func nearPod(_ number: Int) -> Pod {
        let isGreen = number == 5
        let world = isGreen ? 2 : 1
        let four = Self.place(.v4, world, 2 + number)
        let six = Self.place(.v6, world, 2 + number)
        let stateful: [ID<SecurityGroup>] = isGreen ? ["any", "green/default"] : ["web", "db", "any", "office", "ghost", "blue/default"]
        let stateless: [ID<SecurityGroup>] = isGreen ? ["raw"] : ["raw", "bare"]
        return Pod(
            id: ID("pod-\(number)"), network: isGreen ? "green" : "blue", namespace: once(in: 12) ? nil : "/run/netns/\(number)",
            addresses: pick([four], [four, six], [four, six], [six]),
            securityGroups: once(in: 4) ? some(stateless, atMost: 2, atLeast: 1) : some(stateful, atMost: 3),
            allowedAddressPairs: (0..<pick(0, 0, 1, 2)).map { _ in AddressPair(address: nearPrefix(), mac: once(in: 3) ? MAC(2) : nil) },
            portSecurity: !once(in: 6), adminUp: !once(in: 8), mtu: pick(nil, 1500, 9000))
    }

    mutating func nearNeighbor(_ number: Int) -> Neighbor {
        var aside = self
        return Neighbor(
            id: ID("neighbor-\(number)"), network: once(in: 4) ? "green" : "blue",
            addresses: [Self.place(.v4, 1, 20 + number), Self.place(.v6, 1, 20 + number)],
            host: aside.pick(nil, .v4(0xc000_0202), .v4(0xc000_0203), .v6(0x2001_0db8 << 96 | 2)),
            securityGroups: some(["web", "db", "any", "raw", "office"], atMost: 2))
    }
}
