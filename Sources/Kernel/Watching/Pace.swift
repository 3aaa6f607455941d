/// So many at once, and then one in each interval: a bucket that leaks.
package struct Pace: Hashable, Sendable {
    private let burst: Int
    private let interval: Duration
    /// When the bucket will be empty.
    private var empty: ContinuousClock.Instant?

    package init(burst: Int, every interval: Duration) {
        self.burst = burst
        self.interval = interval
    }

    /// When the next one may be.
    package mutating func next(at now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let start = max(empty ?? now, now)
        empty = start + interval
        return max(now, start - interval * (burst - 1))
    }

    package func isIdle(at now: ContinuousClock.Instant) -> Bool { empty.map { $0 <= now } ?? true }
}
