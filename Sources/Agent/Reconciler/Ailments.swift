import HostNetwork

/// Why something isn't in force that is up to a pod, or can be.
struct Ailing: Hashable, Sendable {
    var reason: String
    var errno: Int32?
    var explanation: String?

    init(_ reason: String) { self.reason = reason }

    init(_ refusal: Refusal) {
        reason = refusal.description
        errno = refusal.errno
        explanation = refusal.explanation
    }
}

/// Pods in whose own network namespaces something was refused, or nothing can be seen. It is theirs alone:
/// the host is no less ready, nobody else waits, and it is tried again later and later.
struct Ailments: Sendable {
    private struct Case {
        var reasons: [IntentID: Ailing]
        var isUntold: Bool
        var tries = 0
    }

    private var cases: [LinkName: Case] = [:]

    /// What isn't in force because of them.
    var reasons: [IntentID: Ailing] {
        cases.isEmpty
            ? [:]
            : cases.sorted { $0.key < $1.key }.reduce(into: [:]) {
                $0.merge($1.value.reasons) { first, _ in first }
            }
    }

    func contains(_ link: LinkName) -> Bool { cases[link] != nil }

    var links: some Sequence<LinkName> { cases.keys }

    /// Something was refused; answers when it is worth another try.
    mutating func note(_ link: LinkName, _ refusals: [Refusal]) -> Duration {
        // Of several refusals for one intent the first one is the cause.
        let reasons = Dictionary(refusals.map { ($0.because, Ailing($0)) }) { first, _ in first }
        return note(link, Case(reasons: reasons, isUntold: false))
    }

    /// Nothing can be seen at the pod's interface; answers when it is worth another look.
    mutating func note(_ link: LinkName, _ untold: Untold, of pod: ID<Pod>) -> Duration {
        let later = note(link, Case(reasons: [pod.intent: Ailing(untold.reason)], isUntold: true))
        return untold.isTooMuch ? .seconds(60) : later
    }

    private mutating func note(_ link: LinkName, _ new: Case) -> Duration {
        var new = new
        if let known = cases[link] {
            new.tries = known.tries + 1
            // What is refused beside that doesn't make anything be seen.
            if known.isUntold {
                new.isUntold = true
                new.reasons.merge(known.reasons) { first, _ in first }
            }
        }
        cases[link] = new
        return .seconds(min(30, 1 << min(new.tries, 5)))
    }

    /// These could be seen; nil: all.
    mutating func see(_ links: Set<LinkName>?, but untold: some Collection<LinkName>) {
        guard !cases.isEmpty else { return }
        for link in links ?? Set(cases.keys) where !untold.contains(link) { cases[link]?.isUntold = false }
    }

    /// Forgets those that are well: what they have is as it is wanted, or nobody wants it any more.
    mutating func forget(where isWell: (LinkName) -> Bool) {
        for (link, known) in cases where !known.isUntold && isWell(link) { cases[link] = nil }
    }
}
