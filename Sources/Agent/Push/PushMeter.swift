package import HawserAPI
import Synchronization

/// Counts what happens at the push port.
package final class PushMeter: Sendable {
    private struct State {
        var listen = ""
        var isPlaintext = false
        var connections = 0
        var refused = 0
        /// Refusals of the current minute: of clients that have a name, and of strangers.
        var known = 0
        var strange = 0
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

    /// A client was let in.
    func connect() { state.withLock { $0.connections += 1 } }

    func disconnect() { state.withLock { $0.connections -= 1 } }

    /// Somebody was refused. Answers whether that is worth a line: whoever tries again and again must not fill the log, and strangers must not
    /// keep others out of it.
    func refuse(isKnown: Bool = true) -> Bool {
        state.withLock { state in
            state.refused += 1
            if ContinuousClock.now - state.minute > .seconds(60) {
                state.minute = .now
                (state.known, state.strange) = (0, 0)
            }
            if isKnown { state.known += 1 } else { state.strange += 1 }
            return (isKnown ? state.known : state.strange) <= 20
        }
    }
}
