import HostNetwork

/// What changes of one pass do to the intents, and what became of each resource that they name.
struct Edits {
    /// What became of one resource.
    enum Outcome: Hashable {
        case rejected(Rejected)
        case stale(inForce: UInt64)
        case unchanged, accepted
        case removed, absent
        case deferred(boundBy: [IntentID])
    }

    /// Each resource that was changed, as it was before the first change; nil for one that wasn't there.
    private(set) var before: [IntentID: Intent?] = [:]
    /// Resources to be remembered, by who asked for them last.
    private(set) var sources: [IntentID: String] = [:]
    private let leaving: [IntentID: Intent]

    init(_ intents: Intents) {
        leaving = Dictionary(uniqueKeysWithValues: intents.leaving.compactMap { id in intents[id].map { (id, $0) } })
    }

    /// Takes one change; answers for each resource that it names, in its order.
    mutating func take(_ change: Change, from source: String, into intents: inout Intents) -> [(IntentID?, Outcome)] {
        var outcomes: [(IntentID?, Outcome)] = []
        var deletions = change.deletions
        if change.prune {
            let kept = Set(change.upserts.map(\.id) + change.rejected.compactMap(\.intent))
            deletions += intents.missing(from: kept)
        }
        let upserts = change.upserts.filter { $0.isSupported }
        let there = upserts.map { intents[$0.id] }
        for (index, result) in intents.upsert(contentsOf: upserts).enumerated() {
            let id = upserts[index].id
            switch result {
            case .failure(let rejected): outcomes.append((id, .rejected(rejected)))
            case .success(.stale(let revision)): outcomes.append((id, .stale(inForce: revision)))
            case .success(.unchanged(let isRevised)):
                if isRevised {
                    note(id, before: there[index])
                    sources[id] = source
                }
                outcomes.append((id, .unchanged))
            case .success(.accepted(_, let left, let refused)):
                note(id, before: there[index])
                sources[id] = source
                for other in left { note(other, before: leaving[other]) }
                outcomes.append((id, .accepted))
                for rejected in refused {
                    if let other = rejected.intent { note(other, before: nil) }
                    outcomes.append((rejected.intent, .rejected(rejected)))
                }
            }
        }
        outcomes += change.upserts.filter { !$0.isSupported }.map { ($0.id, .rejected(.isolated($0.id))) }
        outcomes += change.rejected.map { ($0.intent, .rejected($0)) }
        for id in deletions { outcomes.append((id, remove(id, from: &intents))) }
        return outcomes
    }

    private mutating func remove(_ id: IntentID, from intents: inout Intents) -> Outcome {
        let there = intents[id]
        do throws(Rejected) {
            switch try intents.remove(id) {
            case .absent: return .absent
            case .deferred(let users):
                note(id, before: there)
                return .deferred(boundBy: users)
            case .removed(_, let left):
                note(id, before: there)
                for other in left { note(other, before: leaving[other]) }
                return .removed
            }
        } catch {
            return .rejected(error)
        }
    }

    private mutating func note(_ id: IntentID, before intent: Intent?) {
        if before[id] == nil { before[id] = .some(intent) }
    }

    /// Each changed resource, before and after.
    func changed(in intents: Intents) -> [(before: Intent?, after: Intent?)] { before.map { ($0.value, intents[$0.key]) } }

    /// Addresses that pods have let go.
    func released(in intents: Intents) -> [IPAddress] {
        before.flatMap { id, intent -> [IPAddress] in
            guard case .pod(let old)? = intent else { return [] }
            guard case .pod(let new)? = intents[id] else { return old.addresses }
            return old.addresses.filter { !new.addresses.contains($0) }
        }
    }
}

extension Intent {
    /// Whether this version can do what is asked.
    fileprivate var isSupported: Bool { if case .network(let network) = self { !network.isolated } else { true } }
}

extension Rejected {
    fileprivate static func isolated(_ id: IntentID) -> Rejected {
        Rejected(intent: id, field: "isolated", value: "true", reason: "this version has no isolated networks", valid: "false, or left out")
    }
}
