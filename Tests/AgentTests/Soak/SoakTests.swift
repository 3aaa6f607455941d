import Foundation
import HawserAPI
import Lab
import OwnThreads
import PolicyModel
import Testing

@Suite("The daemon, with changes on and on", .serialized, .ownThreads) struct SoakTests {
    /// `HAWSER_CHURN` makes it longer, in seconds; `HAWSER_SEED` repeats its choices; `HAWSER_CHURN_RATE` is how many changes a second are wanted.
    private static let length = number("HAWSER_CHURN") ?? 24
    private static let seed = number("HAWSER_SEED") ?? Int.random(in: 1...999_999_999)
    private static let rate = number("HAWSER_CHURN_RATE") ?? 100

    private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

    @Test("holds what the intents say through kills, dying namespaces and networks that come and go, and keeps nothing of it at the end")
    func soak() async throws {
        print("soak: HAWSER_SEED=\(Self.seed) HAWSER_CHURN=\(Self.length) HAWSER_CHURN_RATE=\(Self.rate)")
        let run = try SoakRun(seed: Self.seed, rate: Self.rate)
        let whole = Duration.seconds(Self.length)
        try await run.begin()
        // A quarter of the time with kills in it; then one daemon lives for the rest, and is counted when it has warmed up and at the end.
        try await run.churn(for: whole / 4, killing: true)
        try await run.churn(for: whole / 4)
        try await run.clear()
        let before = try SoakCensus(of: run.world)
        print("soak: warmed up: \(before.text)")
        try await run.churn(for: whole / 2)
        try await run.clear()
        var leaks: [String] = []
        let isClean = try eventually(within: .seconds(30)) {
            let after = try SoakCensus(of: run.world)
            leaks = after.leaks(since: before)
            if leaks.isEmpty { print("soak: at the end: \(after.text)") }
            return leaks.isEmpty
        }
        #expect(isClean, "\(leaks)")
        try run.finish()
    }
}
