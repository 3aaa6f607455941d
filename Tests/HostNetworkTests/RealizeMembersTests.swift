import HostNetwork
import Testing

@Suite("Members of a group") struct RealizeMembersTests {
    private static let peer = IPAddress.v4(0x0a02_0009)

    /// A pod of green whose rules name the group `any`, of which a neighbor in green is a member.
    private func desired() -> Desired {
        var intents = Intents()
        _ = intents.upsert(contentsOf: [
            .network(Network(id: "green", subnets: [Subnet(id: "s", cidr: Prefix(Self.peer, length: 24) ?? .everything(.v4))])),
            .securityGroup(SecurityGroup(id: "any")),
            .securityGroup(SecurityGroup(id: "web", rules: [Rule(id: "r", remote: .group("any"))])),
            .pod(Pod(id: "p", network: "green", namespace: "/p", addresses: [.v4(0x0a02_000a)], securityGroups: ["web"])),
            .neighbor(Neighbor(id: "n", network: "green", addresses: [Self.peer], securityGroups: ["any"])),
        ])
        return Desired(intents: intents, layout: Layout(), attachable: ["p"], epochs: [:])
    }

    private func change(_ desired: inout Desired, _ body: (inout Intents) throws -> Void) rethrows {
        var intents = desired.intents
        try body(&intents)
        _ = desired.realize(intents, changed: changes(from: desired.intents, to: intents))
        let anew = Desired(intents: intents, layout: desired.layout, attachable: desired.attachable, epochs: desired.epochs)
        #expect(desired.state == anew.state, "\(difference(desired.state, anew.state))")
    }

    private func isMember(_ address: IPAddress, in state: HostState) -> Bool {
        state.entries.values.contains {
            $0.object.element?.key == address.bytes && $0.object.element?.set.name.hasPrefix("members-") ?? false
        }
    }

    @Test("are none any more in networks that the group left")
    func leftNetwork() throws {
        var desired = desired()
        #expect(isMember(Self.peer, in: desired.state))
        try change(&desired) { _ = try $0.upsert(.securityGroup(SecurityGroup(id: "any", network: "blue"))) }
        #expect(!isMember(Self.peer, in: desired.state))
        try change(&desired) { _ = try $0.upsert(.securityGroup(SecurityGroup(id: "any"))) }
        #expect(isMember(Self.peer, in: desired.state))
    }

    @Test("may be there before their network, and go after it came")
    func beforeNetwork() throws {
        var desired = Desired(layout: Layout())
        _ = desired.attach(["q"], detach: [])
        try change(&desired) {
            _ = try $0.upsert(.neighbor(Neighbor(id: "m", network: "late", addresses: [Self.peer], securityGroups: ["any"])))
        }
        try change(&desired) { _ = try $0.upsert(.securityGroup(SecurityGroup(id: "any"))) }
        try change(&desired) { _ = try $0.upsert(.securityGroup(SecurityGroup(id: "web", rules: [Rule(id: "r", remote: .group("any"))]))) }
        try change(&desired) {
            _ = try $0.upsert(.pod(Pod(id: "q", network: "late", namespace: "/q", addresses: [.v4(0x0a02_000a)], securityGroups: ["web"])))
        }
        try change(&desired) {
            _ = try $0.upsert(
                .network(Network(id: "late", subnets: [Subnet(id: "s", cidr: Prefix(Self.peer, length: 24) ?? .everything(.v4))])))
        }
        #expect(isMember(Self.peer, in: desired.state))
        try change(&desired) { _ = try $0.remove(IntentID(.neighbor, "m")) }
        #expect(!isMember(Self.peer, in: desired.state))
    }

    @Test("of an address group that comes after the rules that name it are let in when it comes")
    func lateAddressGroup() throws {
        var desired = desired()
        let bare = desired.state
        try change(&desired) {
            _ = try $0.upsert(.securityGroup(SecurityGroup(id: "web", rules: [Rule(id: "r", remote: .addressGroup("office"))])))
        }
        #expect(!desired.state.entries.values.contains { $0.object.element?.set.name.hasPrefix("addresses-") ?? false })
        try change(&desired) { _ = try $0.upsert(.addressGroup(AddressGroup(id: "office", cidrs: [Prefix(.v4(9))]))) }
        let packet = Packet(
            .forward, from: .init(of: "p"), etherSource: desired.intents.pods["p"]?.mac,
            .ip(source: .v4(0x0a02_000a), destination: .v4(9), .other(47)))
        #expect(Evaluator.judge(packet, in: desired.state).isAccepted)
        #expect(!Evaluator.judge(packet, in: bare).isAccepted)
    }

    @Test("that two isolated networks give one address leave one route, the same whoever came first")
    func overlapping() throws {
        let pods = ["a", "b"].map { name in
            Pod(id: ID("p-\(name)"), network: ID(name), namespace: "/\(name)", addresses: [Self.peer], securityGroups: ["web"])
        }
        let subnet = Subnet(id: "s", cidr: Prefix(Self.peer, length: 24) ?? .everything(.v4))
        for order in [pods, pods.reversed()] {
            var desired = Desired(layout: Layout())
            _ = desired.attach(["p-a", "p-b"], detach: [])
            try change(&desired) { intents in
                for name in ["a", "b"] { _ = try intents.upsert(.network(Network(id: ID(name), isolated: true, subnets: [subnet]))) }
            }
            for pod in order { try change(&desired) { _ = try $0.upsert(.pod(pod)) } }
            for pod in order.reversed() { try change(&desired) { _ = try $0.remove(pod.id.intent) } }
        }
    }
}
