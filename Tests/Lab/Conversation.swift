import CLinux
import Dispatch
import Foundation
import Glibc
import Synchronization
import SystemPackage

/// A TCP connection whose ends both send numbered messages all the time, by threads of their own, until it is stopped.
package final class Conversation: Sendable {
    /// What came of one direction.
    package struct Half: Sendable {
        /// Messages handed to the kernel.
        package fileprivate(set) var sent = 0
        /// When each message came out at the other end, in order; TCP loses none of them while it lasts.
        package fileprivate(set) var arrivals: [ContinuousClock.Instant] = []

        package var missing: Int { sent - arrivals.count }

        package func arrived(after instant: ContinuousClock.Instant) -> Int { arrivals.count { $0 > instant } }

        /// The longest time between two arrivals.
        package var longestPause: Duration {
            zip(arrivals, arrivals.dropFirst()).map { $0.duration(to: $1) }.max() ?? .zero
        }
    }

    /// The client's messages, and the server's.
    private let halves = (Side(), Side())
    private let running = DispatchGroup()
    private let isSending = Atomic(true)
    private let isReceiving = Atomic(true)

    /// - Parameter interval: the time between two messages of one end.
    package init(between client: TCP, and server: TCP, every interval: Duration) {
        for end in [client, server] { _ = hawser_set_option(end.socket.descriptor.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }
        start { $0.send(from: client, into: $0.halves.0, every: interval) }
        start { $0.send(from: server, into: $0.halves.1, every: interval) }
        start { $0.receive(at: server, into: $0.halves.0) }
        start { $0.receive(at: client, into: $0.halves.1) }
    }

    /// Waits until so many more have arrived in each direction; false when they haven't in that time.
    package func wait(for count: Int, within time: Duration) -> Bool {
        let goals = (halves.0.count + count, halves.1.count + count)
        let deadline = ContinuousClock.now + time
        while halves.0.count < goals.0 || halves.1.count < goals.1 {
            if ContinuousClock.now > deadline { return false }
            Self.pause(until: .now + .milliseconds(1))
        }
        return true
    }

    /// Stops sending, waits that long for what is still on its way, and reports: the client's messages, and the server's.
    package func stop(waiting time: Duration = .milliseconds(300)) -> (client: Half, server: Half) {
        isSending.store(false, ordering: .relaxed)
        let deadline = ContinuousClock.now + time
        while (halves.0.isMissing || halves.1.isMissing) && ContinuousClock.now < deadline { Self.pause(until: .now + .milliseconds(5)) }
        isReceiving.store(false, ordering: .relaxed)
        running.wait()
        return (halves.0.half, halves.1.half)
    }

    private func start(_ body: @escaping @Sendable (Conversation) -> Void) {
        running.enter()
        // A conversation that nobody stops goes on: whoever begins one ends it.
        Thread { [self] in
            body(self)
            running.leave()
        }.start()
    }

    private func send(from end: TCP, into side: Side, every interval: Duration) {
        var next = ContinuousClock.now
        while isSending.load(ordering: .relaxed) {
            // A message that the kernel has no room for isn't sent: nothing has got through for long.
            if end.offer(Self.message) { side.noteSent() }
            next += interval
            Self.pause(until: next)
        }
    }

    private func receive(at end: TCP, into side: Side) {
        var rest = 0
        while isReceiving.load(ordering: .relaxed) {
            guard let (bytes, _) = end.socket.receiveDatagram(within: .milliseconds(20)), !bytes.isEmpty else { continue }
            rest += bytes.count
            side.noteArrived(rest / Self.message.count)
            rest %= Self.message.count
        }
    }

    private static let message = Array("message\n".utf8)

    private static func pause(until instant: ContinuousClock.Instant) {
        let left = ContinuousClock.now.duration(to: instant).components
        guard left.seconds >= 0, left.attoseconds > 0 else { return }
        var time = timespec(tv_sec: Int(left.seconds), tv_nsec: Int(left.attoseconds / 1_000_000_000))
        unsafe _ = nanosleep(&time, nil)
    }

    private final class Side: Sendable {
        private let state = Mutex(Half())

        var half: Half { state.withLock { $0 } }
        var count: Int { state.withLock { $0.arrivals.count } }
        var isMissing: Bool { state.withLock { $0.missing > 0 } }

        func noteSent() { state.withLock { $0.sent += 1 } }

        func noteArrived(_ count: Int) {
            let now = ContinuousClock.now
            state.withLock { $0.arrivals += Array(repeating: now, count: count) }
        }
    }
}

extension TCP {
    /// Hands a message to the kernel, whole or not at all; doesn't wait.
    fileprivate func offer(_ bytes: [UInt8]) -> Bool {
        unsafe bytes.withUnsafeBytes { raw in
            unsafe Glibc.send(socket.descriptor.rawValue, raw.baseAddress, raw.count, Int32(MSG_NOSIGNAL)) == raw.count
        }
    }
}
