import HawserAPI
import HostNetwork
import Synchronization

/// How long one step may take.
package struct Patience: Hashable, Sendable {
    /// Until the host isn't ready: what was asked isn't in force, and nobody knows when it will be.
    package var ready: Duration
    /// Until the daemon isn't alive: no step takes as long.
    package var alive: Duration
    /// Until a question about the host's state is answered without those who know best.
    package var answer: Duration

    package init(ready: Duration = .seconds(10), alive: Duration = .seconds(60), answer: Duration = .seconds(2)) {
        self.ready = ready
        self.alive = alive
        self.answer = answer
    }
}

/// How the reconciler and the routing domains are doing, for those who can't wait for their threads.
final class Vitals: Sendable {
    private struct State {
        var domains: [RoutingDomain: (thread: OwnThread, health: DomainHealth)] = [:]
        var last: StatusView?
        /// When the oldest question came that isn't answered.
        var asked: ContinuousClock.Instant?
    }

    let patience: Patience
    private let reconciler: OwnThread
    private let state = Mutex(State())

    init(_ reconciler: OwnThread, _ patience: Patience) {
        self.reconciler = reconciler
        self.patience = patience
    }

    func set(_ domains: [RoutingDomain: DomainReconciler]) {
        let parts = domains.mapValues { (thread: $0.thread, health: $0.health) }
        state.withLock { $0.domains = parts }
    }

    func ask() { state.withLock { $0.asked = $0.asked ?? .now } }

    func answer(_ view: StatusView) {
        state.withLock { state in
            state.asked = nil
            state.last = view
        }
    }

    /// The last answer there was.
    var last: StatusView? { state.withLock { $0.last } }

    /// Why the host can't be said to be as it is wanted at this moment; nil when nothing is known.
    func trouble(at now: ContinuousClock.Instant = .now) -> String? {
        if let busy = reconciler.busy(at: now), busy > patience.ready { return Self.words("the reconciler", busy) }
        let domains = state.withLock { $0.domains }.sorted { $0.key < $1.key }
        for (domain, parts) in domains {
            if let busy = parts.thread.busy(at: now), busy > patience.ready { return Self.words("\(domain)", busy) }
        }
        return domains.lazy.compactMap(\.value.health.trouble).first
    }

    /// Why the daemon is to be started again; nil while it is alive. One network's routing domain that is stuck isn't a reason: the others are
    /// looked after, and a start would wait for that one.
    func death(at now: ContinuousClock.Instant = .now) -> String? {
        let (host, asked) = state.withLock { ($0.domains[.host]?.thread, $0.asked) }
        if let busy = reconciler.busy(at: now), busy > patience.alive { return Self.words("the reconciler", busy) }
        if let busy = host?.busy(at: now), busy > patience.alive { return Self.words("\(RoutingDomain.host)", busy) }
        if let asked, asked.duration(to: now) > patience.alive { return Self.words("the reconciler", asked.duration(to: now)) }
        return nil
    }

    private static func words(_ who: String, _ time: Duration) -> String {
        "\(who) has been at one step for \(time.components.seconds) s: what was asked of it meanwhile waits"
    }
}

/// Somebody who waits for the first of several answers.
final class FirstAnswer<Answer: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Answer, Never>?>

    init(_ continuation: CheckedContinuation<Answer, Never>) { self.continuation = Mutex(continuation) }

    /// Later ones are nobody's any more.
    func give(_ answer: Answer) {
        let waiting = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        waiting?.resume(returning: answer)
    }
}
