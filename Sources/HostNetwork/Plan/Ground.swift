/// What is known of pods' network namespaces. A pod may be root in its own: nothing that is found there is
/// believed to be Hawser's because it bears Hawser's mark.
package struct Ground: Hashable, Sendable {
    /// The namespaces that the pod sides of pairs belong into. A pair that isn't named here may be wherever
    /// its path leads.
    package var homes: [LinkName: NamespaceIdentity] = [:]
    /// Addresses that pods have let go: one that bears the mark at a pod's interface was left there.
    package var former: Set<IPAddress> = []

    package init() {}
}

/// Why nothing is known of what there is at a pod's interface.
package struct Untold: Hashable, Sendable {
    package var reason: String
    /// There is more than anybody would put there, and it is to be left alone for a while.
    package var isTooMuch: Bool

    package init(_ reason: String, isTooMuch: Bool = false) {
        self.reason = reason
        self.isTooMuch = isTooMuch
    }
}

extension Object {
    package var isInside: Bool { key.isInside }
}

extension Object.Key {
    /// The pair or tunnel that it is of, where the key says it: a route of the host's doesn't.
    package var link: LinkName? {
        switch self {
        case .link(let link), .forwarding(let link, _): link
        case .address(let end, _), .neighbor(let end, _): end.link
        case .route(_, let link, _): link
        case .tableRoute, .tableRule, .table, .chain, .set, .rule, .element: nil
        }
    }

    /// Whether it is in a pod's namespace, and nowhere else.
    package var isInside: Bool {
        switch self {
        case .address(let end, _), .neighbor(let end, _): end.side == .pod
        case .route(let side, _, _): side == .pod
        case .link, .tableRoute, .tableRule, .forwarding, .table, .chain, .set, .rule, .element: false
        }
    }
}

extension HostState {
    /// Takes over from another state what there is inside of pods that nothing is known of now, and their
    /// pairs where nobody could say where their other ends are. `others`: the first that knows of the pair
    /// counts.
    package mutating func assume(_ untold: some Sequence<LinkName>, from others: HostState...) {
        for name in untold {
            guard case .link(let link)? = self[.link(name)],
                let known = others.first(where: { $0[.link(name)] != nil })
            else { continue }
            for key in known.keys(on: name)
            where key.isInside || (key == .link(name) && link.namespace.isEmpty) {
                if let entry = known.entries[key] { insert(entry) }
            }
        }
    }
}
