import Foundation
import HawserAPI
import HostNetwork

/// How a resource stands.
struct Standing: Hashable, Sendable {
    var status: Status
    var reason: String?
    var since: Date

    init(_ status: Status, reason: String? = nil, since: Date = .now) {
        self.status = status
        self.reason = reason
        self.since = since
    }
}

/// How every resource stands that isn't simply in force, and since when pods are as they are.
struct Standings: Sendable {
    /// What a domain's kernel refused on behalf of an intent, until it takes it.
    private var refused: [RoutingDomain: [IntentID: Refusal]] = [:]
    /// What isn't in force because of what a pod has done in its own namespace; that makes the pod failed, and the host no less ready.
    private var ailing: [RoutingDomain: [IntentID: Ailing]] = [:]
    /// What a domain couldn't even try for an intent, for the kernel can't be read: why.
    private var untried: [RoutingDomain: [IntentID: String]] = [:]
    /// Domains that must be read again, and why.
    private(set) var unread: [RoutingDomain: String] = [:]
    private var known: [IntentID: Standing] = [:]
    private let underlay: Underlay?

    init(over underlay: Underlay?) { self.underlay = underlay }

    /// Why the host isn't as it is wanted; nil when it is.
    var trouble: String? {
        let refusal = refused.values.joined().min { $0.key < $1.key }?.value
        return refusal.map { "\($0.because): \($0)" } ?? unread.min { $0.key < $1.key }?.value
    }

    /// Answers the resources that ail since, or don't any more.
    @discardableResult
    mutating func take(_ outcome: DomainOutcome) -> Set<IntentID> {
        let domain = outcome.domain
        if outcome.isWhole || outcome.isOver {
            refused[domain] = nil
            untried[domain] = nil
        }
        if let (ids, reason) = outcome.untried { untried[domain, default: [:]].merge(ids.map { ($0, reason) }) { $1 } }
        // Of several refusals for one intent the first one is the cause.
        for refusal in outcome.applied.refusals where !refusal.isInside {
            refused[domain, default: [:]].merge([refusal.because: refusal]) { first, _ in first }
        }
        unread[domain] = outcome.isOver ? nil : outcome.unread
        let before = ailing[domain] ?? [:]
        ailing[domain] = outcome.isOver || outcome.ailing.isEmpty ? nil : outcome.ailing
        return Set(before.keys).union(outcome.ailing.keys).filter { before[$0] != outcome.ailing[$0] }
    }

    /// Whether a domain's kernel is as it is wanted, as far as is known.
    func isClean(_ domain: RoutingDomain) -> Bool { unread[domain] == nil && refused[domain]?.isEmpty ?? true }

    /// What keeps a resource, or its removal, from being in force, as an answer.
    func failure(of id: IntentID) -> Answer? {
        if let refusal = refusal(of: id) {
            var answer = Answer(intent: id, status: .failed, reason: refusal.description)
            answer.errno = refusal.errno
            answer.explanation = refusal.explanation
            return answer
        }
        if !ailing.isEmpty, let ailing = ailing.sorted(by: { $0.key < $1.key }).lazy.compactMap({ $0.value[id] }).first {
            var answer = Answer(intent: id, status: .failed, reason: ailing.reason)
            answer.errno = ailing.errno
            answer.explanation = ailing.explanation
            return answer
        }
        let reason = untried.isEmpty ? nil : untried.sorted { $0.key < $1.key }.lazy.compactMap { $0.value[id] }.first
        return reason.map { Answer(intent: id, status: .failed, reason: $0) }
    }

    private func refusal(of id: IntentID) -> Refusal? {
        refused.isEmpty ? nil : refused.sorted { $0.key < $1.key }.lazy.compactMap { $0.value[id] }.first
    }

    /// The standing of a resource that is known, judged anew. Answers whether it differs from what it was.
    mutating func judge(_ id: IntentID, in intents: Intents, missing: (Pod) -> NamespaceTable.Absence?) -> (standing: Standing, isNew: Bool)
    {
        var standing = standing(of: id, in: intents, missing: missing)
        if let old = known[id], old.status == standing.status {
            standing.since = old.since
            known[id] = standing
            return (standing, old.reason != standing.reason)
        }
        known[id] = standing
        return (standing, true)
    }

    /// How it stands, as an answer to whoever asked for it; with what the kernel said, where it refused.
    func answer(_ id: IntentID, in intents: Intents, missing: (Pod) -> NamespaceTable.Absence?) -> Answer {
        if let failure = failure(of: id) { return failure }
        let standing = standing(of: id, in: intents, missing: missing)
        return Answer(intent: id, status: standing.status, reason: standing.reason)
    }

    mutating func forget(_ id: IntentID) { known[id] = nil }

    subscript(id: IntentID) -> Standing? { known[id] }

    private func standing(of id: IntentID, in intents: Intents, missing: (Pod) -> NamespaceTable.Absence?) -> Standing {
        if let failure = failure(of: id) { return Standing(.failed, reason: failure.reason) }
        if intents.leaving.contains(id) {
            let users = intents.holders(of: id)
            return Standing(
                .deferred, reason: "deleted, and in force until \(users.sorted().map(\.description).joined(separator: ", ")) let go")
        }
        if id.kind == .network, let trouble = unread[.network(ID(id.id))] { return Standing(.failed, reason: trouble) }
        if id.kind == .neighbor { return Self.standing(waitingFor: intents.unmet(for: ID<Neighbor>(id.id), over: underlay)) }
        if id.kind == .network {
            let waits = intents.unmet(for: ID<Network>(id.id), over: underlay) { missing($0)?.reason }
            return Self.standing(waitingFor: waits + intents.overlaps(of: ID(id.id)))
        }
        guard id.kind == .pod, let pod = intents.pods[ID(id.id)] else { return Standing(.applied) }
        // A domain that can't be opened or read has nothing in force for sure.
        if let network = intents.networks[pod.network], network.isolated, let trouble = unread[.network(network.id)] {
            return Standing(.failed, reason: trouble)
        }
        let unmet = intents.unmet(for: pod.id)
        var waits = unmet.map(\.description)
        switch missing(pod) {
        case .refused(let reason)?: return Standing(.failed, reason: reason)
        case .awaits(let reason)?: waits.append(reason)
        case nil: break
        }
        return Self.standing(waitingFor: waits)
    }

    private static func standing(waitingFor what: [String]) -> Standing {
        what.isEmpty ? Standing(.applied) : Standing(.pending, reason: "waits for " + what.joined(separator: ", "))
    }
}
