/// The part of a host that a client may change: the pods, neighbors and groups of some networks.
///
/// What a network is (its subnets, gateways, routes, tunnels, whether it is isolated) is the operator's to say, because in the shared
/// routing domain it is everybody's routing. So is what belongs to no network (an address group, a group that serves all networks),
/// because others lean on it. See Docs/Decisions/0038.
package struct Scope: Hashable, Sendable {
    package var networks: Set<ID<Network>>
    /// Beginnings that ids of new resources may have beside "<network>/"; an empty one allows any id.
    package var ids: Set<String>
    /// Addresses of hosts that neighbors may be said to live on.
    package var hosts: Set<Prefix>

    package init(_ networks: Set<ID<Network>>, ids: Set<String> = [], hosts: Set<Prefix> = []) {
        self.networks = networks
        self.ids = ids
        self.hosts = hosts
    }

    /// Whether a resource belongs to this part.
    package func admits(_ intent: Intent) -> Bool {
        switch intent {
        case .network, .addressGroup: false
        case .securityGroup(let group): group.network.map(networks.contains) ?? false
        case .pod(let pod): networks.contains(pod.network)
        case .neighbor(let neighbor): networks.contains(neighbor.network)
        }
    }

    /// Whether its client may be told how a resource stands: one of this part, or what the networks themselves are.
    package func shows(_ intent: Intent) -> Bool {
        if case .network(let network) = intent { networks.contains(network.id) } else { admits(intent) }
    }

    /// Whether a resource that isn't there may be given this id. Otherwise the client of one network could take ids that another network's
    /// resources are to have.
    package func mayName(_ id: IntentID, in intents: Intents) -> Bool {
        switch id.kind {
        case .network, .addressGroup, .elasticIP: return false
        case .securityGroup, .pod, .neighbor: break
        }
        if ids.contains(where: id.id.hasPrefix) { return true }
        // A network's id may have slashes itself: the longest that the id begins with is the one that it belongs to.
        var owner: ID<Network>?
        for slash in id.id.indices where id.id[slash] == "/" {
            let network = ID<Network>(String(id.id[..<slash]))
            if networks.contains(network) || intents.networks[network] != nil { owner = network }
        }
        return owner.map(networks.contains) ?? false
    }

    // MARK: Refusals

    /// The beginning of every reason for which a client's rights don't suffice.
    package static let mark = "this client may not"
    package static let words = mark + " change it"

    /// Why a resource can't be changed. The same whether another network has it or nobody does: that is nothing to tell this client.
    package func refusal(of id: IntentID?) -> Rejected {
        Rejected(intent: id, field: "network", reason: Self.words, valid: valid)
    }

    private var valid: String {
        guard !networks.isEmpty else { return "nothing: this client may only read" }
        let names = networks.map(\.value).sorted()
        let part = "pods, neighbors and groups of network " + names.joined(separator: ", ")
        guard !ids.contains("") else { return part }
        return part + ", new ones with an id that begins with " + (names.map { $0 + "/" } + ids.sorted()).joined(separator: " or ")
    }
}

extension Rejected {
    /// Returns the refusal as the client of `scope` is told it: without the name of a resource that isn't in its part.
    package func told(to scope: Scope?, in intents: Intents) -> Rejected {
        guard let scope, let about, let other = intents[about], !scope.admits(other) else { return self }
        return Rejected(intent: intent, field: field, value: value, reason: "what is in its way isn't in this client's part of the host")
    }
}
