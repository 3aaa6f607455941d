extension Desired {
    /// The plan that makes `believed` what is wanted. Where it takes something away from a binding, that binding's next epoch
    /// begins in the same transaction, so that each of its tracked flows is judged again.
    ///
    /// - Parameter keys: the objects that may differ; all others are known to be as wanted.
    package mutating func plan(from believed: HostState, touching keys: Set<Object.Key>) -> Plan {
        var plan = Plan(from: believed, to: state, touching: keys)
        // Before stamps counted at the ends of a flow alone, any pod on its way may have written one.
        let foreign = believed.isOfForeignStamps ? Family.allCases.map { AddressRange(Prefix.everything($0)) } : []
        plan.rewound = foreign
        let losers = losers(among: keys, in: believed)
        guard !losers.isEmpty else { return plan }
        var next: [ID<Pod>: Epoch] = [:]
        var rewound = foreign
        for pod in losers {
            let (epoch, wrapped) = (epochs[pod] ?? .first).next(in: layout.marks)
            next[pod] = epoch
            if wrapped { rewound += intents.pods[pod]?.ownRanges ?? [] }
        }
        let bumped = set(next)
        var final = Plan(from: believed, to: state, touching: keys.union(bumped))
        final.rewound = rewound
        return final
    }

    /// The plan against everything that there is.
    package mutating func plan(from actual: HostState) -> Plan {
        plan(from: actual, touching: actual.keys(differingFrom: state))
    }

    /// The pods that had a binding and lose a permission: an element or rule goes that their binding reads. One that goes
    /// because a wider one comes counts too; its flows are judged again, and pass.
    private func losers(among keys: Set<Object.Key>, in believed: HostState) -> Set<ID<Pod>> {
        var losers: Set<ID<Pod>> = []
        var seen: Set<Named> = []
        for key in keys {
            guard let old = believed.entries[key], old != state.entries[key] else { continue }
            switch old.object {
            // The fixed part isn't as it should be, and perhaps wasn't for long: nothing that passed by it counts.
            case .chain, .set, .table: if state.entries[key] != nil { return Set(intents.pods.keys.filter { isInForce($0, in: believed) }) }
            case .element(let element):
                let base = BaseSet(element.set)
                if case .slot = base {
                    if let pod = element.link.flatMap({ pod(behind: $0, in: believed) }) { losers.insert(pod) }
                } else if case .fresh = base {
                    // Its flows were stamped and are no longer, or the other way round.
                    if let link = element.link, state[.link(link)] != nil, let pod = pod(behind: link, in: believed) { losers.insert(pod) }
                } else if seen.insert(element.set).inserted {
                    losers.formUnion(readers(of: element.set))
                }
            case .rule(let rule): if seen.insert(rule.chain).inserted { losers.formUnion(readers(of: rule.chain)) }
            case .link, .address, .route, .neighbor, .tunnel, .forwarding, .tableRule: continue
            }
        }
        return losers.filter { intents.pods[$0] != nil && isInForce($0, in: believed) }
    }

    private func pod(behind link: LinkName, in believed: HostState) -> ID<Pod>? {
        // What is believed of a link may bear an alias that somebody else gave it.
        guard case .link(let there)? = state[.link(link)] ?? believed[.link(link)] else { return nil }
        return there.pod
    }

    /// Whether flows of the pod may bear the stamps of its present epoch: a pod that is new has none.
    private func isInForce(_ pod: ID<Pod>, in believed: HostState) -> Bool {
        let link = LinkName(of: pod)
        let epoch = epochs[pod] ?? .first
        let isStamped = Flow.allCases.contains { believed.contains(.element(.fresh(link, epoch, $0, in: layout.marks, isKept: false))) }
        return isStamped || believed[.link(link)] != nil
    }
}

extension HostState {
    /// Whether its ruleset is of a version whose stamps may be other pods' (Docs/Decisions/0035).
    fileprivate var isOfForeignStamps: Bool {
        self[.table(.inet)] != nil && self[.set(BaseSet.party(.v4).id)] == nil
    }

    /// The epochs of the bindings that are in force, so that a daemon that knows nothing goes on where another stopped.
    package func epochs(of pods: some Sequence<ID<Pod>>, in marks: MarkLayout) -> [ID<Pod>: Epoch] {
        let pods = Dictionary(pods.map { (LinkName(of: $0), $0) }) { first, _ in first }
        var epochs: [ID<Pod>: Epoch] = [:]
        let fresh = BaseSet.fresh(.out).id
        for entry in entries.values {
            guard let element = entry.object.element, element.set == fresh, let link = element.link, let pod = pods[link] else { continue }
            let mark = KeyBytes.mark(in: element.key.suffix(4))
            epochs[pod] = marks.epoch(of: mark, mark & marks.mask(of: .sender) != 0 ? .sender : .receiver)
        }
        return epochs
    }
}

extension Pod {
    /// What it may send from: its addresses, and its allowed address pairs.
    package var ownRanges: [AddressRange] {
        AddressRange.disjointUnion(addresses.map { AddressRange(Prefix($0)) } + allowedAddressPairs.map { AddressRange($0.address) })
    }
}
