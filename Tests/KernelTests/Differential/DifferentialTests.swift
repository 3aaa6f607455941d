import Foundation
import HostNetwork
import OwnThreads
import Testing

@Suite("The kernel, `hawser explain` and the intents", .serialized, .ownThreads) struct DifferentialTests {
    /// `HAWSER_SEED` repeats a run, `HAWSER_VERDICTS` makes it longer.
    static let seed = ProcessInfo.processInfo.environment["HAWSER_SEED"].flatMap { Int($0) } ?? Int.random(in: 1...999_999_999)
    static let verdicts = ProcessInfo.processInfo.environment["HAWSER_VERDICTS"].flatMap { Int($0) } ?? 6000

    private static let layouts = [
        Layout(), Layout(host: HostPolicy(toPods: .rules, fromPods: .rules), invalid: .drop),
        Layout(host: HostPolicy(toPods: .rules, fromPods: .allow)), Layout(host: HostPolicy(fromPods: .rules), invalid: .drop),
    ]

    @Test("say the same of every packet of random policies, while those change")
    func packets() async throws {
        var tally = DifferentialTally()
        let began = ContinuousClock.now
        // A world serves for some thousand packets, so that in a long run every part of it is random.
        let portion = max(1, min(2000, Self.verdicts / Self.layouts.count))
        var turn = 0
        while tally.count < Self.verdicts {
            let run = try await DifferentialRun(seed: Self.seed &+ turn, Self.layouts[turn % Self.layouts.count])
            try await run.judge(portion)
            tally.add(run.tally)
            guard run.disagreements == 0 else { break }
            turn += 1
        }
        print("differential packets: HAWSER_SEED=\(Self.seed), \(ContinuousClock.now - began): \(tally.text)")
        if tally.count >= 3000 { tally.expectVariety() }
    }

    /// `HAWSER_CHANGES` makes the run longer.
    static let changes = ProcessInfo.processInfo.environment["HAWSER_CHANGES"].flatMap { Int($0) } ?? 120

    @Test("say the same of every flow that is alive while rules, bindings, members and address pairs change")
    func sequences() async throws {
        var tally = SequenceRun.Tally()
        let began = ContinuousClock.now
        let portion = max(1, min(30, Self.changes))
        var turn = 0
        while tally.changes < Self.changes {
            let run = try await SequenceRun(seed: Self.seed &+ turn)
            try await run.change(portion)
            tally.add(run.tally)
            guard run.disagreements == 0 else { break }
            turn += 1
        }
        print("differential sequences: HAWSER_SEED=\(Self.seed), \(ContinuousClock.now - began): \(tally.text)")
        guard tally.changes >= 120 else { return }
        for kind in ["tcp", "udp", "echo"] { #expect(tally.cut[kind, default: 0] > 0, "\(kind)") }
        #expect(tally.cut.values.reduce(0, +) > 20 && tally.recovered.values.reduce(0, +) > 8)
        #expect(tally.recovered["tcp", default: 0] > 2, "connections that carry on")
        #expect(min(tally.arrived, tally.blocked) * 20 > tally.arrived + tally.blocked)
        #expect(tally.unbroken > 3)
    }
}
