import Agent
import HawserAPI
import Testing

@Suite("The journal", .timeLimit(.minutes(60))) struct JournalTests {
    private func event(_ id: Int) -> EventView { EventView(kind: "pod", id: "\(id)", event: "applied") }

    @Test("remembers the latest events, within its bounds")
    func bounded() {
        let journal = Journal(capacity: 100)
        for id in 1...1000 { journal.record(event(id)) }
        #expect(journal.remembered.count <= 100 && journal.remembered.count >= 75)
        #expect(journal.remembered.last?.id == "1000")
        #expect(journal.remembered.map(\.id) == journal.remembered.map(\.id).sorted { Int($0) ?? 0 < Int($1) ?? 0 })
    }

    @Test("gives a follower what is remembered, what follows, and the end")
    func follows() async {
        let journal = Journal()
        journal.record(event(1))
        let follower = journal.follow()
        journal.record(event(2))
        journal.close()
        #expect(await follower.collected == ["1", "2"])
        #expect(await journal.follow().collected == ["1", "2"])
    }

    @Test("lets a slow follower go with a word, and serves the others")
    func slow() async {
        let journal = Journal(backlog: 10)
        let slow = journal.follow()
        for id in 1...50 { journal.record(event(id)) }
        #expect(journal.followers == 0)
        let collected = await slow.collected
        #expect(collected.count == 10 && collected.first == "1" && collected.last == "events")
    }

    @Test("forgets a follower that hangs up")
    func hangsUp() async {
        let journal = Journal()
        let follower = journal.follow()
        #expect(journal.followers == 1)
        follower.hangUp()
        #expect(journal.followers == 0)
        #expect(await follower.collected.isEmpty)
    }
}

extension Follower {
    fileprivate var collected: [String] {
        get async {
            var ids: [String] = []
            for await event in self { ids.append(event.id) }
            return ids
        }
    }
}
