import NIOCore
import PolicyModel
import Testing

@testable import Agent

@Suite("A client's pace") struct FramePaceTests {
    private static let tenant = Budget.Client(name: "tenant", isPrivileged: false)

    @Test("is never more than what is taken at once and what a second allows, and never much less", arguments: 0..<20)
    func law(seed: Int) {
        var random = Seeded(seed)
        let pace = FramePace()
        let start = NIODeadline.uptimeNanoseconds(1 << 40)
        var (now, frames) = (start, 0)
        for _ in 0..<200 {
            let count = Int.random(in: 1...3000, using: &random)
            let seconds = Double((now - start).nanoseconds) / 1e9
            let allowed = Double(FramePace.atOnce) + seconds * Double(FramePace.eachSecond)
            #expect(Double(frames) <= allowed + 1)
            frames += count
            now = now + pace.charge(count, to: Self.tenant, now: now)
        }
        let least = Double(frames - FramePace.atOnce - 3000) / Double(FramePace.eachSecond)
        let seconds = Double((now - start).nanoseconds) / 1e9
        #expect(seconds >= least && seconds <= least + 5)
    }

    @Test("is each client's own, and doesn't hold up those that may do everything")
    func others() {
        let (pace, now) = (FramePace(), NIODeadline.uptimeNanoseconds(1 << 40))
        #expect(pace.charge(1_000_000, to: Self.tenant, now: now) > .seconds(100))
        #expect(pace.charge(100, to: Budget.Client(name: "other", isPrivileged: false), now: now) == .zero)
        #expect(pace.charge(1_000_000_000, to: Budget.Client(name: "tenant", isPrivileged: true), now: now) == .zero)
        #expect(pace.charge(0, to: Self.tenant, now: now + .hours(1)) == .zero)
        #expect(pace.charge(1, to: Self.tenant, now: now + .hours(1)) == .zero)
    }
}
