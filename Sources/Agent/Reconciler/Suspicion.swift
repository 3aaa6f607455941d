import HostNetwork
import Kernel

/// What somebody else may have changed in a routing domain, until it is looked at.
///
/// Each link has a pace of its own: one that is changed again and again, as a pod can do with its own interface, is looked at once a second and
/// holds up no other.
struct Suspicion {
    enum Subject: Hashable, Sendable {
        case link(LinkName)
        /// Routes out of others' interfaces.
        case elsewhere
        case ruleset
        /// What happened isn't known.
        case everything
    }

    /// What is to be looked at now, and who touched it.
    struct Taken: Sendable {
        var suspects = Suspects()
        var culprits: [Subject: [Culprit]] = [:]
        var isWhole = false
    }

    private struct Case {
        var suspects = Suspects()
        var culprits: [Culprit] = []
        var due: ContinuousClock.Instant
    }

    private var cases: [Subject: Case] = [:]
    private var paces: [Subject: Pace] = [:]

    /// When the next look is due.
    var next: ContinuousClock.Instant? { cases.values.lazy.map(\.due).min() }

    /// Answers when it is to be looked at.
    ///
    /// - Parameter isUrgent: what would let packets pass, as long as it is so, waits for nothing.
    mutating func note(
        _ subject: Subject, _ suspects: Suspects = Suspects(), by culprit: Culprit?, isUrgent: Bool = false, at now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant {
        var known = cases[subject] ?? Case(due: paces[subject, default: Pace(subject)].next(at: now))
        known.suspects.formUnion(suspects)
        if isUrgent { known.due = min(known.due, now) }
        if let culprit, !known.culprits.contains(culprit), known.culprits.count < 3 { known.culprits.append(culprit) }
        cases[subject] = known
        return known.due
    }

    /// Whether something is due to be looked at.
    func isDue(at now: ContinuousClock.Instant) -> Bool { cases.values.contains { $0.due <= now } }

    mutating func take(at now: ContinuousClock.Instant) -> Taken {
        var taken = Taken()
        for (subject, known) in cases where known.due <= now {
            cases[subject] = nil
            taken.suspects.formUnion(known.suspects)
            taken.culprits[subject] = known.culprits
            if subject == .everything { taken.isWhole = true }
        }
        if paces.count > 1000 { paces = paces.filter { !$0.value.isIdle(at: now) } }
        return taken
    }
}

extension Pace {
    fileprivate init(_ subject: Suspicion.Subject) {
        switch subject {
        case .link: self.init(burst: 20, every: .seconds(1))
        case .elsewhere: self.init(burst: 10, every: .seconds(1))
        // Until it is put right packets may pass that shouldn't.
        case .ruleset: self.init(burst: 50, every: .milliseconds(100))
        // It takes as long as a start.
        case .everything: self.init(burst: 3, every: .seconds(10))
        }
    }
}
