package import HawserAPI
import Synchronization

/// Counts what happens at the push port.
package final class PushMeter: Sendable {
    private struct State {
        var listen = ""
        var isPlaintext = false
        var connections = 0
        var refused = 0
        /// Refusals that were logged in the current minute.
        var logged = 0
        var minute = ContinuousClock.now
    }

    private let state = Mutex(State())

    package init() {}

    /// What `hawser status` says of it.
    package var view: StatusView.Push {
        state.withLock { state in
            StatusView.Push(listen: state.listen, plaintext: state.isPlaintext, connections: state.connections, refused: state.refused)
        }
    }

    func listens(at address: String, plaintext: Bool) {
        state.withLock { state in
            state.listen = address
            state.isPlaintext = plaintext
        }
    }

    /// Another connection, unless there are too many.
    func connect(atMost limit: Int) -> Bool {
        state.withLock { state in
            guard state.connections < limit else { return false }
            state.connections += 1
            return true
        }
    }

    func disconnect() { state.withLock { $0.connections -= 1 } }

    /// Somebody was refused. Answers whether that is worth a line: whoever tries again and again must not fill the log.
    func refuse() -> Bool {
        state.withLock { state in
            state.refused += 1
            if ContinuousClock.now - state.minute > .seconds(60) {
                state.minute = .now
                state.logged = 0
            }
            state.logged += 1
            return state.logged <= 20
        }
    }
}
