import HostNetwork
import PolicyModel

/// Random steps for a `SoakWorld`: whatever a controller may ask for in an hour.
extension Seeded {
    mutating func step(in world: SoakWorld) -> SoakWorld.Step {
        switch number(0...99) {
        case 0...39: .upsert([.pod(pod(of: SoakWorld.pods[number(0...(SoakWorld.pods.count - 1))], in: world))])
        case 40...49: .delete([SoakWorld.pods[number(0...(SoakWorld.pods.count - 1))].intent])
        case 50...67: .upsert([.securityGroup(group(SoakWorld.groups[number(0...(SoakWorld.groups.count - 1))], "blue"))])
        case 68...71: .upsert([.securityGroup(group(SoakWorld.common[number(0...1)], nil))])
        case 72...76: .delete([SoakWorld.groups[number(0...(SoakWorld.groups.count - 1))].intent])
        case 77...81: .upsert([.addressGroup(office())])
        case 82...86: once(in: 3) ? .delete([ID<Neighbor>("far").intent]) : .upsert([.neighbor(far())])
        case 87...94: isolated(SoakWorld.networks[number(0...(SoakWorld.networks.count - 1))], in: world)
        // The same again is nothing new.
        default: .upsert(some(world.intents.all.filter { !world.intents.leaving.contains($0.id) }, atMost: 6))
        }
    }

    /// All of an isolated network comes, its pods are bound anew, or all of it goes.
    private mutating func isolated(_ network: ID<Network>, in world: SoakWorld) -> SoakWorld.Step {
        let pods = ["a", "b"].map { ID<Pod>("\(network)-\($0)") }
        guard world.intents.networks[network] != nil else {
            let subnets = [
                Subnet(id: "v4", cidr: Prefix("10.1.0.0/24"), gateway: IPAddress("10.1.0.1")),
                Subnet(id: "v6", cidr: Prefix("fd00:1::/64"), gateway: IPAddress("fd00:1::1")),
            ]
            return .upsert(
                [.network(Network(id: network, isolated: true, subnets: subnets))] + pods.map { .pod(pod(of: $0, in: world, network)) })
        }
        if once(in: 4) { return .delete(pods.map(\.intent) + [network.intent]) }
        return .upsert([.pod(pod(of: pods[number(0...1)], in: world, network))])
    }

    private mutating func pod(of id: ID<Pod>, in world: SoakWorld, _ network: ID<Network> = "blue") -> Pod {
        // Those of isolated networks have the same addresses in each.
        let number = SoakWorld.pods.firstIndex(of: id).map { 40 + $0 } ?? (id.value.hasSuffix("a") ? 10 : 20)
        let groups = network == "blue" ? SoakWorld.groups + SoakWorld.common : SoakWorld.common
        let isPaired = once(in: 10)
        return Pod(
            id: id, network: network, namespace: world.path(of: id),
            addresses: [IPAddress("10.1.0.\(number)"), IPAddress("fd00:1::\(String(number, radix: 16))")],
            securityGroups: some(groups, atMost: 3), allowedAddressPairs: isPaired ? [AddressPair(address: Prefix("10.1.0.192/28"))] : [],
            portSecurity: !once(in: 12))
    }

    private mutating func group(_ id: ID<SecurityGroup>, _ network: ID<Network>?) -> SecurityGroup {
        SecurityGroup(id: id, network: network, rules: (0..<number(0...5)).map { rule("r\($0)", isCommon: network == nil) })
    }

    private mutating func rule(_ id: String, isCommon: Bool) -> Rule {
        let remote: Remote =
            switch number(0...(isCommon ? 3 : 6)) {
            case 0, 1: .anyone
            case 2: .cidr(Prefix(pick("10.1.0.0/26", "10.1.0.40/29", "10.1.0.16/28", "fd00:1::/64", "fd00:1::28/125")))
            case 3: .cidr(Prefix(pick("0.0.0.0/0", "::/0")))
            case 4, 5: .group(SoakWorld.groups[number(0...(SoakWorld.groups.count - 1))])
            default: .addressGroup("office")
            }
        let direction: Rule.Direction = pick(.ingress, .egress)
        switch number(0...3) {
        case 0: return Rule(id: id, direction: direction, family: remote.family, remote: remote)
        case 1:
            let family = remote.family ?? pick(.v4, .v6)
            return Rule(id: id, direction: direction, family: family, protocol: family == .v4 ? .icmp : .icmpv6, remote: remote)
        default:
            let (one, other) = (UInt16(number(7000...7005)), UInt16(number(7000...7005)))
            return Rule(
                id: id, direction: direction, protocol: pick(.tcp, .udp), ports: PortRange(min(one, other), max(one, other)), remote: remote
            )
        }
    }

    private mutating func office() -> AddressGroup {
        let cidrs = some(["10.1.0.40/30", "10.1.0.44", "10.1.0.48/29", "fd00:1::28/126", "fd00:1::30", "198.51.100.0/24"], atMost: 4)
        return AddressGroup(id: "office", cidrs: cidrs.map { Prefix($0) }, revision: 0)
    }

    private mutating func far() -> Neighbor {
        Neighbor(
            id: "far", network: "blue", addresses: [IPAddress("10.1.0.77"), IPAddress("fd00:1::77")],
            securityGroups: some(SoakWorld.groups, atMost: 2))
    }
}
