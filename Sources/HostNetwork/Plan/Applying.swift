/// The meaning of a plan, in pure Swift: the law of its tests, and the model kernel of others'.
extension HostState {
    package func applying(_ plan: Plan) -> HostState {
        var state = self
        state.apply(contentsOf: plan.steps + plan.stamps)
        return state
    }

    /// Sets and chains that go one after the other are searched for what they held all at once.
    package mutating func apply(contentsOf operations: [Operation]) {
        var gone: Set<Named> = []
        for operation in operations {
            if operation.action == .remove, let holder = operation.object.holder {
                remove(operation.object.key)
                if !isEmpty(holder) { gone.insert(holder) }
            } else {
                empty(&gone)
                apply(operation)
            }
        }
        empty(&gone)
    }

    package mutating func apply(_ operation: Operation) {
        let entry = operation.entry
        switch operation.action {
        case .add: insert(entry)
        case .change(let old):
            insert(entry)
            for end in old.endsReaddressed(by: entry.object) { remove(on: end.link) { $0.isNeighbor(at: end) } }
        case .remove: remove(entry.object)
        }
    }

    private mutating func remove(_ object: Object) {
        remove(object.key)
        // The kernel takes away what can't be without it.
        switch object {
        case .link(let link): remove(on: link.name) { _ in true }
        case .tunnel(let tunnel): remove(on: tunnel.name) { _ in true }
        case .table(let family): removeAll { $0.table == family }
        case .set, .chain:
            var gone = Set([object.holder].compactMap(\.self).filter { !isEmpty($0) })
            empty(&gone)
        case .address(let gone): loseIPv4(with: gone)
        case .route, .neighbor, .forwarding, .tableRule, .rule, .element: return
        }
    }

    /// An end without an address of IPv4 has no IPv4.
    private mutating func loseIPv4(with gone: InterfaceAddress) {
        guard gone.address.family == .v4 else { return }
        let others = keys(on: gone.end.link).contains { key in
            if case .address(let end, let other) = key { end == gone.end && other.family == .v4 } else { false }
        }
        guard !others else { return }
        remove(on: gone.end.link) { object in
            switch object {
            case .route(let route): route.end == gone.end && route.destination.family == .v4
            case .neighbor(let neighbor): neighbor.end == gone.end && neighbor.address.family == .v4
            default: false
            }
        }
    }

    /// Takes away what these sets and chains hold.
    private mutating func empty(_ holders: inout Set<Named>) {
        guard !holders.isEmpty else { return }
        let gone = holders
        removeAll { $0.container.map(gone.contains) ?? false }
        holders = []
    }

    private mutating func remove(on link: LinkName, where isGone: (Object) -> Bool) {
        for key in keys(on: link) where self[key].map(isGone) ?? false { remove(key) }
    }

    private mutating func removeAll(where isGone: (Object) -> Bool) {
        for (key, entry) in entries where isGone(entry.object) { remove(key) }
    }
}

extension Object {
    /// The table that a part of the ruleset is in.
    package var table: TableFamily? {
        switch self {
        case .table(let family): family
        case .chain(let chain): chain.id.family
        case .set(let set): set.id.family
        case .rule(let rule): rule.chain.family
        case .element(let element): element.set.family
        case .link, .address, .route, .neighbor, .tunnel, .forwarding, .tableRule: nil
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
