/// Which routing domains there are, and what each of them is told.
///
/// The host is always one. An isolated network is one as long as it has a pod on this host; until then its resources are only remembered.
/// What belongs to no network is told to all, and a network that isn't known is taken for the host's, where its pods wait for it.
///
/// Law: the intents that a domain was told of are those that `seen(by:in:)` says, however they came.
package struct DomainMap: Hashable, Sendable {
    package private(set) var there: Set<RoutingDomain> = [.host]
    fileprivate private(set) var isolated: Set<ID<Network>> = []

    package init() {}

    /// What a domain is to do.
    package enum Step {
        /// It is new, and these are its intents.
        case begin(Intents)
        case change([Changed])
        /// The last of it goes, and so does the domain.
        case end([Changed])
    }

    package func domain(of network: ID<Network>) -> RoutingDomain { isolated.contains(network) ? .network(network) : .host }

    /// Takes changes that were made, each resource once; `intents` are those afterwards.
    package mutating func take(_ changed: [Changed], in intents: Intents) -> [RoutingDomain: Step] {
        let old = self
        var concerned: Set<ID<Network>> = []
        for change in changed {
            for intent in [change.before, change.after] {
                if let network = intent?.network { concerned.insert(network) }
            }
            guard let intent = change.after ?? change.before, case .network(let network) = intent else { continue }
            if change.after != nil, network.isolated { isolated.insert(network.id) } else { isolated.remove(network.id) }
        }
        for network in concerned {
            let exists = isolated.contains(network) && intents.index.podsByNetwork[network] != nil
            if exists { there.insert(.network(network)) } else { there.remove(.network(network)) }
        }
        var told: [RoutingDomain: [Changed]] = [:]
        for change in changed { tell(change, since: old, &told) }
        for change in moved(concerned, since: old, besides: changed, in: intents) { tell(change, since: old, &told) }
        var steps: [RoutingDomain: Step] = [:]
        for (domain, changes) in told where old.there.contains(domain) {
            steps[domain] = there.contains(domain) ? .change(changes) : .end(changes)
        }
        for case .network(let network) in there.subtracting(old.there) { steps[.network(network)] = .begin(intents.seen(from: network)) }
        return steps
    }

    /// What a network takes along that lives elsewhere than before.
    private func moved(
        _ networks: Set<ID<Network>>, since old: DomainMap, besides changed: [Changed], in intents: Intents
    ) -> [Changed] {
        let movers = networks.filter { domain(of: $0) != old.domain(of: $0) }
        guard !movers.isEmpty else { return [] }
        let named = Set(changed.compactMap { ($0.after ?? $0.before)?.id })
        return movers.flatMap { intents.dependents(of: $0) }.filter { !named.contains($0.id) }.map { ($0, $0) }
    }

    /// Adds a change to what is told to the domains that see the resource before it or after it.
    private func tell(_ change: Changed, since old: DomainMap, _ told: inout [RoutingDomain: [Changed]]) {
        switch (change.before.map(old.seer), change.after.map(seer)) {
        case (nil, let domain??), (let domain??, nil): told[domain, default: []].append(change)
        case (let before??, let after??) where before == after: told[after, default: []].append(change)
        default:
            let (before, after) = (change.before.map(old.seers) ?? [], change.after.map(seers) ?? [])
            for domain in before.union(after) {
                told[domain, default: []].append(
                    (before.contains(domain) ? change.before : nil, after.contains(domain) ? change.after : nil))
            }
        }
    }

    /// The only domain that sees it; nil: all do.
    private func seer(of intent: Intent) -> RoutingDomain? { intent.network.map(domain) }

    private func seers(of intent: Intent) -> Set<RoutingDomain> { seer(of: intent).map { [$0] } ?? there }
}

extension Intents {
    /// What a routing domain is to know of.
    package func seen(by domain: RoutingDomain, in map: DomainMap) -> Intents {
        switch domain {
        case .network(let network): return seen(from: network)
        case .host:
            var seen = self
            seen.leaving = []
            seen.hostPlaces = HostPlaces()
            for network in map.isolated {
                for intent in dependents(of: network) { seen.drop(intent.id) }
                seen.drop(network.intent)
            }
            return seen
        }
    }
}
