import Synchronization

/// What clients have without having been asked: so much of each, and of all that aren't privileged together.
final class Tally: Sendable {
    private struct State {
        var used: [Budget.Client: Int] = [:]
        var others = 0
    }

    private let limits: Budget.Limits
    private let state = Mutex(State())

    /// - Parameter limits: here `privileged` is of each.
    init(_ limits: Budget.Limits) { self.limits = limits }

    /// Counts it in any case. Answers whether it isn't too much.
    func add(_ amount: Int, of client: Budget.Client) -> Bool {
        state.withLock { state in
            let used = state.used[client, default: 0] + amount
            state.used[client] = used == 0 ? nil : used
            guard !client.isPrivileged else { return used <= limits.privileged }
            state.others += amount
            return used <= limits.each && state.others <= limits.others
        }
    }

    func remove(_ amount: Int, of client: Budget.Client) { _ = add(-amount, of: client) }
}
