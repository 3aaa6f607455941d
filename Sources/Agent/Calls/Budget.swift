import Synchronization

/// So much of something at a time, in all and for each client; what doesn't fit waits for its turn.
///
/// Those who may do everything have a part of their own, so nobody else makes them wait. What is more than a whole part, or a client's share,
/// goes when nothing else of it is under way.
final class Budget: Sendable {
    /// On whose account.
    struct Client: Hashable, Sendable {
        var name: String
        /// Whether nobody else may make it wait: root, or a client that may push everything.
        var isPrivileged: Bool
    }

    struct Limits: Hashable, Sendable {
        /// Of all that are privileged, of all others, and of one of these.
        var privileged: Int
        var others: Int
        var each: Int

        /// As large as messages may be: two of them, another for all others together, and half of that for one of them.
        init(most: Int) { self.init(privileged: 2 * most, others: most, each: most / 2) }

        init(privileged: Int, others: Int, each: Int) { (self.privileged, self.others, self.each) = (privileged, others, each) }
    }

    /// What a client has, or waits for.
    struct Claim: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    private struct Entry {
        var client: Client
        var amount: Int
        /// To be called when it is granted; nil: it is.
        var granted: (@Sendable () -> Void)?
    }

    private struct State {
        var next: UInt64 = 0
        var entries: [Claim: Entry] = [:]
        /// What is granted.
        var used: [Client: Int] = [:]
        var privileged = 0
        var others = 0
        /// Who waits, in the order of each one's claims.
        var waiting: [Client: [Claim]] = [:]

        mutating func add(_ entry: Entry) -> Claim {
            next += 1
            let claim = Claim(number: next)
            entries[claim] = entry
            return claim
        }

        mutating func use(_ amount: Int, _ client: Client) {
            let left = used[client, default: 0] + amount
            used[client] = left == 0 ? nil : left
            if client.isPrivileged { privileged += amount } else { others += amount }
        }
    }

    private let limits: Limits
    private let state = Mutex(State())

    init(_ limits: Limits) { self.limits = limits }

    /// Asks for an amount. Answers whether it is had at once.
    ///
    /// - Parameter granted: called when it is had later.
    func claim(_ amount: Int, for client: Client, granted: @escaping @Sendable () -> Void) -> (claim: Claim, isGranted: Bool) {
        state.withLock { state in
            if let claim = takeAtOnce(amount, client, &state) { return (claim, true) }
            let claim = state.add(Entry(client: client, amount: amount, granted: granted))
            state.waiting[client, default: []].append(claim)
            // Nothing else fits that didn't before.
            _ = admit(&state)
            return (claim, state.entries[claim]?.granted == nil)
        }
    }

    /// Waits for an amount. Throws when the task is cancelled.
    func claim(_ amount: Int, for client: Client) async throws(CancellationError) -> Claim {
        if let claim = state.withLock({ takeAtOnce(amount, client, &$0) }) { return claim }
        let (grants, grant) = AsyncStream<Void>.makeStream()
        let (claim, isGranted) = claim(amount, for: client) {
            grant.yield()
            grant.finish()
        }
        if isGranted { return claim }
        for await _ in grants { return claim }
        // The stream ends without a word when the task is cancelled.
        release(claim)
        throw CancellationError()
    }

    /// Takes what fits while nobody waits, which is nearly always.
    private func takeAtOnce(_ amount: Int, _ client: Client, _ state: inout State) -> Claim? {
        guard state.waiting.isEmpty, obstacle(amount, client, state) == nil else { return nil }
        state.use(amount, client)
        return state.add(Entry(client: client, amount: amount, granted: nil))
    }

    private enum Obstacle { case part, share }

    /// Why an amount has to wait: its part, or its client's share, is used; nil: it fits.
    private func obstacle(_ amount: Int, _ client: Client, _ state: State) -> Obstacle? {
        let (used, limit) = client.isPrivileged ? (state.privileged, limits.privileged) : (state.others, limits.others)
        if !client.isPrivileged, let own = state.used[client], own + amount > limits.each { return .share }
        return used > 0 && used + amount > limit ? .part : nil
    }

    /// Gives back what was claimed, or doesn't wait for it any more. Once is enough, and twice does no harm.
    func release(_ claim: Claim) {
        let grants: [@Sendable () -> Void] = state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: claim) else { return [] }
            if entry.granted == nil {
                state.use(-entry.amount, entry.client)
            } else {
                state.waiting[entry.client]?.removeAll { $0 == claim }
                if state.waiting[entry.client]?.isEmpty ?? false { state.waiting[entry.client] = nil }
            }
            return admit(&state)
        }
        for grant in grants { grant() }
    }

    /// Everything that fits, the oldest first; nothing passes what waits for the same part to be free.
    private func admit(_ state: inout State) -> [@Sendable () -> Void] {
        guard !state.waiting.isEmpty else { return [] }
        var grants: [@Sendable () -> Void] = []
        var (isPrivilegedFull, isOthersFull) = (false, false)
        var isShareUsed: Set<Client> = []
        while true {
            let next = state.waiting.filter { client, _ in
                !(client.isPrivileged ? isPrivilegedFull : isOthersFull || isShareUsed.contains(client))
            }
            .min { ($0.value.first?.number ?? .max) < ($1.value.first?.number ?? .max) }
            guard let (client, claims) = next, let claim = claims.first, let entry = state.entries[claim] else { return grants }
            switch obstacle(entry.amount, client, state) {
            case .share: isShareUsed.insert(client)
            case .part:
                if client.isPrivileged { isPrivilegedFull = true } else { isOthersFull = true }
            case nil:
                state.waiting[client] = claims.count == 1 ? nil : Array(claims.dropFirst())
                state.use(entry.amount, client)
                state.entries[claim]?.granted = nil
                if let granted = entry.granted { grants.append(granted) }
            }
        }
    }

    /// What is granted, in all.
    var used: Int { state.withLock { $0.privileged + $0.others } }
}
