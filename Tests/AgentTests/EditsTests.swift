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

    /// Fails on b183833: nothing goes, whosever it is.
    @Test("takes away by a whole what it leaves out, whatever revisions a client gives that is held to another network")
    func tenants() throws {
        func group(_ id: ID<SecurityGroup>, _ network: ID<Network>?, _ revision: UInt64) -> Intent {
            .securityGroup(SecurityGroup(id: id, network: network, revision: revision))
        }
        let there = [
            group("blue/web", "blue", 10), group("blue/old", "blue", 10), group("red/web", "red", 10), group("red/open", "red", 10),
        ]
        let next = Change(upserts: [group("blue/web", "blue", 11), group("red/web", "red", 11)], prune: true)
        func gone(_ forged: Change, _ tenants: Set<ID<Network>>) -> Set<String> {
            var intents = Intents(restoring: there)
            for change in [forged, next] {
                var edits = Edits(intents, tenants: tenants)
                _ = edits.take(change, from: "push:a", into: &intents)
            }
            return Set(there.map(\.id.id)).subtracting(intents.all.map(\.id.id))
        }
        let forged = Change(upserts: [group("blue/web", "blue", .max)], scope: Scope(["blue"]))
        #expect(gone(Change(), ["blue"]) == ["blue/old", "red/open"])
        #expect(gone(forged, ["blue"]) == ["red/open"], "of its own network nothing goes")
        // Without such clients whoever revised it may push everything, and the whole is older.
        #expect(gone(Change(upserts: forged.upserts), []) == [])
        #expect(gone(Change(upserts: [group("red/web", "red", 12)]), ["blue"]) == [])
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

    @Test("may replace everything by as much else where there is room for the half alone, and no more")
    func replaced() throws {
        var intents = Intents()
        func take(_ change: Change) -> [Edits.Outcome] {
            var edits = Edits(intents, mostValues: 18)
            return edits.take(change, from: "control", into: &intents).map(\.1)
        }
        let first = (0..<5).map { Intent.pod(Pod(id: ID("first-\($0)"), network: "blue", addresses: [.v4(0x0A01_000A + $0)])) }
        let second = (0..<5).map { neighbor(ID("second-\($0)")) }
        #expect(take(Change(upserts: first, prune: true)).allSatisfy { $0 == .accepted })
        #expect(intents.values == 15, "with the default group of each")
        #expect(take(Change(upserts: second)).filter { $0 == .accepted }.count == 1)
        #expect(take(Change(upserts: second, prune: true)).filter { $0 == .removed }.count == 5)
        #expect(Set(intents.all.map(\.id.kind)) == [.neighbor] && intents.values == 10)
    }

    private func neighbor(_ id: ID<Neighbor>) -> Intent { .neighbor(Neighbor(id: id, network: "blue", addresses: [.v4(0x0A01_000B)])) }

    @Test("remembers a namespace for so many pods that aren't known, and lets each of them go")
    func attachments() throws {
        var intents = Intents()
        var attachments: [ID<Pod>: String] = [:]
        func attach(_ pod: ID<Pod>, _ path: String?) -> Edits.Outcome? {
            var edits = Edits(intents, attachments, mostValues: 128)
            let outcome = edits.take(Change(attachments: [pod: path]), from: "control", into: &intents).first?.1
            attachments = edits.attachments
            return outcome
        }
        #expect(attach("a", "/run/netns/a") == .awaited && attach("b", "/run/netns/b") == .awaited)
        guard case .rejected(let rejected)? = attach("c", "/run/netns/c") else {
            Issue.record("it is remembered")
            return
        }
        #expect(rejected.field == "namespace" && rejected.reason.contains("2 attachments are remembered already"))
        #expect(attach("b", "/run/netns/other") == .awaited, "no more than before")
        #expect(attach("a", nil) == .absent && attach("c", "/run/netns/c") == .awaited)
    }
}
