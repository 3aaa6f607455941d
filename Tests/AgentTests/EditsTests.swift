import HostNetwork
import Testing

@testable import Agent

@Suite("A change") struct EditsTests {
    private func network(_ id: ID<Network>, _ cidr: String) throws -> Intent {
        .network(Network(id: id, subnets: [Subnet(id: "s", cidr: try Prefix(parsing: cidr))]))
    }

    private func pod(_ id: ID<Pod>, in network: ID<Network>) -> Intent {
        .pod(Pod(id: id, network: network, addresses: [.v4(0x0A01_000A)]))
    }

    private func outcomes(_ change: Change, _ intents: inout Intents) -> [IntentID: Edits.Outcome] {
        var edits = Edits(intents)
        let outcomes = edits.take(change, from: "control", into: &intents)
        return Dictionary(outcomes.compactMap { id, outcome in id.map { ($0, outcome) } }) { $1 }
    }

    @Test("may give the prefix of a shared network that it deletes, or of one that it changes, to one that it makes")
    func prefixes() throws {
        var intents = Intents()
        _ = outcomes(Change(upserts: [try network("old", "10.1.0.0/24"), pod("a", in: "old")]), &intents)
        let renamed = outcomes(Change(upserts: [try network("new", "10.1.0.0/24"), pod("b", in: "new")], prune: true), &intents)
        #expect(renamed.values.allSatisfy { $0 == .accepted || $0 == .removed } && renamed.count == 4, "\(renamed)")
        #expect(Set(intents.all.map(\.id.id)) == ["new", "b"])
        let moved = [try network("first", "10.1.0.0/24"), try network("new", "10.2.0.0/24")]
        _ = try intents.remove(IntentID(.pod, "b"))
        #expect(outcomes(Change(upserts: moved), &intents).values.allSatisfy { $0 == .accepted })
    }

    @Test("doesn't delete a network that still has pods, whether they were there or come with it")
    func inhabited() throws {
        var intents = Intents()
        _ = outcomes(Change(upserts: [try network("old", "10.1.0.0/24"), pod("a", in: "old")]), &intents)
        let id = IntentID(.network, "old")
        func isRefused(_ change: Change) -> Bool { if case .rejected? = outcomes(change, &intents)[id] { true } else { false } }
        #expect(isRefused(Change(deletions: [id])))
        #expect(isRefused(Change(upserts: [pod("a", in: "old")], deletions: [id])))
        _ = try intents.remove(IntentID(.pod, "a"))
        #expect(isRefused(Change(upserts: [pod("b", in: "old")], deletions: [id])))
        #expect(outcomes(Change(deletions: [IntentID(.pod, "b"), id]), &intents)[id] == .removed)
    }
}
