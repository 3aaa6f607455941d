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
    /// What the kernel refused on behalf of an intent, until it takes it.
    private(set) var refused: [IntentID: Refusal] = [:]
    private var known: [IntentID: Standing] = [:]

    var isClean: Bool { refused.isEmpty }
    var firstRefusal: Refusal? { refused.min { $0.key < $1.key }?.value }

    mutating func note(_ refusals: [Refusal]) {
        // Of several refusals for one intent the first one is the cause.
        for refusal in refusals where refused[refusal.because] == nil { refused[refusal.because] = refusal }
    }

    mutating func forgive() { refused = [:] }

    /// The standing of a resource that is known, judged anew. Answers whether it differs from what it was.
    mutating func judge(_ id: IntentID, in desired: Desired, missing: (Pod) -> String?) -> (standing: Standing, isNew: Bool) {
        var standing = Self.standing(of: id, in: desired, refused: refused[id], missing: missing)
        if let old = known[id], old.status == standing.status {
            standing.since = old.since
            known[id] = standing
            return (standing, old.reason != standing.reason)
        }
        known[id] = standing
        return (standing, true)
    }

    /// How it stands, as an answer to whoever asked for it; with what the kernel said, where it refused.
    func answer(_ id: IntentID, in desired: Desired, missing: (Pod) -> String?) -> Answer {
        let standing = Self.standing(of: id, in: desired, refused: refused[id], missing: missing)
        var answer = Answer(intent: id, status: standing.status, reason: standing.reason)
        if let refusal = refused[id] {
            answer.errno = refusal.errno
            answer.explanation = refusal.explanation
        }
        return answer
    }

    mutating func forget(_ id: IntentID) { known[id] = nil }

    subscript(id: IntentID) -> Standing? { known[id] }

    private static func standing(of id: IntentID, in desired: Desired, refused: Refusal?, missing: (Pod) -> String?) -> Standing {
        if let refused { return Standing(.failed, reason: refused.description) }
        let intents = desired.intents
        if intents.leaving.contains(id) {
            let users =
                (intents.index.podsByGroup[ID(id.id)] ?? []).map(\.intent)
                + (intents.index.groupsByAddressGroup[ID(id.id)] ?? []).map(\.intent)
            return Standing(
                .deferred, reason: "deleted, and in force until \(users.sorted().map(\.description).joined(separator: ", ")) let go")
        }
        guard id.kind == .pod, let pod = intents.pods[ID(id.id)] else { return Standing(.applied) }
        let unmet = intents.unmet(for: pod.id)
        var waits = unmet.map(\.description)
        if let reason = missing(pod) { waits.append(reason) }
        return waits.isEmpty ? Standing(.applied) : Standing(.pending, reason: "waits for " + waits.joined(separator: ", "))
    }
}
