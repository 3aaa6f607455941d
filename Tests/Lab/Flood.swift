import CLinux
import Dispatch
import Foundation
import Glibc
import Synchronization
import SystemPackage

/// Numbered datagrams from one UDP socket to another, sent and received by threads of their own until it is stopped.
package final class Flood: Sendable {
    /// What came of it.
    package struct Report: Sendable {
        package var sent = 0
        /// Different ones.
        package var received = 0
        package var duplicated = 0
        /// The numbers of those that never came, counted from 0.
        package var lost: Numbers = []
        /// The longest time between two that were sent: what a busy machine keeps the sender waiting for.
        package var longestPause = Duration.zero
        /// The longest time in which none came, between the first and the last.
        package var gap: Range<ContinuousClock.Instant>?
        /// When the last one came.
        package var last: ContinuousClock.Instant?

        package var longestGap: Duration { gap.map { $0.lowerBound.duration(to: $0.upperBound) } ?? .zero }
    }

    private let state = FloodState()
    private let (sending, receiving) = (DispatchGroup(), DispatchGroup())

    /// - Parameters:
    ///   - address: where `receiver` is, as seen by `sender`.
    ///   - interval: the time between two datagrams.
    package init(from sender: UDP, to receiver: UDP, at address: String, every interval: Duration = .microseconds(500)) throws {
        let destination = try SocketAddress(address, receiver.port).bytes
        receiver.socket.makeRoom()
        start(receiving) { $0.receive(from: receiver.socket) }
        start(sending) { $0.send(through: sender.socket, to: SocketAddress(reported: destination), every: interval) }
    }

    deinit {
        state.isSending.store(false, ordering: .relaxed)
        state.isReceiving.store(false, ordering: .relaxed)
    }

    /// Datagrams sent so far, and those that arrived.
    package var progress: (sent: Int, received: Int) {
        (state.sent.load(ordering: .relaxed), state.arrivals.withLock { $0.counts.count })
    }

    /// Waits until `count` more have been sent; for things to happen while traffic flows.
    package func wait(for count: Int) {
        let goal = state.sent.load(ordering: .relaxed) + count
        while state.sent.load(ordering: .relaxed) < goal { FloodState.pause(until: .now + .milliseconds(1)) }
    }

    /// Stops sending, waits until nothing has come for that time, and reports.
    ///
    /// - Parameter least: as many are sent at least, however fast all was that went on meanwhile.
    package func stop(after least: Int = 0, waiting time: Duration = .milliseconds(100)) -> Report {
        wait(for: least - state.sent.load(ordering: .relaxed))
        state.isSending.store(false, ordering: .relaxed)
        sending.wait()
        var seen: Int
        repeat {
            seen = state.arrivals.withLock { $0.counts.count }
            FloodState.pause(until: .now + time)
        } while state.arrivals.withLock({ $0.counts.count }) != seen
        state.isReceiving.store(false, ordering: .relaxed)
        receiving.wait()
        return state.arrivals.withLock { arrivals in
            var report = arrivals.report
            report.sent = state.sent.load(ordering: .relaxed)
            report.longestPause = state.longestPause.withLock(\.self)
            report.received = arrivals.counts.count
            report.duplicated = arrivals.counts.values.reduce(0) { $0 + $1 - 1 }
            report.lost = Numbers((0..<report.sent).filter { arrivals.counts[$0] == nil })
            return report
        }
    }

    private func start(_ group: DispatchGroup, _ body: @escaping @Sendable (FloodState) -> Void) {
        group.enter()
        let state = state
        Thread {
            body(state)
            group.leave()
        }.start()
    }
}

/// What the threads of a flood share.
private final class FloodState: Sendable {
    struct Arrivals {
        var report = Flood.Report()
        var counts: [Int: Int] = [:]

        mutating func take(_ number: Int) {
            let now = ContinuousClock.now
            counts[number, default: 0] += 1
            if let last = report.last, last.duration(to: now) > report.longestGap { report.gap = last..<now }
            report.last = now
        }
    }

    let isSending = Atomic(true)
    let isReceiving = Atomic(true)
    let sent = Atomic(0)
    let arrivals = Mutex(Arrivals())
    let longestPause = Mutex(Duration.zero)

    func send(through socket: ProbeSocket, to address: SocketAddress, every interval: Duration) {
        var next = ContinuousClock.now
        var (last, longest) = (next, Duration.zero)
        defer { longestPause.withLock { $0 = longest } }
        while isSending.load(ordering: .relaxed) {
            let now = ContinuousClock.now
            longest = max(longest, last.duration(to: now))
            last = now
            let number = sent.load(ordering: .relaxed)
            // What can't be sent counts as sent: it is lost.
            try? socket.send(Array("flood \(number)".utf8), to: address)
            sent.store(number + 1, ordering: .relaxed)
            next += interval
            Self.pause(until: next)
        }
    }

    func receive(from socket: ProbeSocket) {
        while isReceiving.load(ordering: .relaxed) {
            guard let (bytes, _) = socket.receiveDatagram(within: .milliseconds(20)) else { continue }
            let digits = bytes.drop { $0 < UInt8(ascii: "0") || $0 > UInt8(ascii: "9") }
            if let number = Int(String(decoding: digits, as: UTF8.self)) { arrivals.withLock { $0.take(number) } }
        }
    }

    static func pause(until instant: ContinuousClock.Instant) {
        let left = ContinuousClock.now.duration(to: instant).components
        guard left.seconds >= 0, left.attoseconds > 0 else { return }
        var time = timespec(tv_sec: Int(left.seconds), tv_nsec: Int(left.attoseconds / 1_000_000_000))
        unsafe _ = nanosleep(&time, nil)
    }
}
