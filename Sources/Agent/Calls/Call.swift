import GRPCCore
import NIOCore
import Synchronization

/// One call of a client's, from its first header until its stream is closed, and what is held on its account.
final class Call: Sendable {
    /// A message that has come as a whole, whose bytes are somewhere until nobody holds this any more.
    final class Message: Sendable {
        private let bounds: CallBounds
        private let client: Budget.Client
        private let room: Room?
        private let counted: Int

        /// - Parameters:
        ///   - room: what it was granted, if it was.
        ///   - counted: what was counted without.
        init(_ bounds: CallBounds, _ client: Budget.Client, room: Room?, counted: Int) {
            (self.bounds, self.client, self.room, self.counted) = (bounds, client, room, counted)
        }

        deinit { bounds.overhead.remove(counted, of: client) }
    }

    private struct State {
        /// Those that nobody has taken, in order.
        var messages: [Message] = []
        /// What is to stay until it ends.
        var kept: [any AnyObject & Sendable] = []
        /// What it costs besides.
        var cost = 0
        var deadline: Scheduled<Void>?
        var hasEnded = false
    }

    let number: UInt64
    let client: Budget.Client
    private let bounds: CallBounds
    private let loop: any EventLoop
    private let hangUp: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameter hangUp: ends the connection, and says why.
    init(
        _ number: UInt64, of client: Budget.Client, _ bounds: CallBounds, on loop: any EventLoop,
        hangUp: @escaping @Sendable (String) -> Void
    ) {
        (self.number, self.client, self.bounds, self.loop, self.hangUp) = (number, client, bounds, loop, hangUp)
    }

    // MARK: Its connection

    func received(_ message: Message) {
        state.withLock { state in
            if !state.hasEnded { state.messages.append(message) }
        }
    }

    /// Its stream is closed.
    func end() {
        let last = state.withLock { state in
            let last = state
            state = State(hasEnded: true)
            return last
        }
        last.deadline?.cancel()
        bounds.overhead.remove(last.cost, of: client)
    }

    // MARK: Those who serve it

    /// The oldest message that nobody has taken, which is the next one that the library hands out. Throws when the call is over, for then nobody
    /// counts what is done for it.
    func take() throws(RPCError) -> Message? {
        let (message, hasEnded) = state.withLock { ($0.messages.isEmpty ? nil : $0.messages.removeFirst(), $0.hasEnded) }
        guard !hasEnded else { throw RPCError(code: .cancelled, message: "the call is over") }
        return message
    }

    /// Keeps something until it ends.
    func keep(_ object: some AnyObject & Sendable) {
        state.withLock { state in
            if !state.hasEnded { state.kept.append(object) }
        }
    }

    /// Counts what it costs besides its messages. Answers whether that isn't too much.
    func costs(_ amount: Int) -> Bool {
        let isCounted = state.withLock { state in
            if !state.hasEnded { state.cost += amount }
            return !state.hasEnded
        }
        return isCounted && bounds.overhead.add(amount, of: client)
    }

    /// Writes something, which waits for the client to read; one that doesn't for too long is hung up on.
    fileprivate func writes(_ body: () async throws -> Void) async rethrows {
        let deadline = expectReading()
        defer { deadline.cancel() }
        try await body()
    }

    /// Its last answer is on its way.
    func answered() {
        let deadline = expectReading()
        let hasEnded = state.withLock { state in
            if !state.hasEnded { state.deadline = deadline }
            return state.hasEnded
        }
        if hasEnded { deadline.cancel() }
    }

    private func expectReading() -> Scheduled<Void> {
        loop.scheduleTask(in: bounds.patience) { [hangUp] in hangUp("it doesn't read its answers") }
    }
}

extension Call? {
    /// Writes something for a call, and for as long as it takes where nobody knows which it is.
    func writes(_ body: () async throws -> Void) async rethrows {
        if let self { try await self.writes(body) } else { try await body() }
    }
}
