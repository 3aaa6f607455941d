import Dispatch
import Foundation
import Lab
import Synchronization
import OwnThreads
import Testing

@Suite("The daemon, killed", .serialized, .ownThreads) struct DaemonKillTests {
    @Test("in the middle of a stream of changes leaves the old or the new, never open, and the next one finishes it")
    func killed() throws {
        let place = try FaultPlace()
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
            #expect(try host.leftToRepair() == 0, "round \(round): something was left to repair")
            seen.insert("\(bound.joined()) \(isExtra)")
        }
        #expect(seen.count > 1, "the kills all came at the same point")
        floods.expectUndisturbed(sent: 1000)
    }

    @Test("and started again with nothing to change adopts what is there, and changes nothing")
    func restarted() throws {
        let place = try FaultPlace()
        let host = place.host
        try host.start()
        #expect(try host.apply(place.everything("a", isExtra: true)).status == 0)
        #expect(try host.apply("pods:\n" + place.web.yaml("b")).status == 0)
        let before = try host.settled()
        let generation = try #require(try host.generation())
        let floods = try place.floods()
        for signal in [SIGKILL, SIGTERM] {
            host.end(signal)
            let watch = try KernelWatch(on: host)
            try host.start()
            #expect(try host.isReady())
            #expect(try host.generation() ?? 0 >= generation)
            // The tables become its own, which changes nothing in them; where the kernel knows no owners, not even that is said.
            let adoption = ["add table inet hawser", "add table arp hawser"]
            let told = try watch.stop()
            #expect(told.allSatisfy { adoption.contains($0) || $0.hasPrefix("# new generation") }, "\(told)")
            #expect(told.count <= adoption.count + 1)
            #expect(try host.settled() == before)
            #expect(try [place.policy(0), place.policy(1)] == ["b", "b"])
        }
        floods.expectUndisturbed()
    }

    /// Changes by the command line, one after another until it is stopped, from a thread of its own.
    private final class Stream: Sendable {
        private let isRunning = Atomic(true)
        private let done = DispatchGroup()

        init(of place: FaultPlace) {
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
