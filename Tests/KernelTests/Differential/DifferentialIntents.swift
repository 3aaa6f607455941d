import HostNetwork
import PolicyModel

/// Random intents for the pods of a `DifferentialWorld`: dense, so that rules overlap, and prefixes and ports end near each other.
extension Seeded {
    static let stateful: [ID<SecurityGroup>] = ["web", "db", "any", "office", "spare"]
    static let stateless: [ID<SecurityGroup>] = ["raw", "bare"]
    static let named: [ID<SecurityGroup>] = stateful + stateless + ["blue/default", "green/default"]
    /// Its pods may be of any network.
    static let shared: Set<ID<SecurityGroup>> = ["any", "raw"]
    static let addressGroups: [ID<AddressGroup>] = ["office", "partners"]

    /// All of it, in an order in which each can be taken in.
    mutating func everything(in paths: [ID<Pod>: String]) -> [Intent] {
        Self.addressGroups.map { .addressGroup(addressGroup($0)) } + Self.named.map { .securityGroup(group($0)) }
            + DifferentialWorld.pods.map { .pod(pod($0.id, at: paths[$0.id])) } + (0..<3).map { .neighbor(neighbor($0)) }
    }

    /// Another version of one of them.
    mutating func version(in paths: [ID<Pod>: String]) -> Intent {
        switch number(0...9) {
        case 0: .addressGroup(addressGroup(pick("office", "partners")))
        case 1...4: .securityGroup(group(Self.named[number(0...(Self.named.count - 1))]))
        case 5: .neighbor(neighbor(number(0...2)))
        default:
            {
                let id = DifferentialWorld.pods[number(0...(DifferentialWorld.pods.count - 1))].id
                return .pod(pod(id, at: paths[id]))
            }()
        }
    }

    // MARK: Addresses

    /// The n-th of a network, both families alike.
    static func address(_ network: ID<Network>, _ number: Int, _ family: Family) -> IPAddress {
        let net = network == "green" ? 2 : 1
        return family == .v4
            ? .v4(0x0a00_0000 + UInt32(net) << 16 + UInt32(number)) : .v6(0xfd00 << 112 + UInt128(net) << 96 + UInt128(number))
    }

    /// A stranger's.
    static func outside(_ number: Int, _ family: Family) -> IPAddress {
        family == .v4 ? .v4(0xc633_6400 + UInt32(number)) : .v6(0x2001_0db8_0001 << 80 + UInt128(number))
    }

    mutating func landmark(_ family: Family) -> IPAddress {
        switch number(0...9) {
        case 0...4:
            let pod = DifferentialWorld.pods[number(0...(DifferentialWorld.pods.count - 1))]
            return Self.address(pod.network, pod.number, family)
        case 5: return Self.address("blue", number(64...79), family)
        case 6: return Self.address("blue", number(192...207), family)
        default: return Self.outside(number(0...127), family)
        }
    }

    mutating func prefixNear(_ family: Family) -> Prefix {
        let width = family.bits
        let length = once(in: 8) ? pick(0, 1, 8, 15, 16, 23, 24) : width - number(0...9)
        return Prefix(landmark(family), length: length) ?? .everything(family)
    }

    // MARK: Resources

    mutating func addressGroup(_ id: ID<AddressGroup>) -> AddressGroup {
        AddressGroup(id: id, cidrs: (0..<number(0...5)).map { _ in prefixNear(pick(.v4, .v6)) })
    }

    mutating func group(_ id: ID<SecurityGroup>) -> SecurityGroup {
        let network = id.networkOfDefault ?? (Self.shared.contains(id) ? nil : "blue")
        // Many of a kind are elements of a set, and few aren't.
        var rules = (0..<number(0...(once(in: 3) ? 40 : 9))).map { rule("r\($0)", of: network) }
        // Else hardly any packet would pass both ends.
        if once(in: 2) { rules.append(Rule(id: "all-out", direction: .egress, remote: pick(.anyone, .anyone, .group("any")))) }
        if once(in: 5) { rules.append(Rule(id: "all-in", direction: .ingress, family: pick(nil, .v4, .v6))) }
        return SecurityGroup(id: id, network: network, stateful: !Self.stateless.contains(id), rules: rules.shuffled(using: &self))
    }

    private mutating func remote(of network: ID<Network>?) -> Remote {
        switch number(0...9) {
        case 0...2: .anyone
        case 3...5: .cidr(prefixNear(pick(.v4, .v6)))
        case 6...7: .group(some(Self.nameable(in: network), atMost: 1, atLeast: 1).first ?? "ghost")
        default: .addressGroup(pick("office", "office", "partners", "nobody"))
        }
    }

    /// A group that names no network is about groups that don't either.
    private static func nameable(in network: ID<Network>?) -> [ID<SecurityGroup>] {
        switch network {
        case nil: ["any", "raw", "ghost"]
        case "green"?: ["any", "raw", "ghost", "green/default"]
        default: stateful + stateless + ["ghost", "blue/default"]
        }
    }

    mutating func rule(_ id: String, of network: ID<Network>?) -> Rule {
        let remote = remote(of: network)
        let family: Family? = remote.family ?? pick(nil, nil, .v4, .v6)
        let direction: Rule.Direction = pick(.ingress, .ingress, .egress)
        switch number(0...9) {
        case 0: return Rule(id: id, direction: direction, family: family, remote: remote)
        case 1, 2:
            let number = IPProtocol(UInt8(pick(2, 6, 17, 47, 50, 112, 132, 253)))
            return Rule(id: id, direction: direction, family: family, protocol: number, remote: remote)
        case 3, 4:
            let spoken = family ?? pick(.v4, .v6)
            let types: [UInt8] = spoken == .v4 ? [0, 3, 8, 8, 11, 13, 14, 17] : [1, 2, 3, 128, 128, 129, 135, 139]
            let match = ICMPMatch(type: types[number(0...7)], code: once(in: 2) ? nil : UInt8(number(0...2)))
            return Rule(
                id: id, direction: direction, family: spoken, protocol: spoken == .v4 ? .icmp : .icmpv6, icmp: once(in: 4) ? nil : match,
                remote: remote)
        default:
            return Rule(
                id: id, direction: direction, family: family, protocol: pick(.tcp, .tcp, .udp, .udp, .sctp, .dccp, .udplite),
                ports: once(in: 6) ? nil : ports(), sourcePorts: once(in: 4) ? ports() : nil, remote: remote)
        }
    }

    private mutating func ports() -> PortRange? {
        let ends: [UInt16] = [1, 2, 66, 67, 68, 79, 80, 81, 82, 442, 443, 546, 547, 1023, 1024, 5000, 32767, 32768, 60000, 65534, 65535]
        let (one, other) = (ends[number(0...(ends.count - 1))], ends[number(0...(ends.count - 1))])
        return once(in: 3) ? PortRange(one) : PortRange(min(one, other), max(one, other))
    }

    private mutating func pod(_ id: ID<Pod>, at path: String?) -> Pod {
        let (network, place) = DifferentialWorld.pods.first { $0.id == id }.map { ($0.network, $0.number) } ?? ("blue", 0)
        let isGreen = network == "green"
        let own = Family.allCases.map { Self.address(network, place, $0) }
        // Some have another address, which others' pairs or prefixes may hold, too.
        let more = once(in: 4) ? Family.allCases.map { Self.address(network, 128 + place, $0) } : []
        let binding =
            once(in: 4)
            ? some(isGreen ? ["raw"] : Self.stateless, atMost: 2, atLeast: 1)
            : some(isGreen ? ["any", "green/default"] : Self.stateful + ["blue/default", "ghost"], atMost: 3, atLeast: 1)
        return Pod(
            id: id, network: network, namespace: path, mac: DifferentialWorld.mac(of: id), addresses: own + more,
            securityGroups: binding, allowedAddressPairs: once(in: 3) ? (0..<number(1...3)).map { _ in pair() } : [],
            portSecurity: !once(in: 8))
    }

    private mutating func pair() -> AddressPair {
        let family: Family = pick(.v4, .v6)
        let length = once(in: 6) ? 0 : family.bits - number(0...4)
        let address = once(in: 3) ? landmark(family) : Self.address("blue", number(192...207), family)
        return AddressPair(address: Prefix(address, length: length) ?? .everything(family), mac: once(in: 3) ? Self.virtual : nil)
    }

    /// A MAC that several pods may share.
    static let virtual = MAC(0x0000_5e00_0105)

    private mutating func neighbor(_ place: Int) -> Neighbor {
        let network: ID<Network> = place == 2 ? "green" : "blue"
        let groups = network == "green" ? ["any", "raw", "green/default"] : Self.named.filter { $0 != "green/default" }
        return Neighbor(
            id: ID("far-\(place)"), network: network, addresses: Family.allCases.map { Self.address(network, 70 + place, $0) },
            securityGroups: some(groups, atMost: 3))
    }
}
