import HostNetwork
import PolicyModel
import Testing

@Suite("Revisions") struct IntentsRevisionTests {
    private func group(_ revision: UInt64, _ rules: [Rule] = []) -> Intent {
        .securityGroup(SecurityGroup(id: "g", rules: rules, revision: revision))
    }

    @Test("decide between what is in force and what comes")
    func revisions() throws {
        var intents = Intents()
        let rule = [Rule(id: "r")]
        #expect(try intents.upsert(group(5)) == .accepted(previous: nil))
        #expect(try intents.upsert(group(5)) == .unchanged(revised: false))
        #expect(try intents.upsert(group(4)) == .stale(inForce: 5))
        #expect(try intents.upsert(group(4, rule)) == .stale(inForce: 5))
        #expect(try intents.upsert(group(0)) == .unchanged(revised: false))
        #expect(try intents.upsert(group(6)) == .unchanged(revised: true))
        #expect(try intents.upsert(group(5, rule)) == .stale(inForce: 6))
        #expect(try intents.upsert(group(6, rule)) == .accepted(previous: group(6)))
        #expect(try intents.upsert(group(0)) == .accepted(previous: group(6, rule)))
        #expect(try intents.upsert(group(1, rule)) == .accepted(previous: group(0)))
    }
}

@Suite("Many intents at once") struct IntentsBatchTests {
    @Test("are taken whatever their order, where one has to give way to another")
    func order() throws {
        let network = Intent.network(Network(id: "blue", subnets: [Subnet(id: "s", cidr: try Prefix(parsing: "10.1.0.0/24"))]))
        func pod(_ id: ID<Pod>, _ address: UInt32) -> Intent { .pod(Pod(id: id, network: "blue", addresses: [.v4(0x0a01_0000 + address)])) }
        var intents = Intents()
        let first = intents.upsert(contentsOf: [pod("a", 10), pod("b", 11), pod("outside", 1000), network])
        #expect(first.map { (try? $0.get()) != nil } == [true, true, false, true])
        let shifted = intents.upsert(contentsOf: [pod("c", 10), pod("a", 11), pod("b", 12)])
        #expect(shifted.allSatisfy { (try? $0.get()) != nil })
        #expect(intents.pod(at: .v4(0x0a01_000a), in: "blue")?.id == "c")
    }

    @Test("of one name count by the later one, even when the earlier one could be taken after it")
    func twice() {
        func pod(_ id: ID<Pod>, _ address: UInt32) -> Intent { .pod(Pod(id: id, network: "blue", addresses: [.v4(address)])) }
        var intents = Intents(restoring: [pod("b", 10)])
        let answers = intents.upsert(contentsOf: [pod("a", 10), pod("a", 20), pod("b", 30)])
        #expect(answers.map { (try? $0.get()) != nil } == [false, true, true])
        #expect(intents == Intents(restoring: [pod("a", 20), pod("b", 30)]))
    }
}

@Suite("A snapshot") struct IntentsSnapshotTests {
    @Test("leaves out the rest in an order in which all of it can be removed", arguments: 0..<30)
    func prune(seed: Int) throws {
        var random = Seeded(seed)
        var intents = Intents()
        _ = intents.upsert(contentsOf: (0..<80).map { _ in random.intent() })
        for id in intents.missing(from: []) {
            guard case .removed = try intents.remove(id) else {
                Issue.record("\(id) wasn't removed")
                continue
            }
        }
        #expect(intents == Intents())
    }

    @Test("doesn't name what it keeps, nor what is leaving already")
    func kept() throws {
        var host = try SmallHost()
        try host.accept(.pod(SmallHost.pod("web-0", addresses: "10.1.0.10", groups: ["web"])))
        _ = try host.intents.remove(IntentID(.securityGroup, "web"))
        let kept = Set(host.intents.all.map(\.id)).subtracting([IntentID(.securityGroup, "any"), IntentID(.securityGroup, "web")])
        #expect(host.intents.missing(from: kept) == [IntentID(.securityGroup, "any")])
    }
}
