import Foundation
import HawserAPI
import HostNetwork
import Lab
import PolicyModel
import Store
import Testing

/// One run: a world, a controller, a daemon that is killed now and then, and traffic all the time.
final class SoakRun {
    let world: SoakWorld
    private let controller = SoakController()
    private let rate: Int
    private var random: Seeded
    private var probes = SoakProbes()
    private var floods: (allowed: Flood, forbidden: Flood)?
    private var (kills, died, checks) = (0, 0, 0)
    /// Spent pushing.
    private var pushing = Duration.zero
    /// The longest time until all pods stood as the intents have it, after the last answer.
    private var slowest = Duration.zero

    /// How long changes go on between two looks, and between two kills.
    private static let stretch = Duration.seconds(2)

    init(seed: Int, rate: Int) throws {
        world = try SoakWorld()
        random = Seeded(seed)
        self.rate = rate
    }

    private var debug: DebugClient { DebugClient(socket: world.host.folder.file("debug.sock")) }

    func begin() async throws {
        try world.host.start()
        try await clear()
        let (from, to) = (world.quiet[0], world.quiet[1])
        floods = try (
            Flood(
                from: UDP(in: from.namespace, at: from.ipv4), to: UDP(in: to.namespace, at: to.ipv4, port: SoakWorld.quietPort),
                at: to.ipv4,
                every: .milliseconds(10)),
            Flood(
                from: UDP(in: from.namespace, at: from.ipv6), to: UDP(in: to.namespace, at: to.ipv6, port: SoakWorld.quietPort + 1),
                at: to.ipv6, every: .milliseconds(10))
        )
    }

    // MARK: Changes

    func churn(for time: Duration, killing: Bool = false) async throws {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            try await controller.connected(to: world.host.folder.file("control.sock")) {
                try await push(until: min(end, .now + Self.stretch))
                guard !killing else {
                    // With pushes on their way.
                    controller.expectEnd()
                    world.host.end(SIGKILL)
                    return
                }
                try await controller.drain()
                try await check()
            }
            guard killing else { continue }
            kills += 1
            try world.host.start()
            try await pushWhole(world.whole())
            try await controller.connected(to: world.host.folder.file("control.sock")) { try await check() }
        }
    }

    private func push(until end: ContinuousClock.Instant) async throws {
        let start = ContinuousClock.now
        var next = start
        while ContinuousClock.now < end {
            if died == 0 || random.once(in: 25) { try touchNamespace() }
            let step = random.step(in: world)
            try await controller.push(step, mustRefuse: world.take(step))
            next += .seconds(1) / rate
            try await ContinuousClock().sleep(until: next)
            // What was missed isn't made up for: it is to be so many a second and no more.
            next = max(next, .now - .milliseconds(100))
        }
        pushing += start.duration(to: .now)
    }

    /// A pod's namespace comes or goes, whatever the daemon is doing with it.
    private func touchNamespace() throws {
        let isolated = SoakWorld.networks.flatMap { network in ["a", "b"].map { ID<Pod>("\(network)-\($0)") } }
        let pods = SoakWorld.pods + isolated
        let pod = pods[random.number(0...(pods.count - 1))]
        guard world.namespaces[pod] != nil else { return try world.makeNamespace(of: pod) }
        // Most are to be there most of the time.
        guard died == 0 || random.once(in: 3) else { return }
        world.killNamespace(of: pod)
        died += 1
        if random.once(in: 2) { try world.makeNamespace(of: pod) }
    }

    /// A snapshot of the whole host; pods may wait for namespaces, where that is allowed.
    private func pushWhole(_ intents: [Intent], allowing statuses: Set<Status> = [.applied, .pending]) async throws {
        let document = ControlClient.Document(name: "whole", content: Data(IntentFile.encode(intents).json.utf8))
        let answer = try await ControlClient.connected(to: world.host.folder.file("control.sock")) { client in
            try await client.apply([document], prune: true)
        }
        for result in answer.results where !statuses.contains(result.status) {
            Issue.record("\(result.kind) \(result.id): \(result.status) \(result.reason ?? "")")
        }
    }

    // MARK: Looks

    /// All pods come to stand as they should, and packets say what the intents say.
    private func check() async throws {
        checks += 1
        let start = ContinuousClock.now
        try await settle()
        slowest = max(slowest, start.duration(to: .now))
        try probes.judge(world, 60, with: &random)
        try await subscribe()
        let disagreements = controller.tally.disagreements + probes.disagreements
        guard disagreements.isEmpty else {
            throw LabError(
                "the daemon and the model disagree (look \(checks)):\n" + disagreements.prefix(5).joined(separator: "\n") + "\n"
                    + evidence())
        }
    }

    private func settle() async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while true {
            let pods = try await debug.pods()
            let status = try await debug.status()
            let applied = Set(pods.filter { $0.status == .applied }.map(\.id))
            let known = Set(pods.map(\.id))
            let wanted = Set(world.intents.pods.keys.map(\.value))
            if status.ready, known == wanted, applied == world.applied, try world.isPlugged() { return }
            guard ContinuousClock.now < deadline else {
                throw LabError(
                    """
                    after two minutes the pods don't stand as they should: \(status.reason ?? "ready"); applied and shouldn't be: \
                    \(applied.subtracting(world.applied).sorted()), should be and aren't: \
                    \(pods.filter { world.applied.contains($0.id) && $0.status != .applied }.map { "\($0.id) \($0.status): \($0.reason ?? "")" }); \
                    known and not wanted: \(pods.filter { !wanted.contains($0.id) }.map { "\($0.id) \($0.status): \($0.reason ?? "")" }), \
                    wanted and not known: \(wanted.subtracting(known).sorted())
                    \(known.symmetricDifference(wanted).flatMap(controller.history).joined(separator: "\n"))
                    namespaces by the model: \(world.namespaces.keys.sorted())
                    \((try? world.host.host.run("sh", "-c", "ls -li \(Lab.directory); grep nsfs /proc/self/mountinfo")) ?? "")
                    \((try? world.host.hawser("events", "--output", "json").output.suffix(6000)) ?? "")
                    """ + evidence())
            }
        }
    }

    /// What the kernel has, where somebody will want to know.
    private func evidence() -> String {
        let script = """
            sysctl net.ipv6.conf.all.forwarding net.ipv4.ip_forward
            for family in -4 -6; do ip $family addr; ip $family route show table all; ip $family neigh; ip $family rule; done
            ip -d link; nft list ruleset
            """
        let domains = (try? FileManager.default.contentsOfDirectory(atPath: world.host.domains)) ?? []
        var places = [("the host", world.host.host)]
        for domain in domains { if let place = try? LabNamespace(at: "\(world.host.domains)/\(domain)") { places.append((domain, place)) } }
        for (pod, place) in world.namespaces where pod.value.hasPrefix("isolated") { places.append((pod.value, place)) }
        let texts = places.map { name, place in "=== \(name)\n" + ((try? place.run("sh", "-c", script)) ?? "") }
        let resync = (try? world.host.hawser("resync", "--output", "json").output) ?? ""
        return texts.joined() + "=== resync: \(resync)\n=== log: \(world.host.log.suffix(4000))"
    }

    private struct Enough: Error {}

    /// Somebody follows the events, and hangs up.
    private func subscribe() async throws {
        do {
            try await debug.events(follow: true) { _ in throw Enough() }
        } catch is Enough {}
    }

    // MARK: The end

    /// Takes all away but what nobody touches.
    func clear() async throws {
        for pod in world.namespaces.keys where !random.once(in: 2) { world.killNamespace(of: pod) }
        world.clear()
        try await pushWhole(world.baseline, allowing: [.applied])
        for pod in world.namespaces.keys { world.killNamespace(of: pod) }
        try await settle()
    }

    func finish() throws {
        let tally = controller.tally
        let seconds = Double(pushing.components.seconds) + Double(pushing.components.attoseconds) / 1e18
        let (allowed, forbidden) = try #require(floods.map { ($0.allowed.stop(), $0.forbidden.stop()) })
        print(
            """
            soak: \(tally.sent) changes in \(Int(seconds)) s of pushing, \(Int(Double(tally.sent) / max(seconds, 1))) a second; answered after \
            \(Int(tally.time(at: 0.5))) ms (median), \(Int(tally.time(at: 0.99))) ms (99 %), \(Int(tally.time(at: 1))) ms (longest)
                \(kills) kills, \(died) namespaces killed, \(checks) looks, of which the slowest settled after \(slowest)
                refused by the kernel meanwhile: \(tally.failed)
                probes: \(probes.passed) passed, \(probes.blocked) were blocked, all as the intents say
                untouched pods: \(allowed.lost.count) of \(allowed.sent) datagrams lost, the longest gap \(allowed.longestGap) (they were sent \
            \(allowed.longestPause) apart at most); \
            \(forbidden.received) of \(forbidden.sent) forbidden ones leaked
            """)
        #expect(allowed.lost.isEmpty, "\(allowed.lost.count) of \(allowed.sent)")
        #expect(forbidden.received == 0 && forbidden.sent > 100)
        #expect(probes.passed > checks && probes.blocked > checks, "neither may be rare")
        #expect(kills > 0 && died > 0 && tally.answered + tally.forgotten == tally.sent)
    }
}
