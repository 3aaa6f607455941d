import Synchronization

/// How a routing domain is doing, for those who can't wait for its thread.
final class DomainHealth: Sendable {
    private struct State {
        /// How often something was noticed that somebody else may have changed, and how many of these are settled.
        var noticed = 0
        var settled = 0
        var reason = ""
    }

    private let state = Mutex(State())

    /// Something may be other than it is wanted: what.
    func notice(_ reason: String) {
        state.withLock { state in
            state.noticed += 1
            state.reason = reason
        }
    }

    /// How much was noticed so far.
    var noticed: Int { state.withLock { $0.noticed } }

    /// What was noticed up to here is as it is wanted, or is told as refused.
    func settle(_ count: Int) { state.withLock { $0.settled = max($0.settled, count) } }

    /// Why the domain may not be as it is wanted at this moment; nil when nothing is known.
    var trouble: String? { state.withLock { $0.noticed > $0.settled ? $0.reason : nil } }
}
