extension Intent {
    /// How many values it has: one for the resource, and one for each subnet, route, prefix, rule, address, group and address pair in it.
    /// A long path of a namespace counts for as many as take its memory.
    package var values: Int {
        switch self {
        case .network(let network): network.subnets.reduce(1) { $0 + 1 + $1.routes.count }
        case .addressGroup(let group): 1 + group.cidrs.count
        case .securityGroup(let group): 1 + group.rules.count
        case .pod(let pod):
            1 + pod.addresses.count + pod.securityGroups.count + pod.allowedAddressPairs.count + (pod.namespace?.utf8.count ?? 0) / 256
        case .neighbor(let neighbor): 1 + neighbor.addresses.count + neighbor.securityGroups.count
        }
    }

    /// The network that it is a part of; nil for a network, and for what serves all networks. A client that is held to
    /// networks may change what has one of them here (`Scope.admits`).
    package var owner: ID<Network>? {
        switch self {
        case .network, .addressGroup: nil
        case .securityGroup(let group): group.network
        case .pod(let pod): pod.network
        case .neighbor(let neighbor): neighbor.network
        }
    }
}
