import HostNetwork
import OwnThreads
import PolicyModel
import Testing

@Suite("Two states of a host", .ownThreads) struct HostStateTests {
    /// Of a host and of one near it.
    private func pair(_ seed: Int) -> (HostState, HostState) {
        var random = Seeded(seed)
        let state = random.hostState()
        return (state, random.damaged(state))
    }

    @Test("differ in what one of them lacks and in what isn't the same in both", arguments: 0..<30)
    func differences(seed: Int) {
        let (one, other) = pair(seed)
        let all = Set(one.entries.keys).union(other.entries.keys)
        #expect(one.keys(differingFrom: other) == all.filter { one[$0] != other[$0] })
        #expect(one.keys(differingFrom: other) == other.keys(differingFrom: one))
        #expect(one.keys(differingFrom: one).isEmpty)
    }

    @Test("say what they said when one shares the other's entries, which tell whose they are", arguments: 0..<30)
    func sharing(seed: Int) {
        let (one, other) = pair(seed)
        let nobodys = HostState(one.entries.values.map { Entry($0.object, because: Layout.because) })
        var shared = nobodys
        shared.share(with: other)
        #expect(shared == one)
        for (key, entry) in shared.entries {
            let owner = other[key] == one[key] ? other.entries[key]?.because : Layout.because
            #expect(entry.because == owner)
        }
    }
}
