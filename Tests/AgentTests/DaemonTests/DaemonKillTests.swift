import Dispatch
import Foundation
import Lab
import Synchronization
import OwnThreads
import Testing

@Suite("The daemon, killed", .serialized, .ownThreads) struct DaemonKillTests {
    /// The ports that one of the two policies opens alone, the one that both open, and the one that neither does.
    private static let (first, second, both, neither): (UInt16, UInt16, UInt16, UInt16) = (7000, 7100, 7001, 7200)

    @Test("in the middle of a stream of changes leaves the old or the new, never open, and the next one finishes it")
    func killed() throws {
        let place = try Place()
        let host = place.host
        try host.start()
        #expect(try host.apply(place.everything("a", isExtra: false)).status == 0)
        let bare = try host.settled()
        #expect(try host.apply(place.everything("b", isExtra: true)).status == 0)
        let whole = try host.settled()
        let floods = try place.floods()

        var seen: Set<String> = []
        for round in 0..<20 {
            let stream = Stream(of: place)
            floods.untouched.wait(for: .random(in: 20...400))
            host.end(SIGKILL)
            stream.stop()
            let orphaned = try place.policy(0)
            #expect(["a", "b"].contains(orphaned), "round \(round): ports \(orphaned) are open")
            #expect(try place.policy(1) == orphaned)

            try host.start()
            let pods = try host.hawser("pods", "--output", "json").list
            #expect(pods.allSatisfy { $0["status"] as? String == "applied" })
            let bound = try #require(pods.first { $0["id"] as? String == "web" }?["securityGroups"] as? [String])
            #expect(try [place.policy(0), place.policy(1)] == [bound.joined(), bound.joined()], "round \(round): bound to \(bound)")
            // What came too late to be in force before it was killed is in force now.
            let isExtra = pods.contains { $0["id"] as? String == "extra" }
            #expect(try host.settled() == (isExtra ? whole : bare), "round \(round)")
            #expect(try place.extra.namespace.json("ip", "-j", "link", "show").count == (isExtra ? 2 : 1))
            let resync = try host.hawser("resync", "--output", "json").object["transaction"] as? [String: Any]
            #expect(resync?["messages"] as? Int == 0, "round \(round): something was left to repair")
            seen.insert("\(bound.joined()) \(isExtra)")
        }
        #expect(seen.count > 1, "the kills all came at the same point")
        let (untouched, never) = (floods.untouched.stop(), floods.never.stop())
        #expect(untouched.sent > 1000)
        #expect(untouched.lost == [])
        #expect(never.sent > 1000)
        #expect(never.received == 0)
    }

    @Test("and started again with nothing to change adopts what is there, and changes nothing")
    func restarted() throws {
        let place = try Place()
        let host = place.host
        try host.start()
        #expect(try host.apply(place.everything("a", isExtra: true)).status == 0)
        #expect(try host.apply("pods:\n" + place.web.yaml("b")).status == 0)
        let before = try host.settled()
        let floods = try place.floods()
        for signal in [SIGKILL, SIGTERM] {
            host.end(signal)
            let watch = try KernelWatch(on: host)
            try host.start()
            #expect(try host.hawser("status", "--output", "json").object["ready"] as? Bool == true)
            // The tables become its own, which changes nothing in them; where the kernel knows no owners, not even that is said.
            let adoption = ["add table inet hawser", "add table arp hawser"]
            let told = try watch.stop()
            #expect(told.allSatisfy { adoption.contains($0) || $0.hasPrefix("# new generation") }, "\(told)")
            #expect(told.count <= adoption.count + 1)
            #expect(try host.settled() == before)
            #expect(try [place.policy(0), place.policy(1)] == ["b", "b"])
        }
        #expect(floods.untouched.stop().lost == [])
        #expect(floods.never.stop().received == 0)
    }

    /// A pod that is bound to one of two groups, one that comes and goes, and two that nobody touches.
    private struct Place: Sendable {
        let host: DaemonHost
        let web: DaemonPod
        let extra: DaemonPod
        let quiet: [DaemonPod]

        init() throws {
            host = try DaemonHost()
            web = try host.pod("web", 10)
            extra = try host.pod("extra", 11)
            quiet = try [host.pod("quiet-1", 20), host.pod("quiet-2", 21)]
        }

        func everything(_ group: String, isExtra: Bool) -> String {
            let groups = DaemonHost.groups([
                "a": [DaemonKillTests.first, DaemonKillTests.both], "b": [DaemonKillTests.second, DaemonKillTests.both],
            ])
            let pods = quiet.map { $0.yaml("open") }.joined() + web.yaml(group) + (isExtra ? extra.yaml("open", group) : "")
            return groups + "pods:\n" + pods
        }

        /// The group whose ports of the pod's are open; where those of none or of both are, or the one that neither opens, the open ports.
        func policy(_ family: Int) throws -> String {
            let open = try [DaemonKillTests.first, DaemonKillTests.second, DaemonKillTests.neither].filter { port in
                try web.isReached(at: port, from: quiet[0], family, witness: DaemonKillTests.both)
            }
            return switch open {
            case [DaemonKillTests.first]: "a"
            case [DaemonKillTests.second]: "b"
            default: open.map(String.init).joined(separator: ", ")
            }
        }

        /// A flood between the pods that nobody touches, and one to a port that is never open.
        func floods() throws -> (untouched: Flood, never: Flood) {
            let (from, to) = (quiet[0], quiet[1])
            let untouched = try Flood(
                from: UDP(in: from.namespace, at: from.ipv6), to: UDP(in: to.namespace, at: to.ipv6, port: 7000), at: to.ipv6,
                every: .milliseconds(1))
            // Its own port: a probe's socket would take what comes to the other.
            let never = try Flood(
                from: UDP(in: from.namespace, at: from.ipv4), to: UDP(in: web.namespace, at: web.ipv4, port: DaemonKillTests.neither + 1),
                at: web.ipv4, every: .milliseconds(1))
            return (untouched, never)
        }
    }

    /// Changes by the command line, one after another until it is stopped, from a thread of its own.
    private final class Stream: Sendable {
        private let isRunning = Atomic(true)
        private let done = DispatchGroup()

        init(of place: Place) {
            done.enter()
            Thread { [self] in
                while isRunning.load(ordering: .relaxed) {
                    var words = ["apply", "-f", "-"]
                    // The whole of the host, so that the pod that isn't named goes.
                    if Bool.random() { words.append("--prune") }
                    let isExtra = words.count == 3 || Bool.random()
                    _ = try? place.host.hawser(words, input: place.everything(Bool.random() ? "a" : "b", isExtra: isExtra))
                }
                done.leave()
            }.start()
        }

        func stop() {
            isRunning.store(false, ordering: .relaxed)
            done.wait()
        }
    }
}
