import HostNetwork

/// A host made by hand, of any size: a crowd of pods and neighbors, and beside them one pod and two groups of its own.
struct World {
    var intents = Intents()
    var desired: Desired
    private(set) var believed: HostState

    /// - Parameter size: pods in the group `crowd`, neighbors in the group `far`, rules of the group `single`.
    init(size: Int, marks: MarkLayout = .standard) {
        let subnet = Subnet(id: "four", cidr: Prefix(.v4(0x0a00_0000), length: 8) ?? .everything(.v4), gateway: .v4(0x0a00_0001))
        let network = Network(id: "blue", subnets: [subnet])
        let ports = (0..<size).map { Rule(id: "port-\($0)", direction: .ingress, protocol: .tcp, ports: PortRange(UInt16(2 * $0 + 1))) }
        let single = SecurityGroup(id: "single", rules: ports + [Self.aboutFar, Self.aboutOffice, Rule(id: "out")])
        let crowd = SecurityGroup(id: "crowd", rules: ports)
        let office = AddressGroup(id: "office", cidrs: (0..<size).map { Prefix(.v4(0xc000_0000 + UInt32($0) * 2)) })
        let pods = (0..<size).map { Self.pod("crowd-\($0)", 1000 + $0, ["crowd"]) } + [Self.pod("solo", 10, ["single"])]
        let neighbors = (0..<size).map { Self.neighbor($0) }
        _ = intents.upsert(
            contentsOf: [.network(network), .addressGroup(office), .securityGroup(single), .securityGroup(crowd)]
                + ["far", "open"].map { .securityGroup(SecurityGroup(id: $0)) } + pods.map(Intent.pod) + neighbors.map(Intent.neighbor))
        desired = Desired(
            intents: intents, layout: Layout(marks: marks), attachable: Set(pods.map(\.id) + ["late"]), epochs: [:])
        believed = desired.state
    }

    static let aboutFar = Rule(id: "far", direction: .ingress, protocol: .udp, ports: PortRange(53), remote: .group("far"))
    static let aboutOffice = Rule(id: "office", direction: .ingress, protocol: .udp, ports: PortRange(53), remote: .addressGroup("office"))

    static func pod(_ id: String, _ number: Int, _ groups: [ID<SecurityGroup>]) -> Pod {
        Pod(
            id: ID(id), network: "blue", namespace: "/run/netns/\(id)", addresses: [.v4(0x0a00_0000 + UInt32(number))],
            securityGroups: groups)
    }

    static func neighbor(_ number: Int) -> Neighbor {
        Neighbor(id: ID("n-\(number)"), network: "blue", addresses: [.v4(0x0a01_0000 + UInt32(number))], securityGroups: ["far"])
    }

    /// Makes a change and carries it out; answers what had to be done.
    mutating func change(_ body: (inout Intents) throws -> Void) rethrows -> Plan {
        try body(&intents)
        let touched = desired.realize(intents, changed: changes(from: desired.intents, to: intents))
        return carryOut(touched)
    }

    mutating func carryOut(_ touched: Set<Object.Key>) -> Plan {
        let plan = desired.plan(from: believed, touching: touched)
        believed = believed.applying(plan)
        return plan
    }

    /// Puts a version of a group in force whose rules are others.
    mutating func edit(_ id: ID<SecurityGroup>, _ body: (inout [Rule]) -> Void) throws -> Plan {
        try change { intents in
            guard var group = intents.group(id) else { return }
            body(&group.rules)
            _ = try intents.upsert(.securityGroup(group))
        }
    }

    /// The pods whose epoch isn't their first.
    var bumped: Set<ID<Pod>> { Set(desired.epochs.filter { $0.value != .first }.keys) }
}
