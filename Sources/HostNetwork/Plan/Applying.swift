/// The meaning of a plan, in pure Swift: the law of its tests, and the model kernel of others'.
extension HostState {
    package func applying(_ plan: Plan) -> HostState {
        var state = self
        for step in plan.steps + plan.stamps { state.apply(step) }
        return state
    }

    package mutating func apply(_ operation: Operation) {
        let entry = operation.entry
        switch operation.action {
        case .add: insert(entry)
        case .change(let old):
            insert(entry)
            for end in old.endsReaddressed(by: entry.object) { removeAll { $0.isNeighbor(at: end) } }
        case .remove: remove(entry.object)
        }
    }

    private mutating func remove(_ object: Object) {
        entries[object.key] = nil
        // The kernel takes away what can't be without it.
        switch object {
        case .link(let link): removeAll { $0.link == link.name }
        case .table(let family): removeAll { $0.table == family }
        case .set(let set): removeAll { $0.element?.set == set.id }
        case .chain(let chain): removeAll { if case .rule(let rule) = $0 { rule.chain == chain.id } else { false } }
        case .address(let gone): loseIPv4(with: gone)
        case .route, .neighbor, .rule, .element: return
        }
    }

    /// An end without an address of IPv4 has no IPv4.
    private mutating func loseIPv4(with gone: InterfaceAddress) {
        guard gone.address.family == .v4 else { return }
        let others = entries.values.contains { entry in
            if case .address(let other) = entry.object { other.end == gone.end && other.address.family == .v4 } else { false }
        }
        guard !others else { return }
        removeAll { object in
            switch object {
            case .route(let route): route.end == gone.end && route.destination.family == .v4
            case .neighbor(let neighbor): neighbor.end == gone.end && neighbor.address.family == .v4
            default: false
            }
        }
    }

    private mutating func removeAll(where isGone: (Object) -> Bool) {
        for (key, entry) in entries where isGone(entry.object) { entries[key] = nil }
    }
}

extension Object {
    /// The table that a part of the ruleset is in.
    var table: TableFamily? {
        switch self {
        case .table(let family): family
        case .chain(let chain): chain.id.family
        case .set(let set): set.id.family
        case .rule(let rule): rule.chain.family
        case .element(let element): element.set.family
        case .link, .address, .route, .neighbor: nil
        }
    }
}

extension Object {
    /// The ends of a link that get another MAC: all that they knew of their neighbors is forgotten (`neigh_changeaddr`,
    /// net/core/neighbour.c).
    func endsReaddressed(by other: Object) -> [End] {
        guard case .link(let old) = self, case .link(let new) = other else { return [] }
        return (old.mac == new.mac ? [] : [End(new.name, .pod)]) + (old.hostMAC == new.hostMAC ? [] : [End(new.name, .host)])
    }

    func isNeighbor(at end: End) -> Bool {
        if case .neighbor(let neighbor) = self { neighbor.end == end } else { false }
    }
}
