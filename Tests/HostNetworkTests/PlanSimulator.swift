import HostNetwork

/// A kernel that refuses what the real one would: whatever refers to something that isn't there, and taking away what is in use.
struct StrictKernel {
    private(set) var state: HostState
    private(set) var complaints: [String] = []

    init(_ state: HostState) { self.state = state }

    mutating func run(_ steps: [HostNetwork.Operation]) {
        var index = 0
        while index < steps.count {
            // Chains that come side by side are made before any is filled.
            var end = index
            while end < steps.count, case .chain = steps[end].object, steps[end].action == .add {
                refuse(steps[end], state[steps[end].object.key] != nil, "it is there already")
                state.apply(steps[end])
                end += 1
            }
            if end > index {
                for step in steps[index..<end] { if case .chain(let chain) = step.object { fill(chain, step) } }
                index = end
            } else {
                take(steps[index])
                index += 1
            }
        }
    }

    private mutating func take(_ step: HostNetwork.Operation) {
        let there = state[step.object.key]
        switch step.action {
        case .add:
            refuse(step, there != nil, "it is there already")
            requireReferents(of: step)
        case .change(let from):
            refuse(step, there != from, "what is there is another: \(there.map { "\($0)" } ?? "nothing")")
            requireReferents(of: step)
        case .remove:
            refuse(step, there != step.object, "it isn't there")
            requireNoReferrer(to: step)
        }
        state.apply(step)
        if case .chain(let chain) = step.object, step.action != .remove { fill(chain, step) }
    }

    private mutating func refuse(_ step: HostNetwork.Operation, _ isRefused: Bool, _ why: String) {
        if isRefused { complaints.append("\(step.text): \(why)") }
    }

    // MARK: What must be there

    private mutating func requireReferents(of step: HostNetwork.Operation) {
        switch step.object {
        case .link, .table, .tunnel: break
        case .tableRule(let rule): requireTable(of: rule, step)
        case .address(let address): requireLink(address.end.link, step)
        case .neighbor(let neighbor): requireLink(neighbor.end.link, step)
        case .forwarding(let entry): requireLink(entry.tunnel, step)
        case .route(let route):
            guard let end = route.end else { return }
            requireLink(end.link, step)
            switch state[.link(end.link)] {
            case .link(let link)? where end.side == .host: refuse(step, !link.isUp, "its link is down")
            case .tunnel(let tunnel)?:
                refuse(step, !tunnel.isUp, "its tunnel is down")
                requireWay(to: route.gateway ?? route.destination.address, by: end, step)
            default: break
            }
        case .chain(let chain): refuse(step, state[.table(chain.id.family)] == nil, "no table")
        case .set(let set): refuse(step, state[.table(set.id.family)] == nil, "no table")
        case .rule(let rule):
            refuse(step, state[.chain(rule.chain)] == nil, "no chain")
            requireReferents(of: rule.statements, rule.chain.family, step)
        case .element(let element):
            guard case .set(let set)? = state[.set(element.set)] else { return refuse(step, true, "no set") }
            if let chain = element.verdict?.chain {
                refuse(step, state[.chain(Named(element.set.family, chain))] == nil, "no chain \(chain)")
            }
            refuse(step, set.isMap != (element.verdict != nil), "a verdict doesn't fit")
            refuse(step, set.isInterval != (element.end != nil), "a range doesn't fit")
            if set.isInterval { requireRoom(for: element, in: set, step) }
        }
    }

    /// What goes into a tunnel finds its way to a host from the first packet on.
    private mutating func requireWay(to address: IPAddress, by end: End, _ step: HostNetwork.Operation) {
        guard case .neighbor(let neighbor)? = state[.neighbor(end, address)] else { return refuse(step, true, "no MAC of its host") }
        refuse(step, state[.forwarding(end.link, neighbor.mac)] == nil, "no address of its host")
    }

    /// A packet that is looked up in a table finds whatever it is to find from the first on.
    private mutating func requireTable(of rule: TableRule, _ step: HostNetwork.Operation) {
        guard case .look(let table) = rule.action else { return }
        let isThere = state.entries.values.contains { if case .route(let route) = $0.object { route.table == table } else { false } }
        refuse(step, !isThere, "its table is empty")
    }

    private mutating func requireLink(_ link: LinkName, _ step: HostNetwork.Operation) {
        refuse(step, state[.link(link)] == nil, "no link")
    }

    private mutating func fill(_ chain: Chain, _ step: HostNetwork.Operation) {
        refuse(step, state[.table(chain.id.family)] == nil, "no table")
        for rule in chain.body { requireReferents(of: rule, chain.id.family, step) }
    }

    private mutating func requireReferents(of statements: Statements, _ family: TableFamily, _ step: HostNetwork.Operation) {
        for statement in statements {
            if let set = statement.set { refuse(step, state[.set(Named(family, set))] == nil, "no set \(set)") }
            if case .verdict(let verdict) = statement, let chain = verdict.chain {
                refuse(step, state[.chain(Named(family, chain))] == nil, "no chain \(chain)")
            }
        }
    }

    /// Interval sets refuse elements that overlap.
    private mutating func requireRoom(for element: Element, in set: NamedSet, _ step: HostNetwork.Operation) {
        for entry in state.entries.values {
            guard let other = entry.object.element, other.set == set.id, other.key != element.key else { continue }
            refuse(step, element.overlaps(other, set), "it overlaps with \(entry.object)")
        }
    }

    // MARK: What must not be there

    private mutating func requireNoReferrer(to step: HostNetwork.Operation) {
        switch step.object {
        case .set(let set):
            for (chain, statements) in rules where chain.family == set.id.family {
                refuse(step, statements.contains { $0.set == set.id.name }, "a rule of \(chain.name) looks it up")
            }
        case .chain(let gone):
            for (chain, statements) in rules where chain.family == gone.id.family && chain != gone.id {
                let names = statements.contains { if case .verdict(let verdict) = $0 { verdict.chain == gone.id.name } else { false } }
                refuse(step, names, "a rule of \(chain.name) names it")
            }
            for entry in state.entries.values {
                guard let element = entry.object.element, element.set.family == gone.id.family else { continue }
                refuse(step, element.verdict?.chain == gone.id.name, "an element of \(element.set.name) names it")
            }
        case .neighbor(let neighbor) where neighbor.end.link.isTunnel:
            let route = state[.route(.host, nil, Prefix(neighbor.address))]
            if case .route(let route)? = route { refuse(step, route.end == neighbor.end, "a route needs it") }
        case .route(let route) where route.table != .main:
            // The last of a table goes when nobody looks there any more.
            let isLast = !state.entries.values.contains {
                if case .route(let other) = $0.object { other.table == route.table && other != route } else { false }
            }
            for case .tableRule(let rule) in state.entries.values.map(\.object) where isLast {
                refuse(step, rule.action == .look(route.table), "packets are looked up in its table")
            }
        case .table, .rule, .element, .link, .address, .route, .neighbor, .tunnel, .forwarding, .tableRule: break
        }
    }

    private var rules: [(Named, Statements)] {
        state.entries.values.flatMap { entry -> [(Named, Statements)] in
            switch entry.object {
            case .chain(let chain): chain.body.map { (chain.id, $0) }
            case .rule(let rule): [(rule.chain, rule.statements)]
            default: []
            }
        }
    }
}

extension Element {
    fileprivate func overlaps(_ other: Element, _ set: NamedSet) -> Bool {
        var start = 0
        for length in set.key.map(\.paddedLength) {
            let field = start..<(start + length)
            let (end, itsEnd) = (self.end ?? key, other.end ?? other.key)
            if end[field].lexicographicallyPrecedes(other.key[field]) || itsEnd[field].lexicographicallyPrecedes(key[field]) {
                return false
            }
            start += length
        }
        return true
    }
}
