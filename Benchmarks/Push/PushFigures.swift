import Foundation
import HawserProtocol
import HostNetwork
import Lab
import Synchronization

/// What pushes cost a hawserd process, from the client's message on a stream to the answer on it.
struct PushFigures {
    let host: PushedHost
    let door: PushedHost.Door
    let repetitions: Int
    let pushes: Int

    private static let channels = 10
    /// Pushes on the wire that no client waits for, in all: more than that, for they take less time each.
    private var unwaited: Int { 10 * pushes }
    private var among: String { "\(host.region.pods) pods" }
    private var by: String { "hawserd, \(door.rawValue)" }

    func measure() async throws -> (series: [Series], facts: [Fact]) {
        let daemon = try await host.start(door)
        defer { daemon.program.end(SIGTERM) }
        try await Task.sleep(for: .seconds(1))
        var facts: [Fact] = []
        func add(_ what: String, _ value: Double, _ unit: String) {
            facts.append(Fact(what: what + ", " + door.rawValue, among: among, value: value, unit: unit))
        }
        add("memory before", try daemon.memory, "MiB")
        var series = try await alone()
        let highest = Highest()
        // It ends, cancelled, with this function.
        async let _: Void = highest.watch(daemon)
        var turn = Turn(pods: host.region.pods)
        for (what, count, channels, waits) in [
            ("pushed one after the other", pushes, 1, true), ("pushed by \(Self.channels) channels", pushes, Self.channels, true),
            ("pushed by \(Self.channels) channels that don't wait", unwaited, Self.channels, false),
        ] {
            let (times, elapsed, generations) = try await many(count, channels: channels, waits: waits, &turn)
            series.append(Series("one of \(count) rebindings, " + what, by: by, among: among, times))
            add("rebindings \(what)", Double(count) / (elapsed / .seconds(1)), "a second")
            add("of \(count): kernel transactions", Double(generations), "")
        }
        add("memory, the most during all pushes", highest.value, "MiB")
        try await Task.sleep(for: .seconds(3))
        add("memory afterwards", try daemon.memory, "MiB")
        return (series, facts)
    }

    // MARK: One at a time, on an idle host

    /// All take turns, so that what disturbs one disturbs all of them.
    private func alone() async throws -> [Series] {
        let (region, by, among, repetitions) = (host.region, by, among, repetitions)
        return try await host.connected(door) { stream in
            var empty = Series("an empty push", by: by, among: among)
            var rebinding = Parts("one rebinding", by: by, among: among)
            var attaching = Parts("one pod attached", by: by, among: among)
            for round in -3..<repetitions {
                let nothing = try await stream.push(.upserts([]))
                try await Self.settle()
                let moved = try await stream.push(.upserts([region.mover(Region.movers[0], to: round % 2 == 0)]))
                try await Self.settle()
                let pod = region.comer(Region.comers[0])
                let attached = try await stream.push(.upserts([pod]))
                try await Self.settle()
                _ = try await stream.push(.deletion(of: pod))
                try await Self.settle()
                guard round >= 0 else { continue }  // to warm up
                empty.add(nothing.time)
                rebinding.add(moved)
                attaching.add(attached)
            }
            return [empty] + rebinding.all + attaching.all
        }
    }

    /// A change owes the stamps of its epochs; they are paid after a grace period or two, which nothing else is to wait for.
    private static func settle() async throws { try await Task.sleep(for: .milliseconds(60)) }

    private struct Parts {
        var whole: Series
        var daemon: Series
        var kernel: Series
        var all: [Series] { [whole, daemon, kernel] }

        init(_ what: String, by: String, among: String) {
            whole = Series(what, by: by, among: among)
            daemon = Series(what, by: by + ", of it the daemon", among: among)
            kernel = Series(what, by: by + ", of it the kernel", among: among)
        }

        mutating func add(_ push: (time: Duration, reply: Hawser_V1_PushReply)) {
            whole.add(push.time)
            guard let answer = push.reply.answers.first else { return }
            daemon.add(.microseconds(Int64(clamping: answer.totalMicroseconds)))
            kernel.add(.microseconds(Int64(clamping: answer.kernelMicroseconds)))
        }
    }

    // MARK: Many

    /// Which groups each pod is bound to next: always others than it is bound to.
    private struct Turn {
        let pods: Int
        private var offset = 0

        init(pods: Int) { self.pods = pods }

        /// As many rebindings as asked for, dealt to channels; each pod belongs to one channel.
        mutating func deal(_ count: Int, _ channels: Int, _ region: Region) -> [[Hawser_V1_PushRequest]] {
            var hands = [[Hawser_V1_PushRequest]](repeating: [], count: channels)
            for number in 0..<count {
                let pod = number % pods
                let first = pod + offset + 1 + number / pods
                hands[pod % channels].append(
                    .upserts([region.pod("pod-\(pod)", pod, groups: first, first + 1)], id: "\(hands[pod % channels].count)"))
            }
            offset += (count + pods - 1) / pods
            return hands
        }
    }

    private func many(
        _ count: Int, channels: Int, waits: Bool, _ turn: inout Turn
    ) async throws -> (times: [Duration], elapsed: Duration, generations: Int) {
        let hands = turn.deal(count, channels, host.region)
        let (host, door) = (host, door)
        let results = try await withThrowingTaskGroup(of: Played.self) { group in
            for hand in hands { group.addTask { try await host.connected(door) { try await Self.play(hand, waits: waits, &$0) } } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let (start, end) = (results.map(\.start).min() ?? .now, results.map(\.end).max() ?? .now)
        let generations = results.reduce(into: Set<UInt32>()) { $0.formUnion($1.generations) }
        return (results.flatMap(\.times), start.duration(to: end), generations.count)
    }

    private struct Played: Sendable {
        var times: [Duration] = []
        var generations: Set<UInt32> = []
        var start = ContinuousClock.now
        var end = ContinuousClock.now
    }

    private static func play(_ hand: [Hawser_V1_PushRequest], waits: Bool, _ stream: inout PushStream) async throws -> Played {
        _ = try await stream.push(.upserts([]))  // once it is open
        var played = Played()
        played.start = .now
        if waits {
            for request in hand {
                let (time, reply) = try await stream.push(request)
                played.times.append(time)
                played.generations.insert(reply.transaction.generation)
            }
        } else {
            for request in hand { stream.send(request) }
            for _ in hand {
                let reply = try await stream.answer()
                played.times.append(played.start.duration(to: .now))
                played.generations.insert(reply.transaction.generation)
            }
        }
        played.end = .now
        return played
    }
}

/// The most memory that a daemon had while it was watched.
private final class Highest: Sendable {
    private let most = Mutex(0.0)
    var value: Double { most.withLock { $0 } }

    func watch(_ daemon: DaemonProcess) async {
        while !Task.isCancelled {
            if let now = try? daemon.memory { most.withLock { $0 = max($0, now) } }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}
