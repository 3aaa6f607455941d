import HawserAPI
import HostNetwork
import Logging

extension Reconciler {
    /// The domain that knows a pod.
    func domain(of pod: Pod) -> DomainReconciler? { domains[map.domain(of: pod.network)] }

    func makeDomain(_ domain: RoutingDomain) -> DomainReconciler {
        DomainReconciler(
            domain, layout: layout, host: host, logger: logger, tell: { [inbox] in inbox.put(done: $0) },
            whenLost: { [inbox] in inbox.put(lost: $0) })
    }

    /// Gives each domain its work, or holds it until others have let go of what it takes.
    func send(_ works: [RoutingDomain: DomainWork]) {
        let waits = Self.waits(works)
        for (domain, work) in works.sorted(by: { $0.key < $1.key }) {
            var others = waits[domain] ?? []
            // The network's last pod went a moment ago, and its domain is still on its way out, or has yet to come and go.
            if work.begin != nil, domains[domain] != nil || passes.holds(domain) { others.insert(domain) }
            if !passes.hold(work, for: domain, after: others) { deliver(work, to: domain) }
        }
    }

    private func deliver(_ work: DomainWork, to domain: RoutingDomain) {
        if domains[domain] == nil {
            let new = makeDomain(domain)
            domains[domain] = new
            nursery.yield(new)
        }
        domains[domain]?.queue.put(work)
    }

    /// Takes what came of a domain's work, and answers who waited for the last of it.
    func take(_ outcome: DomainOutcome) {
        let ailing = note(outcome)
        if outcome.isOver { domains[outcome.domain] = nil }
        let (complete, free) = passes.take(outcome)
        for (domain, work) in free { deliver(work, to: domain) }
        var concerned = ailing.union(outcome.applied.refusals.map(\.because))
        if outcome.isWhole || outcome.unread != nil { concerned.formUnion(residents(of: outcome.domain)) }
        for pass in complete { concerned.subtract(pass.concerned) }
        for id in concerned { record(id, source: nil) }
        for pass in complete { finish(pass) }
        if outcome.isWhole, !released.isEmpty { forgetReleased() }
    }

    /// Answers the resources that ail since, or don't any more.
    @discardableResult
    func note(_ outcome: DomainOutcome) -> Set<IntentID> {
        let ailing = standings.take(outcome)
        domains[outcome.domain]?.health.settle(outcome.settled)
        for repair in outcome.repairs {
            repairs += 1
            logger.warning("repaired \(repair.owner == Layout.because ? "\(outcome.domain)" : "\(repair.owner)"): \(repair.words)")
            journal.record(EventView(repair, in: outcome.domain))
        }
        if outcome.domain == .host { generation = outcome.applied.generation ?? generation }
        return ailing
    }

    /// The resources that stand as a domain does.
    func residents(of domain: RoutingDomain) -> [IntentID] {
        switch domain {
        case .host:
            intents.all.filter { intent in intent.network.map { map.domain(of: $0) == .host } ?? true }.map(\.id)
        case .network(let network): intents.dependents(of: network).map(\.id) + [network.intent]
        }
    }

    /// Which domains must wait for which: what fills a pod's place waits for who empties it.
    private static func waits(_ works: [RoutingDomain: DomainWork]) -> [RoutingDomain: Set<RoutingDomain>] {
        guard works.count > 1 else { return [:] }
        var left: [IntentIndex.Plug: RoutingDomain] = [:]
        for (domain, work) in works {
            for change in work.changed { if let plug = change.before?.plug, change.after?.plug != plug { left[plug] = domain } }
        }
        guard !left.isEmpty else { return [:] }
        var waits: [RoutingDomain: Set<RoutingDomain>] = [:]
        for (domain, work) in works.sorted(by: { $0.key < $1.key }) {
            let coming = work.changed.compactMap { $0.after?.plug } + (work.begin?.pods.values.compactMap { Intent.pod($0).plug } ?? [])
            for plug in coming {
                // Two that wait for each other would wait for ever; whoever comes too early is tried again.
                if let other = left[plug], other != domain, !(waits[other]?.contains(domain) ?? false) {
                    waits[domain, default: []].insert(other)
                }
            }
        }
        return waits
    }
}

extension EventView {
    /// What belongs to no resource alone is told of the ruleset's: its fixed part.
    fileprivate init(_ repair: Repair, in domain: RoutingDomain) {
        let isShared = repair.owner == Layout.because
        self.init(
            kind: isShared ? "ruleset" : repair.owner.kind.rawValue, id: isShared ? "\(domain)" : repair.owner.id, event: "repaired",
            reason: repair.words)
    }
}

extension Intent {
    /// The place of a pod's interface.
    fileprivate var plug: IntentIndex.Plug? { if case .pod(let pod) = self { .init(pod) } else { nil } }
}
