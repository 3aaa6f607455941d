import HostNetwork
import Kernel

/// What somebody else may have changed in a routing domain, until it is looked at.
///
/// Each link has a pace of its own: one that is changed again and again, as a pod can do with its own interface, is looked at once a second and
/// holds up no other. And pods' own ends, all of them together, are looked at in turns, between which there is time for everything else.
struct Suspicion {
    enum Subject: Hashable, Sendable {
        case link(LinkName)
        /// A pod's own end of its pair, which is up to the pod.
        case side(LinkName)
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
    /// Until when no pod's end is looked at.
    private var rest: ContinuousClock.Instant?

    /// When the next look is due.
    var next: ContinuousClock.Instant? {
        cases.lazy.map { subject, known in subject.isSide ? max(known.due, rest ?? known.due) : known.due }.min()
    }

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

    /// A pod's end isn't looked at before that, whatever happens there.
    mutating func postpone(_ link: LinkName, until time: ContinuousClock.Instant) {
        var known = cases[.side(link)] ?? Case(due: time)
        known.suspects.sides.insert(link)
        known.due = max(known.due, time)
        cases[.side(link)] = known
    }

    /// No pod's end is looked at before that.
    mutating func rest(until time: ContinuousClock.Instant) { rest = max(rest ?? time, time) }

    /// Whether something is due to be looked at that isn't up to pods.
    func isDue(at now: ContinuousClock.Instant) -> Bool { cases.contains { !$0.key.isSide && $0.value.due <= now } }

    /// The pod's end that has been due for the longest.
    mutating func takeSide(at now: ContinuousClock.Instant) -> Taken? {
        if let rest, rest > now { return nil }
        let due = cases.lazy.filter { $0.key.isSide && $0.value.due <= now }
        guard let (subject, known) = due.min(by: { $0.value.due < $1.value.due }) else { return nil }
        cases[subject] = nil
        return Taken(suspects: known.suspects, culprits: [subject: known.culprits])
    }

    /// Everything else that is due.
    mutating func take(at now: ContinuousClock.Instant) -> Taken {
        var taken = Taken()
        for (subject, known) in cases where known.due <= now && !subject.isSide {
            cases[subject] = nil
            taken.suspects.formUnion(known.suspects)
            taken.culprits[subject] = known.culprits
            if subject == .everything { taken.isWhole = true }
        }
        if paces.count > 1000 { paces = paces.filter { !$0.value.isIdle(at: now) } }
        return taken
    }
}

extension Suspicion.Subject {
    fileprivate var isSide: Bool { if case .side = self { true } else { false } }
}

extension Pace {
    fileprivate init(_ subject: Suspicion.Subject) {
        switch subject {
        case .link, .side: self.init(burst: 20, every: .seconds(1))
        case .elsewhere: self.init(burst: 10, every: .seconds(1))
        // Until it is put right packets may pass that shouldn't.
        case .ruleset: self.init(burst: 50, every: .milliseconds(100))
        // It takes as long as a start.
        case .everything: self.init(burst: 3, every: .seconds(10))
        }
    }
}
