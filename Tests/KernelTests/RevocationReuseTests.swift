import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("An address that is given to another pod", .ownThreads) struct RevocationReuseTests {
    /// How it passes from one to the other.
    enum Passing: CaseIterable { case inOneChange, oneAfterTheOther }

    @Test("comes with no tracked flow of the one before", arguments: Family.allCases, Passing.allCases)
    func inheritsNothing(family: Family, passing: Passing) async throws {
        try await inheritsNothing(family, passing, portSecurity: true)
    }

    @Test("comes with no tracked flow of one that had no port security, either", arguments: Family.allCases, Passing.allCases)
    func inheritsNothingUnfiltered(family: Family, passing: Passing) async throws {
        try await inheritsNothing(family, passing, portSecurity: false)
    }

    private func inheritsNothing(_ family: Family, _ passing: Passing, portSecurity: Bool) async throws {
        let host = try LabHost()
        try await host.apply { intents in
            try intents.put("open", Rule(id: "out", direction: .egress), Rule(id: "in", direction: .ingress))
            try intents.put("leaving only", Rule(id: "out", direction: .egress))
        }
        let (old, client) = (try await host.pods("old", groups: ["open"])[0], try await host.pods("client", groups: ["open"])[0])
        if !portSecurity { try await host.apply { try $0.put(old.intent(["open"]) { $0.portSecurity = false }) } }
        // Flows that each of the two has opened; of the client's own, whoever has the address may be talked to.
        let flows = try [
            RevocationFlows(from: old.peer, to: client.peer, family, port: 7000, echoes: true),
            RevocationFlows(from: client.peer, to: old.peer, family, port: 7000, echoes: true),
        ]
        let address = IPAddress(old.address(family))
        var tracked = try FlowTable(in: NetworkNamespace(at: host.host.path))
        #expect(try tracked.flows(of: address).count >= 12)

        var new = try host.pod("new", old.number)
        new.id = "new"
        switch passing {
        case .inOneChange:
            try host.change {
                try $0.delete(old.id)
                try $0.put(new.intent(["leaving only"]))
            }
        case .oneAfterTheOther:
            try host.change { try $0.delete(old.id) }
            #expect(try tracked.flows(of: address).isEmpty)
            try host.change { try $0.put(new.intent(["leaving only"])) }
        }
        #expect(try tracked.flows(of: address).isEmpty)

        let link = try RawLink(in: new.namespace, interface: "eth0")
        let (witness, client6) = try (
            UDP(in: new.namespace, at: new.address(family)), UDP(in: client.namespace, at: client.address(family))
        )
        for flow in flows { try flow.talk(from: client.peer) }
        // What was sent before this that arrives has arrived, too.
        #expect(try witness.reaches(client6, at: client.address(family), within: .seconds(5)))
        #expect(try client6.reaches(witness, at: new.address(family), within: .seconds(5)))
        let arrived = link.receive(within: .milliseconds(5)) { $0.contains("from the client") || $0.contains("from the server") }
        #expect(arrived == nil)
        #expect(try Set(tracked.flows(of: address).map(\.sourcePort)).isSubset(of: [witness.port]))
    }
}
