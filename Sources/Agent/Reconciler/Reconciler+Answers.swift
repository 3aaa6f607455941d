import HawserAPI
package import HostNetwork

extension Reconciler {
    /// What a change would do, on copies of everything.
    func rehearse(_ change: Change, _ source: String) async -> Report {
        let start = ContinuousClock.now
        var intents = intents
        var map = map
        var edits = Edits(intents, attachments, ledger, mostValues: mostValues, tenants: tenants)
        let taken = edits.admit(change, from: source, into: &intents)
        var namespaces = namespaces
        var looks: [ID<Pod>: NamespaceTable.Look] = [:]
        for pod in edits.pods {
            _ = namespaces.place(pod, at: intents.pods[pod]?.namespace, intents.pods[pod]?.interface ?? "")
            looks[pod] = [.same, .appeared, .replaced].contains(namespaces.look(at: pod)) ? .appeared : .gone
        }
        var plan: [String] = []
        for (domain, step) in map.take(edits.changed(in: intents), in: intents).sorted(by: { $0.key < $1.key }) {
            var work = DomainWork(nil)
            work.take(step)
            for (pod, look) in looks { work.take(look, at: pod) }
            plan += await (domains[domain] ?? makeDomain(domain)).rehearse(work)
        }
        let answers = taken.outcomes.map { id, outcome in
            answer(id, outcome, intents, namespaces, kernel: .zero, total: ContinuousClock.now - start)
        }
        var report = Report(answers: answers, generation: generation, plan: plan)
        report.goal = taken.goal
        return report
    }

    func report(_ taken: Edits.Taken, _ applied: Applied, _ total: Duration) -> Report {
        let answers = taken.outcomes.map {
            answer($0, $1, intents, namespaces, kernel: applied.kernel, total: total)
        }
        var report = Report(
            answers: answers, messages: applied.messages, bytes: applied.bytes,
            generation: applied.generation ?? generation)
        report.goal = taken.goal
        return report
    }

    /// What reading the host again came to: nothing is known of what is in a domain that can't be read.
    func resynced(_ applied: Applied, blind: [RoutingDomain: String], _ total: Duration) -> Report {
        var report = report(Edits.Taken(outcomes: intents.all.map { ($0.id, .accepted) }), applied, total)
        guard !blind.isEmpty else { return report }
        var reasons: [IntentID: String] = [:]
        for (domain, reason) in blind { for id in residents(of: domain) { reasons[id] = reason } }
        for (index, answer) in report.answers.enumerated() {
            guard let id = answer.intent, let reason = reasons[id] else { continue }
            report.answers[index] = Answer(intent: id, status: .failed, reason: reason)
        }
        // Nobody's, on a host that nothing is asked of yet.
        if reasons.isEmpty { report.answers += blind.values.sorted().map { Answer(intent: nil, status: .failed, reason: $0) } }
        return report
    }

    private func answer(
        _ id: IntentID?, _ outcome: Edits.Outcome, _ intents: Intents, _ namespaces: NamespaceTable, kernel: Duration, total: Duration
    ) -> Answer {
        var answer: Answer
        switch outcome {
        case .rejected(let rejected): return Answer(rejected)
        case .stale(let revision): answer = Answer(intent: id, status: .stale, reason: "revision \(revision) is in force")
        case .removed: answer = id.flatMap(standings.failure) ?? Answer(intent: id, status: .applied)
        case .absent:
            answer = Answer(intent: id, status: .applied)
            if let reason = missed?.keeping, id?.kind == .pod {
                answer = Answer(intent: id, status: .deferred, reason: "isn't known. \(reason)")
            }
        case .kept(let whole): answer = Answer(intent: id, status: .stale, reason: whole.description)
        case .awaited: answer = Answer(intent: id, status: .pending, reason: "waits for the pod's intent")
        case .deferred(let users):
            answer = Answer(
                intent: id, status: .deferred,
                reason: "deleted, and in force until \(users.sorted().map(\.description).joined(separator: ", ")) let go")
        case .accepted, .unchanged:
            guard let id else { return Answer(intent: nil, status: .applied) }
            answer = standings.answer(id, in: intents, missing: Self.missing(namespaces))
        }
        answer.kernelMicroseconds = kernel.microseconds
        answer.totalMicroseconds = total.microseconds
        return answer
    }

    package func standings(of ids: [IntentID]) -> [IntentID: Answer] {
        Dictionary(
            ids.compactMap { id in
                // What is to be gone may not be yet.
                guard intents[id] != nil else { return standings.failure(of: id).map { (id, $0) } }
                return (id, standings.answer(id, in: intents, missing: Self.missing(namespaces)))
            }, uniquingKeysWith: { $1 })
    }

    package func standings(of ids: [IntentID], within view: Scope?) -> [IntentID: Answer] {
        // Another network's resource may have the id by now.
        standings(of: ids.filter { id in intents[id].flatMap { view?.shows($0) } ?? true })
    }

    package func pod(_ id: ID<Pod>) -> (pod: Pod, subnets: [Subnet])? {
        guard var pod = intents.pods[id] else { return nil }
        let network = intents.networks[pod.network]
        pod.mtu = pod.mtu(in: network, over: layout.underlay)
        return (pod, network?.subnets ?? [])
    }

    static func missing(_ namespaces: NamespaceTable) -> (Pod) -> NamespaceTable.Absence? {
        { pod in pod.namespace == nil ? .awaits("its attachment") : namespaces.absence(of: pod.id) }
    }

    /// Judges how a resource stands now, and tells the journal when that is news.
    func record(_ id: IntentID, source: String?, refused: Rejected? = nil) {
        guard intents[id] != nil else {
            if standings[id] != nil {
                let event = refused == nil ? "deleted" : Status.rejected.rawValue
                journal.record(EventView(kind: id.kind.rawValue, id: id.id, event: event, reason: refused?.description, source: source))
            }
            standings.forget(id)
            return
        }
        let (standing, isNew) = standings.judge(id, in: intents, missing: Self.missing(namespaces))
        guard isNew else { return }
        journal.record(
            EventView(kind: id.kind.rawValue, id: id.id, event: standing.status.rawValue, reason: standing.reason, source: source))
    }

    /// The networks whose routes lead through what changed, was changed, or came and went.
    func routed(by changed: some Sequence<Intent>) -> Set<IntentID> {
        var networks: Set<IntentID> = []
        for intent in changed {
            let (network, addresses): (ID<Network>, [IPAddress])
            switch intent {
            case .pod(let pod): (network, addresses) = (pod.network, pod.addresses)
            case .neighbor(let neighbor): (network, addresses) = (neighbor.network, neighbor.addresses)
            case .network, .addressGroup, .securityGroup: continue
            }
            guard let hops = intents.networks[network]?.nextHops, addresses.contains(where: hops.contains) else { continue }
            networks.insert(network.intent)
        }
        return networks
    }

    /// The pods that may stand differently when this resource does.
    func waiting(for id: IntentID) -> Set<IntentID> {
        let index = intents.index
        return switch id.kind {
        case .network: Set((index.podsByNetwork[ID(id.id)] ?? []).map(\.intent))
        case .securityGroup: Set((index.podsByGroup[ID(id.id)] ?? []).map(\.intent))
        case .addressGroup, .pod, .neighbor, .elasticIP: []
        }
    }
}

extension Edits.Whole: CustomStringConvertible {
    var description: String {
        switch self {
        case .revision(let whole, let inForce): "left out by a snapshot of revision \(whole), and revision \(inForce) is in force"
        case .names(let id, let inForce): "left out by a snapshot that is older than what is in force: revision \(inForce) of \(id) is"
        }
    }
}

extension Report {
    /// Nothing of a change was taken, for it couldn't be remembered.
    init(refusing taken: Edits.Taken, because failure: some Error) {
        self.init(
            answers: taken.outcomes.map { id, outcome in
                if case .rejected(let rejected) = outcome { return Answer(rejected) }
                return Answer(intent: id, status: .failed, reason: "not stored, so not applied: \(failure)")
            })
        goal = taken.goal?.unstored(because: failure)
    }
}

extension Duration {
    var microseconds: Int { Int(components.seconds) * 1_000_000 + Int(components.attoseconds / 1_000_000_000_000) }
}
