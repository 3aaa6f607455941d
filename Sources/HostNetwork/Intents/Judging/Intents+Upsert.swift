extension Intents {
    /// Takes in one resource, judged against the rest; when it throws, nothing has changed.
    ///
    /// - Parameter quota: how much there may be afterwards; nil: any amount.
    package mutating func upsert(_ intent: Intent, within quota: Quota? = nil) throws(Rejected) -> Disposition {
        let id = intent.id
        let previous = self[id]
        // What is leaving was deleted: its revision binds nobody, and asking for it again calls it back.
        if let previous, !leaving.contains(id) {
            guard intent.revision == 0 || intent.revision >= previous.revision else { return .stale(inForce: previous.revision) }
            if intent.with(revision: previous.revision) == previous {
                guard intent.revision > previous.revision else { return .unchanged(revised: false) }
                put(intent)
                return .unchanged(revised: true)
            }
        }
        try quota?.judge(intent, replacing: previous, in: self)
        try judge(intent)
        var released = previous?.references.subtracting(intent.references) ?? []
        put(intent)
        var refused: [Rejected] = []
        if case .network(let network) = intent, previous == nil {
            for intent in misfits(of: network.id, refused: &refused) {
                drop(intent.id)
                released.formUnion(intent.references)
            }
        }
        return .accepted(previous: previous, left: release(released), refused: refused)
    }

    /// Takes in many, whatever their order: what one of them has to wait for or give way to may be another. One answer for each, in the order given.
    package mutating func upsert(contentsOf intents: [Intent], within quota: Quota? = nil) -> [Result<Disposition, Rejected>] {
        var answers = [Result<Disposition, Rejected>?](repeating: nil, count: intents.count)
        var open = Kind.allCases.flatMap { kind in intents.indices.filter { intents[$0].kind == kind } }
        lazy var last = Dictionary(intents.enumerated().map { ($1.id, $0) }) { max($0, $1) }
        while true {
            var rejected: [Int] = []
            for position in open {
                do throws(Rejected) {
                    answers[position] = .success(try upsert(intents[position], within: quota))
                } catch {
                    answers[position] = .failure(error)
                    rejected.append(position)
                }
            }
            guard !rejected.isEmpty else { break }
            // Of two with one name the later one counts, so the earlier one gets no second chance after it.
            rejected.removeAll { last[intents[$0].id] != $0 }
            guard rejected.count < open.count else { break }
            open = rejected
        }
        return answers.compactMap(\.self)
    }

    /// Resources that waited for a network and don't fit it now that it is known.
    private func misfits(of network: ID<Network>, refused: inout [Rejected]) -> [Intent] {
        let pods = (index.podsByNetwork[network] ?? []).sorted().compactMap { self.pods[$0] }.map(Intent.pod)
        let neighbors = (index.neighborsByNetwork[network] ?? []).sorted().compactMap { self.neighbors[$0] }.map(Intent.neighbor)
        var misfits: [Intent] = []
        for waiting in pods + neighbors {
            do throws(Rejected) {
                try judge(waiting)
            } catch {
                refused.append(error)
                misfits.append(waiting)
            }
        }
        return misfits
    }
}

extension Intent {
    /// What it keeps from leaving.
    var references: Set<IntentID> {
        switch self {
        case .pod(let pod): Set(pod.securityGroups.map(\.intent))
        case .securityGroup(let group): Set(group.remoteAddressGroups.map(\.intent))
        case .network, .addressGroup, .neighbor: []
        }
    }
}
