import Foundation
import Lab
import OwnThreads
import SystemPackage
import Testing

/// `HAWSER_REFUSALS=all` lets every request fail in every way, as `make soak` does; a number so many of each apply, drawn by chance.
@Suite("The daemon, whose kernel refuses", .serialized, .ownThreads) struct DaemonRefusalTests {
    private let place: FaultPlace
    private let point = FaultPoint()
    private var host: DaemonHost { place.host }

    init() throws { place = try FaultPlace() }

    @Test("a request, in any way, says so, leaves the old in force or has the new, and heals by itself", arguments: FaultApply.allCases)
    func refused(in apply: FaultApply) throws {
        let (before, after) = place.worlds(of: apply)
        try host.start(judging: FaultPoint.calls, point.judge)
        try place.apply(before)
        let seenBefore = (try host.settled(), try place.look())
        let floods = try place.floods()
        point.arm(at: nil)
        try place.apply(after)
        let seenAfter = (try host.settled(), try place.look())
        let requests = point.disarm()

        var tally: [String: Int] = [:]
        for (number, fault) in cases(of: requests.count, apply) {
            try place.apply(before)
            #expect(try host.settled() == seenBefore.0)
            let what = "\(apply), request \(number): \(fault)"
            point.arm(at: number, fault)
            let outcome = try host.prune(after)
            let failed = outcome.statuses.filter { $0 != "applied" }
            if failed.isEmpty {
                // Told once more, or looked at: it is as it was asked for.
                #expect(try place.look() == seenAfter.1, "\(what): applied, and it isn't")
                #expect(outcome.status == 0, "\(what)")
            } else {
                #expect(Set(failed) == ["failed"], "\(what): \(outcome.output)")
                #expect(outcome.status == 1, "\(what)")
                let reasons = outcome.results.filter { $0["status"] as? String == "failed" }.compactMap { $0["reason"] as? String }
                #expect(reasons.count == failed.count && reasons.allSatisfy { $0.count > 20 }, "\(what): \(reasons)")
                let seen = try place.look()
                #expect([seenBefore.1.policy, seenAfter.1.policy].contains(seen.policy), "\(what): \(seen)")
            }
            tally[failed.isEmpty ? "healed in the same pass" : "answered as failed", default: 0] += 1
            // Stamps are paid after the answer, and may be what is refused.
            let heals = try eventually(within: .seconds(40)) { try host.isWell() && host.isSettled() && host.inventory() == seenAfter.0 }
            let there = try host.inventory()
            #expect(heals, "\(what): it doesn't heal: \(there) \(host.log.suffix(2000))")
            point.disarm()
            #expect(try place.look() == seenAfter.1, "\(what)")
            #expect(try host.leftToRepair() == 0, "\(what)")
            #expect(!host.hasEnded, "\(what)")
        }
        print("\(apply): \(requests.count) requests; \(tally)")
        floods.expectUndisturbed()
    }

    @Test("everything for a while is asked less and less often, tells why it isn't ready, and is whole a moment after the end of it")
    func refusedForLong() throws {
        try host.start(judging: FaultPoint.calls, point.judge)
        try place.apply(place.everything("a", isExtra: false))
        let before = try host.settled()
        let floods = try place.floods()
        point.arm(at: 1, .send(.noBufferSpace), count: 1_000_000)
        let outcome = try host.prune(place.everything("b", isExtra: true))
        #expect(outcome.status == 1)
        let changed = outcome.results.filter { ["web", "extra"].contains($0["id"] as? String) }
        #expect(changed.count == 2 && changed.allSatisfy { $0["status"] as? String == "failed" }, "\(outcome.output)")
        #expect(try !host.isReady())
        let status = try host.hawser("status", "--output", "json").object["reason"] as? String ?? ""
        #expect(status.contains("ENOBUFS") || status.contains("buffer"), "\(status)")
        #expect(try host.inventory() == before)
        #expect(try place.look().policy == ["a", "a"])
        // Nothing of what can't be read is said to be as it should.
        let resync = try host.hawser("resync", "--output", "json")
        #expect(resync.status == 1 && !resync.statuses.isEmpty && resync.statuses.allSatisfy { $0 == "failed" }, "\(resync.output)")
        let start = ContinuousClock.now
        // More asked of it meanwhile isn't answered as if it were done.
        let deletion = try host.hawser("delete", "pod", "web", "--output", "json")
        #expect(deletion.statuses == ["failed"], "\(deletion.output)")
        #expect(try host.prune(place.everything("b", isExtra: true)).status == 1)
        floods.untouched.wait(for: 8000)
        let asked = point.requests.count
        let seconds = Double(start.duration(to: .now).components.seconds)
        // After 1, 2, 4 seconds, and so on; a few requests each.
        #expect(Double(asked) < 10 * seconds, "\(asked) requests in \(seconds) s")
        point.disarm()
        #expect(try eventually(within: .seconds(40)) { try host.isReady() })
        #expect(try place.look().policy == ["b", "b"])
        _ = try host.settled()
        floods.expectUndisturbed()
    }

    @Test("to say whether a pair is there that is to go doesn't make it gone: that is an error, and the pair goes when it can be asked for")
    func refusedQuestion() throws {
        let (before, after) = place.worlds(of: .deletion)
        try host.start(judging: FaultPoint.calls, point.judge)
        try place.apply(before)
        _ = try host.settled()
        let links = try host.links().count
        point.arm(at: 1, .refusal(.resourceBusy))
        let outcome = try host.prune(after)
        #expect(point.disarm().first?.allSatisfy(\.reads) == true)
        #expect(outcome.status == 1 && outcome.output.contains("resource busy"), "\(outcome.output)")
        #expect(try eventually(within: .seconds(40)) { try host.isReady() })
        #expect(try host.links().count == links - 1)
        #expect(try host.leftToRepair() == 0)
    }

    @Test("what explain wants to know of the kernel is an error, and not an answer that says less")
    func refusedExplanation() throws {
        try host.start(judging: FaultPoint.calls, point.judge)
        try place.apply(place.everything("a", isExtra: false))
        _ = try host.settled()
        let words = ["explain", "--pod", place.web.id, "--egress", "--remote", "203.0.113.9", "--output", "json"]
        point.arm(at: nil)
        let answer = try host.hawser(words)
        let requests = point.disarm().count
        #expect(answer.object["route"] != nil && requests > 0, "\(answer.output)")
        for request in 1...max(1, requests) {
            point.arm(at: request, .refusal(.resourceBusy))
            let outcome = try host.hawser(words)
            point.disarm()
            #expect(outcome.status != 0 && outcome.complaints.contains("resource busy"), "\(outcome)")
        }
        #expect(try host.hawser(words).output == answer.output)
    }

    @Test("the first policy of a network has its pods without interfaces that are up, which nothing passes, until it is in force")
    func refusedFirst() throws {
        try host.start(judging: FaultPoint.calls, point.judge)
        point.arm(at: 1, .refusal(.noMemory), count: 1_000_000, batches: true)
        let outcome = try host.prune(FaultPlace.isolated(place.everything("a", isExtra: false)))
        #expect(outcome.status == 1 && !point.requests.isEmpty, "\(outcome.output)")
        for family in 0...1 {
            // Where there are no addresses yet, there is nobody to try.
            let isReached = try? place.web.isReached(at: FaultPlace.neither, from: place.quiet[0], family, witness: FaultPlace.both)
            #expect(isReached != true)
        }
        #expect(try !host.isReady())
        point.disarm()
        #expect(try eventually(within: .seconds(40)) { try host.isReady() })
        #expect(try [place.policy(0), place.policy(1)] == ["a", "a"])
        #expect(try host.leftToRepair() == 0)
    }

    /// The kernel calls a reading interrupted whenever anybody commits anything, and others may do so all the time.
    @Test("to call any reading of a list consistent, reads them all the same, whole, and does what it is asked")
    func interruptedForEver() throws {
        try host.start(judging: FaultPoint.calls, point.judge)
        try place.apply(place.everything("a", isExtra: false))
        _ = try host.settled()
        let floods = try place.floods()
        point.arm(at: 1, .change, count: 1_000_000)
        #expect(try host.leftToRepair() == 0)
        #expect(point.requests.count > 20, "nothing was read")
        #expect(try host.isReady(), "\(host.log.suffix(2000))")
        try place.apply(place.everything("b", isExtra: true))
        #expect(try place.look().policy == ["b", "b"])
        _ = try host.settled()
        #expect(try host.leftToRepair() == 0)
        point.disarm()
        #expect(try host.leftToRepair() == 0)
        floods.expectUndisturbed()
    }

    // MARK: Means

    private func cases(of count: Int, _ apply: FaultApply) -> [(number: Int, fault: Fault)] {
        let all = (1...max(1, count)).flatMap { number in Fault.all.map { (number: number, fault: $0) } }
        return FaultSample.of(all, wanted: "HAWSER_REFUSALS", otherwise: 5, "\(apply)")
    }
}
