/// Where a network lives: in the host's own routing, or in a network namespace of its own, whose addresses mean nothing elsewhere.
package enum RoutingDomain: Hashable, Sendable, Comparable, CustomStringConvertible {
    case host
    case network(ID<Network>)

    package var description: String {
        switch self {
        case .host: "the host"
        case .network(let id): "network \(id)"
        }
    }
}

/// A resource before and after a change; nil where it wasn't, or isn't any more.
package typealias Changed = (before: Intent?, after: Intent?)

extension Intent {
    /// The network that it belongs to; nil for what every network sees.
    package var network: ID<Network>? {
        switch self {
        case .network(let network): network.id
        case .pod(let pod): pod.network
        case .neighbor(let neighbor): neighbor.network
        case .securityGroup(let group): group.network
        case .addressGroup: nil
        }
    }
}

extension Intents {
    /// What there is of one network, itself included, and of no network at all.
    func seen(from network: ID<Network>) -> Intents {
        var seen = Intents()
        for intent in dependents(of: network) { seen.put(intent) }
        if let network = networks[network] { seen.put(.network(network)) }
        for group in securityGroups.values where group.network == nil { seen.put(.securityGroup(group)) }
        for group in addressGroups.values { seen.put(.addressGroup(group)) }
        return seen
    }

    /// The pods, neighbors and groups of one network.
    package func dependents(of network: ID<Network>) -> [Intent] {
        (index.podsByNetwork[network] ?? []).compactMap { pods[$0].map(Intent.pod) }
            + (index.neighborsByNetwork[network] ?? []).compactMap { neighbors[$0].map(Intent.neighbor) }
            + securityGroups.values.filter { $0.network == network }.map(Intent.securityGroup)
    }

    /// Takes what was judged elsewhere.
    package mutating func mirror(_ changed: [Changed]) {
        for change in changed {
            if let after = change.after { put(after) } else if let before = change.before { drop(before.id) }
        }
    }
}
