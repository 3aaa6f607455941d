import HostNetwork
import Store

/// What changes of one pass do to the intents, and what became of each resource that they name.
struct Edits {
    /// What became of one resource.
    enum Outcome: Hashable {
        case rejected(Rejected)
        case stale(inForce: UInt64)
        /// A whole that doesn't name it is older than what is in force.
        case kept(because: Whole)
        case unchanged, accepted
        case removed, absent
        case deferred(boundBy: [IntentID])
        /// A namespace was handed over for a pod that isn't known yet.
        case awaited
    }

    /// What shows that a whole is older than what is in force, and so can't say what has to go.
    enum Whole: Hashable {
        /// What it doesn't name has a higher revision than it.
        case revision(UInt64, inForce: UInt64)
        /// What it names has a higher one than there.
        case names(IntentID, inForce: UInt64)
    }

    /// Each resource that was changed, as it was before the first change; nil for one that wasn't there.
    private(set) var before: [IntentID: Intent?] = [:]
    /// Resources to be remembered, by who asked for them last.
    private(set) var sources: [IntentID: String] = [:]
    /// What waited and turned out not to fit what it waited for: it is gone.
    private(set) var refused: [IntentID: Rejected] = [:]
    /// Where pods are attached whose intents name no namespace, and what of it changed (nil: let go).
    private(set) var attachments: [ID<Pod>: String]
    private(set) var attached: [ID<Pod>: String?] = [:]
    /// What Alcor has said and intents can't hold.
    var ledger: AlcorLedger
    /// Whether all that this host is asked for was named.
    private(set) var isWhole = false
    private let leaving: [IntentID: Intent]
    /// How many values all resources may have (`intents.maxValues`).
    private let mostValues: Int
    private let tenants: Set<ID<Network>>

    /// - Parameters:
    ///   - mostValues: how many values all resources may have, and how many what is remembered of Alcor's states.
    ///   - tenants: the networks that some client is held to.
    init(
        _ intents: Intents, _ attachments: [ID<Pod>: String] = [:], _ ledger: AlcorLedger = AlcorLedger(), mostValues: Int = .max,
        tenants: Set<ID<Network>> = []
    ) {
        self.attachments = attachments
        self.ledger = ledger
        self.mostValues = mostValues
        self.ledger.mostValues = mostValues
        self.tenants = tenants
        leaving = Dictionary(uniqueKeysWithValues: intents.leaving.compactMap { id in intents[id].map { (id, $0) } })
    }

    /// Takes one change; answers for each resource that it names, in its order.
    mutating func take(_ change: Change, from source: String, into intents: inout Intents) -> [(IntentID?, Outcome)] {
        var outcomes: [(IntentID?, Outcome)] = []
        if change.isWhole || change.prune && change.scope == nil { isWhole = true }
        let (admitted, denied) = Self.admit(change, to: intents)
        var deletions = change.deletions
        var spared: [(IntentID?, Outcome)] = []
        if change.prune {
            let named = Set(change.upserts.map(\.id) + change.rejected.compactMap(\.intent) + deletions)
            let missing = intents.missing(from: named).filter { id in intents[id].map { change.scope?.admits($0) ?? true } ?? false }
            let age = Age(of: admitted, in: intents, tenants)
            for id in missing {
                if let whole = age.whole(for: intents[id]) ?? Self.age(of: change, beside: intents[id]) {
                    spared.append((id, .kept(because: whole)))
                } else {
                    deletions.append(id)
                }
            }
        }
        // What a pod lets go another one of the same change may have; what it is bound to isn't deleted before it is bound to something else.
        let named = Set(change.upserts.map(\.id))
        var gone: [IntentID: Outcome] = [:]
        for id in deletions where id.kind == .pod && !named.contains(id) { gone[id] = remove(id, change, from: &intents) }
        // The same goes for a network's prefixes.
        let used = Set(admitted.compactMap(\.network?.intent))
        for id in deletions where id.kind == .network && !used.contains(id) {
            let outcome = remove(id, change, from: &intents)
            if case .rejected = outcome { continue }
            gone[id] = outcome
        }
        var upserts = admitted.map(placed)
        for (pod, namespace) in change.attachments { upserts += attach(pod, namespace, change.scope, intents, &outcomes) }
        let there = upserts.map { intents[$0.id] }
        let freed = deletions.reduce(0) { $0 + (named.contains($1) ? 0 : intents[$1]?.values ?? 0) }
        let quota = Quota(mostValues, change.scope, freed: freed)
        for (index, result) in intents.upsert(contentsOf: upserts, within: quota).enumerated() {
            let id = upserts[index].id
            // Who hands over a namespace doesn't become the one who asked for the pod.
            let isAttachment = id.kind == .pod && change.attachments.keys.contains(ID(id.id))
            switch result {
            case .failure(let rejected):
                outcomes.append((id, .rejected(rejected.told(to: change.scope, in: intents))))
                if isAttachment, case .pod(let pod)? = there[index] { setAttachment(of: pod.id, to: pod.namespace) }
            case .success(.stale(let revision)): outcomes.append((id, .stale(inForce: revision)))
            case .success(.unchanged(let isRevised)):
                if isRevised {
                    note(id, before: there[index])
                    sources[id] = source
                }
                outcomes.append((id, .unchanged))
            case .success(.accepted(_, let left, let refused)):
                note(id, before: there[index])
                if !isAttachment { sources[id] = source }
                for other in left { note(other, before: leaving[other]) }
                outcomes.append((id, .accepted))
                for rejected in refused {
                    if let other = rejected.intent {
                        note(other, before: nil)
                        self.refused[other] = rejected
                    }
                    outcomes.append((rejected.intent, .rejected(rejected)))
                }
            }
        }
        outcomes += (change.rejected + denied).map { ($0.intent, .rejected($0)) }
        for id in deletions { outcomes.append((id, gone[id] ?? remove(id, change, from: &intents))) }
        return outcomes + spared
    }

    /// Returns what of the upserts may be judged against the rest, and why the others are nothing that this client may ask for.
    private static func admit(_ change: Change, to intents: Intents) -> (admitted: [Intent], denied: [Rejected]) {
        guard let scope = change.scope else { return (change.upserts, []) }
        var (admitted, denied): ([Intent], [Rejected]) = ([], [])
        for intent in change.upserts {
            do throws(Rejected) {
                try scope.judge(intent, in: intents)
                admitted.append(intent)
            } catch {
                denied.append(error)
            }
        }
        return (admitted, denied)
    }

    private static func age(of whole: Change, beside intent: Intent?) -> Whole? {
        guard let intent, whole.wholeRevision > 0, intent.revision > whole.wholeRevision else { return nil }
        return .revision(whole.wholeRevision, inForce: intent.revision)
    }

    private mutating func remove(_ id: IntentID, _ change: Change, from intents: inout Intents) -> Outcome {
        let there = intents[id]
        do throws(Rejected) { try change.scope?.judge(removing: id, in: intents) } catch { return .rejected(error) }
        if let revision = change.deletedRevisions[id], let there, revision > 0, revision < there.revision, !intents.leaving.contains(id) {
            return .stale(inForce: there.revision)
        }
        do throws(Rejected) {
            switch try intents.remove(id) {
            case .absent: return .absent
            case .deferred(let users):
                note(id, before: there)
                return .deferred(boundBy: users)
            case .removed(_, let left):
                note(id, before: there)
                if id.kind == .pod { setAttachment(of: ID(id.id), to: nil) }
                for other in left { note(other, before: leaving[other]) }
                return .removed
            }
        } catch {
            return .rejected(error)
        }
    }

    // MARK: Attachments

    /// A pod whose intent names no namespace is where it was attached.
    private func placed(_ intent: Intent) -> Intent {
        guard case .pod(var pod) = intent, pod.namespace == nil, let namespace = attachments[pod.id] else { return intent }
        pod.namespace = namespace
        return .pod(pod)
    }

    /// The pod as it is with another attachment; none where nothing is to be done, or an outcome says why not.
    private mutating func attach(
        _ id: ID<Pod>, _ namespace: String?, _ scope: Scope?, _ intents: Intents, _ outcomes: inout [(IntentID?, Outcome)]
    ) -> [Intent] {
        if let scope {
            do throws(Rejected) { try scope.judge(attaching: id, at: namespace, in: intents) } catch {
                outcomes.append((id.intent, .rejected(error)))
                return []
            }
        }
        guard var pod = intents.pods[id] else {
            // What waits for the pod is of those who may change everything, and so is letting go of it.
            if scope == nil {
                guard namespace == nil || attachments[id] != nil || attachments.count < mostAttachments else {
                    outcomes.append((id.intent, .rejected(.manyAttachments(id, mostAttachments))))
                    return []
                }
                setAttachment(of: id, to: namespace)
            }
            outcomes.append((id.intent, namespace == nil ? .absent : .awaited))
            return []
        }
        if let named = pod.namespace, named != attachments[id] {
            if named != namespace { outcomes.append((id.intent, .rejected(.placedElsewhere(id, namespace, named)))) }
            return named == namespace ? [.pod(pod)] : []
        }
        setAttachment(of: id, to: namespace)
        pod.namespace = namespace
        return [.pod(pod)]
    }

    /// How many attachments are remembered; each may be a path of 4,095 bytes.
    private var mostAttachments: Int { max(1, mostValues / 64) }

    private mutating func setAttachment(of pod: ID<Pod>, to namespace: String?) {
        guard attachments[pod] != namespace else { return }
        attachments[pod] = namespace
        attached[pod] = .some(namespace)
    }

    private mutating func note(_ id: IntentID, before intent: Intent?) {
        if before[id] == nil { before[id] = .some(intent) }
    }

    /// Whether nothing is different that is to be remembered.
    var isEmpty: Bool { before.isEmpty && attached.isEmpty && ledger.unsaved.isEmpty }

    /// Each changed resource, before and after.
    func changed(in intents: Intents) -> [(before: Intent?, after: Intent?)] { before.map { ($0.value, intents[$0.key]) } }

    /// The changed pods.
    var pods: [ID<Pod>] { before.keys.filter { $0.kind == .pod }.map { ID($0.id) } }

    /// Addresses that pods have let go.
    func released(in intents: Intents) -> [Released] {
        before.flatMap { id, intent -> [Released] in
            guard case .pod(let old)? = intent else { return [] }
            var gone = old.addresses
            if case .pod(let new)? = intents[id], new.network == old.network { gone.removeAll { new.addresses.contains($0) } }
            return gone.map { Released($0, of: old.network) }
        }
    }
}

extension Rejected {
    fileprivate static func manyAttachments(_ pod: ID<Pod>, _ most: Int) -> Rejected {
        Rejected(
            intent: pod.intent, field: "namespace", reason: "\(most) attachments are remembered already (intents.maxValues / 64)",
            valid: "to push the pod first, or to detach what isn't needed any more")
    }

    fileprivate static func placedElsewhere(_ pod: ID<Pod>, _ namespace: String?, _ named: String) -> Rejected {
        Rejected(
            intent: pod.intent, field: "namespace", value: namespace ?? "", reason: "the pod's intent names its namespace itself",
            valid: named)
    }
}

/// What shows in what a whole names that it is older than what is in force: it says of a resource what was said before
/// something newer of it. What it leaves out may have come since.
private struct Age {
    private var everywhere: Edits.Whole?
    /// By networks of tenants: a client that is held to a network chooses its resources' revisions, and by a high one
    /// it would otherwise keep whoever pushes everything from taking anything away, wherever that is.
    private var inNetworks: [ID<Network>: Edits.Whole] = [:]

    init(of upserts: [Intent], in intents: Intents, _ tenants: Set<ID<Network>>) {
        for intent in upserts where intent.revision > 0 && !intents.leaving.contains(intent.id) {
            guard let there = intents[intent.id], there.revision > intent.revision else { continue }
            let whole = Edits.Whole.names(intent.id, inForce: there.revision)
            if let network = there.owner, tenants.contains(network) {
                inNetworks[network] = inNetworks[network] ?? whole
            } else {
                everywhere = everywhere ?? whole
            }
        }
    }

    /// Why a resource stays that is left out; nil: it goes.
    func whole(for intent: Intent?) -> Edits.Whole? { everywhere ?? intent?.owner.flatMap { inNetworks[$0] } }
}
