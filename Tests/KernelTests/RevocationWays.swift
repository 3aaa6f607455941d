import HostNetwork
import Lab
import Testing

/// Who is there when a permission ends: a pod that it is about, another pod, and outsiders.
struct RevocationScene {
    let host: LabHost
    let pod: LabPod
    let other: LabPod
    /// Out in the world.
    let stranger: LabPeer
    /// A pod of another host.
    let distant: LabPeer

    init() throws {
        host = try LabHost()
        pod = try host.pod("web", 10)
        other = try host.pod("client", 20)
        stranger = try host.outsider(7)
        distant = try host.outsider(77, isPod: true)
    }
}

/// One way in which a permission ends: what is asked for with it and without it.
struct RevocationWay: Sendable, CustomTestStringConvertible {
    /// Who opens the flows, to whom.
    enum Opener: Sendable { case pod, other, stranger, distant }

    let testDescription: String
    var opener = Opener.other
    /// Addresses that the flows come from, one of each family, where they aren't the opener's own.
    var pair: [String]?
    let ask: @Sendable (inout Intents, RevocationScene, _ isGranted: Bool) throws -> Void

    /// Ports of the flows that are cut, and of those that last.
    static let cut: UInt16 = 7000
    static let lasting: UInt16 = 7020

    private static let services: [IPProtocol] = [.tcp, .udp]

    static let all: [RevocationWay] = rules + groups + members + pods

    private static let rules = [
        RevocationWay(testDescription: "a rule of ingress is removed") { intents, scene, isGranted in
            try put(&intents, scene, .ingress, isGranted ? allowing(.ingress) : [])
        },
        RevocationWay(testDescription: "a rule of egress is removed", opener: .pod) { intents, scene, isGranted in
            try put(&intents, scene, .egress, isGranted ? allowing(.egress) : [])
        },
        RevocationWay(testDescription: "a rule's ports are narrowed") { intents, scene, isGranted in
            try put(
                &intents, scene, .ingress,
                isGranted ? allowing(.ingress) : allowing(.ingress, ports: PortRange(cut + 5, lasting + 5), icmp: ICMPMatch(type: 42)))
        },
        RevocationWay(testDescription: "a rule's prefix is narrowed") { intents, scene, isGranted in
            let prefixes = isGranted ? ["10.1.0.0/24", "fd00:1::/64"] : ["10.1.0.128/25", "fd00:1::8000/113"]
            try put(&intents, scene, .ingress, prefixes.flatMap { allowing(.ingress, remote: .cidr(Prefix($0))) })
        },
        RevocationWay(testDescription: "a rule about a group is removed, and another stays") { intents, scene, isGranted in
            let rules = allowing(.ingress, ports: PortRange(9000), icmp: ICMPMatch(type: 42), remote: .group("friends"))
            try put(&intents, scene, .ingress, rules + (isGranted ? allowing(.ingress, remote: .group("friends")) : []))
            try intents.put(scene.other.intent(["open", "friends"]))
        },
    ]

    private static let groups = [
        RevocationWay(testDescription: "a group of ingress is unbound") { intents, scene, isGranted in
            try put(&intents, scene, .ingress, allowing(.ingress))
            try intents.put(scene.pod.intent(isGranted ? ["doomed", "lasting"] : ["lasting"]))
        },
        RevocationWay(testDescription: "a group of egress is unbound", opener: .pod) { intents, scene, isGranted in
            try put(&intents, scene, .egress, allowing(.egress))
            try intents.put(scene.pod.intent(isGranted ? ["doomed", "lasting"] : ["lasting"]))
        },
        RevocationWay(testDescription: "a group is exchanged for another") { intents, scene, isGranted in
            try put(&intents, scene, .ingress, allowing(.ingress))
            try intents.put("another", Rule(id: "in", direction: .ingress, protocol: .tcp, ports: PortRange(9)))
            try intents.put(scene.pod.intent([isGranted ? "doomed" : "another", "lasting"]))
        },
    ]

    private static let members = [
        RevocationWay(testDescription: "a pod leaves the remote group") { intents, scene, isGranted in
            try put(&intents, scene, .ingress, allowing(.ingress, remote: .group("friends")))
            try intents.put(scene.other.intent(isGranted ? ["open", "friends"] : ["open"]))
        },
        RevocationWay(testDescription: "a pod leaves the remote group of a rule of egress", opener: .pod) { intents, scene, isGranted in
            try put(&intents, scene, .egress, allowing(.egress, remote: .group("friends")))
            try intents.put(scene.other.intent(isGranted ? ["open", "friends"] : ["open"]))
        },
        RevocationWay(testDescription: "a neighbor leaves the remote group", opener: .distant) { intents, scene, isGranted in
            try put(&intents, scene, .ingress, allowing(.ingress, remote: .group("friends")))
            let addresses = scene.distant.addresses.map { IPAddress($0) }
            try intents.put(Neighbor(id: "far", network: "blue", addresses: addresses, securityGroups: isGranted ? ["friends"] : ["open"]))
        },
        RevocationWay(testDescription: "a neighbor is deleted", opener: .distant) { intents, scene, isGranted in
            try put(&intents, scene, .ingress, allowing(.ingress, remote: .group("friends")))
            let neighbor = Neighbor(
                id: "far", network: "blue", addresses: scene.distant.addresses.map { IPAddress($0) }, securityGroups: ["friends"])
            if isGranted { try intents.put(neighbor) } else { try intents.delete(neighbor.id) }
        },
        RevocationWay(testDescription: "an address leaves an address group", opener: .stranger) { intents, scene, isGranted in
            let addresses = scene.stranger.addresses.map { Prefix(IPAddress($0)) }
            try intents.put(AddressGroup(id: "office", cidrs: [Prefix("203.0.113.1/32")] + (isGranted ? addresses : [])))
            try put(&intents, scene, .ingress, allowing(.ingress, remote: .addressGroup("office")))
        },
        RevocationWay(testDescription: "a prefix of an address group is narrowed", opener: .stranger) { intents, scene, isGranted in
            let prefixes = isGranted ? ["198.51.100.0/24", "2001:db8:1::/64"] : ["198.51.100.128/25", "2001:db8:1::8000/113"]
            try intents.put(AddressGroup(id: "office", cidrs: prefixes.map { Prefix($0) }))
            try put(&intents, scene, .ingress, allowing(.ingress, remote: .addressGroup("office")))
        },
    ]

    private static let pods = [
        RevocationWay(
            testDescription: "an allowed address pair is removed", opener: .pod,
            pair: ["10.1.0.200", "fd00:1::c8"], ask: pairs("10.1.0.200/32", "fd00:1::c8/128")),
        RevocationWay(
            testDescription: "an allowed address pair that is a prefix is removed", opener: .pod,
            pair: ["10.1.0.200", "fd00:1::c8"], ask: pairs("10.1.0.192/28", "fd00:1::c0/124")),
        RevocationWay(
            testDescription: "an allowed address pair is removed, of flows that the other side lets in from anybody", opener: .pod,
            pair: ["10.1.0.200", "fd00:1::c8"], ask: pairs("10.1.0.200/32", "fd00:1::c8/128", from: .anyone)),
        RevocationWay(
            testDescription: "a prefix of pairs is narrowed, of flows that the other side lets in from anybody", opener: .pod,
            pair: ["10.1.0.200", "fd00:1::c8"],
            ask: pairs("10.1.0.192/28", "fd00:1::c0/124", "10.1.0.210/31", "fd00:1::d2/127", kept: 2, from: .anyone)),
        RevocationWay(testDescription: "port security is switched on") { intents, scene, isGranted in
            try put(&intents, scene, .ingress, [])
            try intents.put(scene.pod.intent(["doomed", "lasting"]) { $0.portSecurity = !isGranted })
        },
        RevocationWay(testDescription: "port security is switched on, of flows that the pod opened", opener: .pod) {
            intents, scene, isGranted in
            try put(&intents, scene, .egress, [])
            try intents.put(scene.pod.intent(["doomed", "lasting"]) { $0.portSecurity = !isGranted })
        },
    ]

    /// The pod may send from the pairs, of which the last `kept` stay; who receives lets in members of the pod's group or anybody.
    private static func pairs(
        _ prefixes: String..., kept: Int = 0, from remote: Remote = .group("members")
    ) -> @Sendable (inout Intents, RevocationScene, _ isGranted: Bool) throws -> Void {
        { intents, scene, isGranted in
            try intents.put("open", Rule(id: "out", direction: .egress), Rule(id: "in", direction: .ingress, remote: remote))
            try intents.put("members", Rule(id: "out", direction: .egress))
            try intents.put(scene.other.intent(["open"]))
            let pairs = (isGranted ? prefixes : prefixes.suffix(kept)).map { AddressPair(address: Prefix($0)) }
            try intents.put(scene.pod.intent(["members"]) { $0.allowedAddressPairs = pairs })
        }
    }

    /// The pod with a group of these rules and one that stays; the other pod allows everything.
    private static func put(_ intents: inout Intents, _ scene: RevocationScene, _ direction: Rule.Direction, _ rules: [Rule]) throws {
        try intents.put("open", Rule(id: "out", direction: .egress), Rule(id: "in", direction: .ingress))
        try intents.put(SecurityGroup(id: "friends", network: "blue"))
        let rules = rules.enumerated().map { number, rule in
            var rule = rule
            rule.id += " \(number)"
            return rule
        }
        try intents.put(SecurityGroup(id: "doomed", network: "blue", rules: rules))
        let lasting = Self.services.map {
            Rule(id: "\($0)", direction: direction, protocol: $0, ports: PortRange(Self.lasting, Self.lasting + 1))
        }
        try intents.put(SecurityGroup(id: "lasting", network: "blue", rules: lasting))
        try intents.put(scene.pod.intent(["doomed", "lasting"]))
        try intents.put(scene.other.intent(["open"]))
    }

    /// TCP, UDP and ICMP of both families.
    private static func allowing(
        _ direction: Rule.Direction, ports: PortRange? = PortRange(cut, cut + 1), icmp: ICMPMatch? = nil, remote: Remote = .anyone
    ) -> [Rule] {
        let services = Self.services.map { Rule(id: "\($0)", direction: direction, protocol: $0, ports: ports, remote: remote) }
        let echoes = [(IPProtocol.icmp, Family.v4), (.icmpv6, .v6)].filter { remote.family == nil || remote.family == $0.1 }.map {
            Rule(id: "echo \($0.1)", direction: direction, family: $0.1, protocol: $0.0, icmp: icmp, remote: remote)
        }
        return services + echoes
    }
}
