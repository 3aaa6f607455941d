package import HawserAPI
import Synchronization

/// Remembers the latest events and hands them to whoever follows; a follower that doesn't keep up is let go, never waited for.
package final class Journal: Sendable {
    private struct State {
        var events: [EventView] = []
        var followers: [Int: Follower] = [:]
        var next = 0
        var isClosed = false
    }

    private struct Follower {
        var continuation: AsyncStream<EventView>.Continuation
        var isBehind = false
    }

    private let state = Mutex(State())
    /// How many events are remembered, and how many a follower may be behind.
    private let capacity: Int
    private let backlog: Int

    package init(capacity: Int = 4096, backlog: Int = 1024) {
        self.capacity = capacity
        self.backlog = backlog
    }

    package func record(_ event: EventView) {
        state.withLock { state in
            // A quarter at a time, so that it costs the same however many there are.
            if state.events.count >= capacity { state.events.removeFirst(max(1, capacity / 4)) }
            state.events.append(event)
            for (id, follower) in state.followers where !follower.isBehind {
                guard case .dropped = follower.continuation.yield(event) else { continue }
                state.followers[id]?.isBehind = true
                follower.continuation.finish()
            }
        }
    }

    /// The events remembered, oldest first.
    package var remembered: [EventView] { state.withLock { $0.events } }

    /// Hands over what is remembered and what follows, until the journal closes or the task is cancelled. A follower that fell behind is
    /// told so by a last event.
    package func follow(_ handle: (EventView) async throws -> Void) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: EventView.self, bufferingPolicy: .bufferingOldest(backlog))
        let (id, remembered) = state.withLock { state in
            state.next += 1
            if state.isClosed { continuation.finish() } else { state.followers[state.next] = Follower(continuation: continuation) }
            return (state.next, state.events)
        }
        defer { _ = state.withLock { $0.followers.removeValue(forKey: id) } }
        for event in remembered { try await handle(event) }
        for await event in stream { try await handle(event) }
        guard state.withLock({ $0.followers[id]?.isBehind ?? false }) else { return }
        let reason = "more than \(backlog) events behind: some that followed are missing here; ask again"
        try await handle(EventView(kind: "daemon", id: "events", event: "interrupted", reason: reason))
    }

    /// Ends all followers: the daemon is about to end.
    package func close() {
        state.withLock { state in
            state.isClosed = true
            for follower in state.followers.values { follower.continuation.finish() }
        }
    }
}
