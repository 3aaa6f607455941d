import Foundation
import Lab
import OwnThreads
import Testing

/// `HAWSER_KILLS=all` kills at every point, as `make soak` does; a number at so many of each change, drawn by chance.
@Suite("The daemon, killed at a system call", .serialized, .ownThreads) struct DaemonKillPointTests {
    private let point = KillPoint()

    @Test("of an apply leaves the old or the new, nothing between; the next start makes it whole", arguments: FaultApply.allCases)
    func killed(in apply: FaultApply) throws {
        let place = try FaultPlace()
        let host = place.host
        let (before, after) = place.worlds(of: apply)
        let (old, new, calls, others) = try prepare(place, before, after)
        var tally = Tally()
        for number in points(of: calls, "\(apply)") {
            try place.apply(before)
            #expect(try host.settled() == old.objects)
            point.arm(at: number)
            let outcome = try host.prune(after)
            // Fewer calls may have been made this time.
            host.end(SIGKILL)
            let what = "\(apply), killed before call \(number) of \(calls.count) (\(point.disarm().last ?? "none"))"
            try expectClosed(place, [old, new], what)
            try restart(host, what)
            let (there, seen) = (try host.settled(), try place.look())
            let isNew = seen == new.seen
            #expect(isNew || seen == old.seen, "\(what): \(seen)")
            #expect(there == (isNew ? new.objects : old.objects), "\(what)")
            #expect(try host.leftToRepair() == 0, "\(what)")
            // What was answered as applied stays applied.
            let isAnswered = outcome.status == 0 && !outcome.statuses.isEmpty
            #expect(isNew || !isAnswered, "\(what): it was said to be applied")
            tally.note(isNew: isNew, isAnswered: isAnswered)
        }
        print("\(apply): \(calls.count) calls; \(tally)")
        try others.expectUndisturbed()
    }

    @Test("of the start that follows a kill is as good as before it: the one after makes it whole")
    func killedAgain() throws {
        let place = try FaultPlace()
        let host = place.host
        let (before, after) = (place.everything("a", isExtra: false), place.everything("b", isExtra: true))
        let (old, new, calls, others) = try prepare(place, before, after)
        // The intents are stored, and the kernel has heard of none of them.
        let stored = try #require(calls.lastIndex { $0 == "fdatasync" || $0 == "fsync" }) + 2

        let starting = try starts(of: host, place, before, after, stored)
        for number in points(of: starting, "a start") {
            try place.apply(before)
            #expect(try host.settled() == old.objects)
            point.arm(at: stored)
            _ = try host.prune(after)
            host.end(SIGKILL)
            point.arm(at: number)
            try host.begin(judging: KillPoint.calls, point.judge)
            host.end(SIGKILL)
            let what = "a start, killed before call \(number) of \(starting.count) (\(point.disarm().last ?? "none"))"
            try expectClosed(place, [old, new], what)
            try restart(host, what)
            #expect(try host.settled() == new.objects, "\(what)")
            #expect(try place.look() == new.seen, "\(what)")
            #expect(try host.leftToRepair() == 0, "\(what)")
        }
        print("a start: \(starting.count) calls")
        try others.expectUndisturbed()
    }

    @Test(
        "of making or removing an isolated network leaves it or nothing; the next start makes it whole",
        arguments: [true, false],
        KillPoint.Victim.allCases)
    func killedWithDomain(isMade: Bool, victim: KillPoint.Victim) throws {
        let place = try FaultPlace()
        let (host, point) = (place.host, KillPoint(of: victim))
        let none = FaultPlace.isolated(DaemonHost.groups(FaultPlace.groups))
        let all = FaultPlace.isolated(place.everything("a", isExtra: true))
        let (before, after) = isMade ? (none, all) : (all, none)
        try start(host, point)
        try place.apply(before)
        point.arm(at: nil)
        try place.apply(after)
        let calls = point.disarm()
        // The helper's share: one to give a name, two to take it.
        #expect(victim == .daemon || calls == (isMade ? ["mount"] : ["umount2", "unlinkat"]), "\(calls)")
        let what = "\(victim.testDescription): a network \(isMade ? "made" : "removed")"

        for number in points(of: calls, what) {
            try place.apply(before)
            point.arm(at: number)
            _ = try host.prune(after)
            // It ends by itself when its helper has ended.
            if victim == .helper { #expect(eventually { host.hasEnded }, "\(host.log.suffix(2000))") }
            let status = host.end(SIGKILL).status
            if victim == .helper {
                #expect(
                    status == 1
                        && host.log.contains("the helper that names namespaces is gone (signal 9 ended it)"))
            }
            let what = "\(what), killed before call \(number) of \(calls.count) (\(point.disarm().last ?? "none"))"
            try restart(host, what, point)
            let pods = try host.hawser("pods", "--output", "json").list
            #expect(pods.allSatisfy { $0["status"] as? String == "applied" }, "\(what)")
            #expect([0, 4].contains(pods.count), "\(what)")
            let domains = (try? FileManager.default.contentsOfDirectory(atPath: host.domains)) ?? []
            #expect(domains == (pods.isEmpty ? [] : ["hawser-blue"]), "\(what)")
            let links = try [place.web, place.extra].map { try $0.namespace.json("ip", "-j", "link", "show").count }
            #expect(links == (pods.isEmpty ? [1, 1] : [2, 2]), "\(what)")
            if !pods.isEmpty { #expect(try (0...1).map(place.policy) == ["a", "a"], "\(what)") }
            #expect(try host.leftToRepair() == 0, "\(what)")
            #expect(try host.links().isEmpty, "\(what)")
        }
        print("\(what): \(calls.count) calls")
    }

    /// The calls of a start after a kill in the middle of an apply.
    private func starts(of host: DaemonHost, _ place: FaultPlace, _ before: String, _ after: String, _ stored: Int) throws -> [String] {
        try place.apply(before)
        point.arm(at: stored)
        _ = try host.prune(after)
        host.end(SIGKILL)
        point.arm(at: nil)
        try restart(host, "a start")
        _ = try host.settled()
        return point.disarm()
    }

    // MARK: Means

    private func start(_ host: DaemonHost, _ other: KillPoint? = nil) throws {
        try host.start(judging: KillPoint.calls, (other ?? point).judge)
    }

    private func restart(_ host: DaemonHost, _ what: String, _ other: KillPoint? = nil) throws {
        try start(host, other)
        #expect(try eventually(within: .seconds(30), host.isReady), "\(what): \(host.log.suffix(2000))")
    }

    /// Without a daemon one of these worlds is in force, and nothing goes out of a pod that may be half made.
    private func expectClosed(_ place: FaultPlace, _ worlds: [World], _ what: String) throws {
        let orphaned = try (0...1).map(place.policy)
        #expect(worlds.map(\.seen.policy).contains(orphaned), "\(what): orphaned, ports \(orphaned) are open")
        #expect(try !isForbidden(place, from: place.extra), "\(what): a new pod gets out")
    }

    /// A world as the kernel lists it and as packets see it.
    private typealias World = (objects: [String: Int], seen: FaultPlace.Seen)

    /// What the host is like in each of two worlds, and the calls that lead from the one to the other.
    private func prepare(
        _ place: FaultPlace, _ before: String, _ after: String
    ) throws -> (old: World, new: World, calls: [String], others: Others) {
        let foreign = try Foreign(on: place.host)
        try start(place.host)
        try place.apply(before)
        let old = (try place.host.settled(), try place.look())
        let others = Others(foreign: foreign, floods: try place.floods())
        point.arm(at: nil)
        try place.apply(after)
        let new = (try place.host.settled(), try place.look())
        return (old, new, point.disarm(), others)
    }

    /// Whether what no rule allows gets through from a pod that may be half made; beside what gets through from another.
    private func isForbidden(_ place: FaultPlace, from pod: DaemonPod) throws -> Bool {
        guard try pod.namespace.json("ip", "-j", "link", "show").count > 1 else { return false }
        return try (0...1).contains { family in
            let to = place.web.addresses[family]
            let closed = try UDP(in: place.web.namespace, at: to, port: FaultPlace.neither)
            // Without an address, or a route, it can't send at all.
            let sender = try? UDP(in: pod.namespace, at: pod.addresses[family])
            for _ in 0..<3 { try? sender?.send("from \(pod.id)", to: to, port: FaultPlace.neither) }
            _ = try place.web.isReached(at: FaultPlace.first, from: place.quiet[0], family, witness: FaultPlace.both)
            return closed.receive(within: .milliseconds(50)) != nil
        }
    }

    private func points(of calls: [String], _ what: String) -> [Int] {
        FaultSample.of(Array(1...max(1, calls.count)), wanted: "HAWSER_KILLS", otherwise: 3, what)
    }
}

/// How the changes ended that the daemon was killed in the middle of.
private struct Tally: CustomStringConvertible {
    private var counts: [String: Int] = [:]

    mutating func note(isNew: Bool, isAnswered: Bool) {
        counts[isAnswered ? "answered" : isNew ? "unanswered and there" : "unanswered and not there", default: 0] += 1
    }

    var description: String { "\(counts)" }
}

/// What isn't the daemon's, and what goes on while it dies.
private struct Others {
    let foreign: Foreign
    let floods: FaultFloods

    func expectUndisturbed(_ location: SourceLocation = #_sourceLocation) throws {
        floods.expectUndisturbed(sent: 100, location)
        try foreign.expectUntouched(location)
    }
}

/// What looks like the daemon's and isn't: a link with such an alias, tables with such names, a route beside its own.
private struct Foreign {
    private let host: LabNamespace
    private let text: String

    init(on daemon: DaemonHost) throws {
        host = daemon.host
        try host.run("ip", "link", "add", "foreign0", "type", "veth", "peer", "name", "foreign1")
        try host.run("ip", "link", "set", "foreign0", "alias", "hawser pod web", "up")
        try host.run("ip", "route", "add", "blackhole", "203.0.113.1", "proto", "static")
        try host.run(["nft", "-f", "-"], input: "table inet hawser-of-others { set s { type ipv4_addr; elements = { 10.1.0.10 }; }; }\n")
        text = try Self.text(host)
    }

    private static func text(_ host: LabNamespace) throws -> String {
        let link = try host.json("ip", "-j", "link", "show", "foreign0").first
        let names = ["ifindex", "ifname", "ifalias", "operstate", "address", "group"].map { "\($0): \(link?[$0] ?? "none")" }
        return try names.joined(separator: ", ") + host.run("ip", "route", "show", "proto", "static")
            + host.run("nft", "list", "table", "inet", "hawser-of-others")
    }

    func expectUntouched(_ location: SourceLocation) throws {
        #expect(try Self.text(host) == text, sourceLocation: location)
    }
}
