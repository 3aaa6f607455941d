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
        case .add, .change: insert(entry)
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
        case .address, .route, .neighbor, .rule, .element: return
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
