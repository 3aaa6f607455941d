import Foundation
import Lab
import Synchronization

/// Numbered records over a TCP connection, one every millisecond, until it is stopped.
final class RebindingStream: Sendable {
    private let pump: Pump
    private let done = DispatchGroup()

    init(from sender: TCP, to receiver: TCP) {
        let pump = Pump(sender, receiver)
        self.pump = pump
        done.enter()
        Thread { [done] in
            while !pump.isOver { pump.step() }
            done.leave()
        }.start()
    }

    /// Records sent and received, and whether each came whole and in its order.
    var progress: (sent: Int, received: Int, isIntact: Bool) { pump.progress }

    /// Sends no more when as many are sent, and waits until all that was sent has come, but no longer than that.
    func stop(after least: Int, waiting time: Duration) -> (sent: Int, received: Int, isIntact: Bool) {
        while progress.sent < least { usleep(1000) }
        pump.end(at: .now + time)
        done.wait()
        return progress
    }
}

/// What a stream's thread does.
private final class Pump: Sendable {
    private struct State {
        var sent = 0
        var received = 0
        var isIntact = true
        /// What has come of a record that isn't whole yet.
        var rest = ""
        /// When to give up on what was sent and hasn't come; nil while it still sends.
        var end: ContinuousClock.Instant?
    }

    private static let width = 8
    private let sender: TCP
    private let receiver: TCP
    private let state = Mutex(State())

    init(_ sender: TCP, _ receiver: TCP) {
        self.sender = sender
        self.receiver = receiver
    }

    var progress: (sent: Int, received: Int, isIntact: Bool) { state.withLock { ($0.sent, $0.received, $0.isIntact) } }

    var isOver: Bool { state.withLock { state in state.end.map { state.sent == state.received || $0 < .now } ?? false } }

    func end(at instant: ContinuousClock.Instant) { state.withLock { $0.end = instant } }

    func step() {
        if let number = state.withLock({ $0.end == nil ? $0.sent : nil }) {
            let text = "\(number)"
            let record = String(repeating: "0", count: Self.width - text.count) + text
            // While nothing gets through, a full buffer takes no more.
            if (try? sender.send(record)) != nil { state.withLock { $0.sent += 1 } }
        }
        let text = receiver.receive(.max, within: .milliseconds(2))
        guard !text.isEmpty else { return }
        state.withLock { state in
            state.rest += text
            while state.rest.utf8.count >= Self.width {
                if Int(state.rest.prefix(Self.width)) != state.received { state.isIntact = false }
                state.rest.removeFirst(Self.width)
                state.received += 1
            }
        }
    }
}
