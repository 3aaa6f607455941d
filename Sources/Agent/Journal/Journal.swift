package import HawserAPI
import Synchronization

/// Remembers the latest events and hands them to whoever follows; a follower that doesn't keep up is let go, never waited for.
package final class Journal: Sendable {
    private struct State {
        var events: [EventView] = []
        var followers: [Int: AsyncStream<EventView>.Continuation] = [:]
        var next = 0
        var isClosed = false
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
        let behind = state.withLock { state in
            // A quarter at a time, so that it costs the same however many there are.
            if state.events.count >= capacity { state.events.removeFirst(max(1, capacity / 4)) }
            state.events.append(event)
            return state.followers.filter { _, continuation in
                // The last place is for the word that others are missing.
                if case .enqueued(let room) = continuation.yield(event) { room <= 1 } else { true }
            }
        }
        // Outside of the lock, for a stream that ends calls back.
        for (id, continuation) in behind {
            forget(id)
            let reason = "\(backlog) events behind: those that follow are missing here; ask again"
            continuation.yield(EventView(kind: "daemon", id: "events", event: "interrupted", reason: reason))
            continuation.finish()
        }
    }

    /// The events remembered, oldest first.
    package var remembered: [EventView] { state.withLock { $0.events } }

    /// What is remembered and what follows, until the journal closes, the follower hangs up or its task is cancelled. One that fell behind is
    /// told so by a last event.
    package func follow() -> Follower {
        let (stream, continuation) = AsyncStream.makeStream(of: EventView.self, bufferingPolicy: .bufferingOldest(backlog))
        return state.withLock { state in
            state.next += 1
            let id = state.next
            if state.isClosed {
                continuation.finish()
            } else {
                state.followers[id] = continuation
                continuation.onTermination = { [weak self] _ in self?.forget(id) }
            }
            return Follower(remembered: state.events, stream: stream, hangUp: { continuation.finish() })
        }
    }

    /// Whether the daemon is about to end.
    package var isClosed: Bool { state.withLock { $0.isClosed } }

    /// How many follow.
    package var followers: Int { state.withLock { $0.followers.count } }

    private func forget(_ id: Int) {
        _ = state.withLock { $0.followers.removeValue(forKey: id) }
    }

    /// Ends all followers: the daemon is about to end.
    package func close() {
        let all = state.withLock { state in
            state.isClosed = true
            return state.followers
        }
        for continuation in all.values { continuation.finish() }
    }
}
