import HostNetwork
import PolicyModel

/// Random changes for a `SequenceWorld`, of everything that can give or take a permission.
extension Seeded {
    private static let talking: [ID<SecurityGroup>] = ["web", "db", "friends", "ops"]

    /// What is asked for to begin with.
    mutating func beginning(of world: SequenceWorld, _ intents: inout Intents) throws {
        try intents.put(AddressGroup(id: "office", cidrs: [Prefix("198.51.100.0/24"), Prefix("2001:db8:1::/64")]))
        for group in Self.talking { try intents.put(talk(group)) }
        for pod in world.pods { try intents.put(binding(of: pod, in: world)) }
        try intents.put(far())
    }

    /// Changes one thing; answers in words which.
    mutating func change(_ intents: inout Intents, in world: SequenceWorld) throws -> String {
        switch number(0...11) {
        case 0...4:
            let group = talk(pickGroup())
            try intents.put(group)
            return "group \(group.id): \(group.rules.map(\.text))"
        case 5...8:
            let pod = binding(of: world.pods[number(0...2)], in: world)
            try intents.put(pod)
            return
                "pod \(pod.id): \(pod.securityGroups), port security \(pod.portSecurity), pairs \(pod.allowedAddressPairs.map(\.address))"
        case 9:
            let cidrs = some(
                ["198.51.100.0/24", "198.51.100.7", "198.51.100.128/25", "2001:db8:1::/64", "2001:db8:1::7", "10.1.0.77", "fd00:1::4d"],
                atMost: 4)
            try intents.put(AddressGroup(id: "office", cidrs: cidrs.map { Prefix($0) }))
            return "address group office: \(cidrs)"
        default:
            if once(in: 3), intents.neighbors["far"] != nil {
                try intents.delete("far" as ID<Neighbor>)
                return "neighbor far is deleted"
            }
            let neighbor = far()
            try intents.put(neighbor)
            return "neighbor far: \(neighbor.securityGroups)"
        }
    }

    private mutating func pickGroup() -> ID<SecurityGroup> { Self.talking[number(0...(Self.talking.count - 1))] }

    private mutating func far() -> Neighbor {
        Neighbor(
            id: "far", network: "blue", addresses: [IPAddress("10.1.0.77"), IPAddress("fd00:1::77")],
            securityGroups: some(Self.talking, atMost: 2))
    }

    private mutating func binding(of pod: LabPod, in world: SequenceWorld) -> Pod {
        let pairs = [SequenceWorld.pair, ["10.1.0.192/28", "fd00:1::c0/124"], ["10.1.0.200/31"], []][number(0...3)]
        let isPaired = pod.id == world.pods[0].id
        return pod.intent(some(Self.talking, atMost: 3, atLeast: 1)) { intent in
            intent.portSecurity = !once(in: 8)
            if isPaired { intent.allowedAddressPairs = pairs.map { AddressPair(address: Prefix($0)) } }
        }
    }

    private mutating func talk(_ id: ID<SecurityGroup>) -> SecurityGroup {
        var rules = (0..<number(1...5)).map { permission("r\($0)", .ingress) }
        if once(in: 3) { rules += (0..<number(1...3)).map { permission("o\($0)", .egress) } } else { rules.append(.out("out")) }
        return SecurityGroup(id: id, network: "blue", rules: rules.shuffled(using: &self))
    }

    private mutating func permission(_ id: String, _ direction: Rule.Direction) -> Rule {
        let remote: Remote =
            switch number(0...5) {
            case 0, 1: .anyone
            case 2:
                .cidr(
                    Prefix(
                        pick(
                            "10.1.0.0/24", "10.1.0.0/27", "10.1.0.64/28", "10.1.0.200", "198.51.100.0/25", "fd00:1::/64", "fd00:1::/123",
                            "fd00:1::c8", "2001:db8:1::/120")))
            case 3, 4: .group(pickGroup())
            default: .addressGroup("office")
            }
        switch number(0...4) {
        case 0: return Rule(id: id, direction: direction, family: remote.family ?? pick(nil, .v4, .v6), remote: remote)
        case 1:
            let family = remote.family ?? pick(.v4, .v6)
            return Rule(
                id: id, direction: direction, family: family, protocol: family == .v4 ? .icmp : .icmpv6,
                icmp: once(in: 2) ? nil : ICMPMatch(type: family == .v4 ? 8 : 128, code: 0), remote: remote)
        default:
            let (one, other) = (UInt16(number(7000...7003)), UInt16(number(7000...7003)))
            return Rule(
                id: id, direction: direction, protocol: pick(.tcp, .tcp, .udp), ports: PortRange(min(one, other), max(one, other)),
                remote: remote)
        }
    }
}
