/// Everything asked of this host, each resource valid by itself and together with the rest.
///
/// `upsert` and `remove` are the only ways in and out, so nothing later checks again. A change costs what it touches, however much there is:
/// every question about who leans on whom is answered by an index.
package struct Intents: Hashable, Sendable {
    package internal(set) var networks: [ID<Network>: Network] = [:]
    package internal(set) var addressGroups: [ID<AddressGroup>: AddressGroup] = [:]
    /// Those that were pushed; `group(_:)` knows the implicit ones too.
    package internal(set) var securityGroups: [ID<SecurityGroup>: SecurityGroup] = [:]
    package internal(set) var pods: [ID<Pod>: Pod] = [:]
    package internal(set) var neighbors: [ID<Neighbor>: Neighbor] = [:]
    /// Groups and address groups that were deleted while in use; each leaves when the last that uses it lets go.
    package internal(set) var leaving: Set<IntentID> = []
    /// Who leans on whom.
    package internal(set) var index = IntentIndex()
    /// How many values all resources have together (`Intent.values`).
    package private(set) var values = 0
    /// What the host itself uses, as far as it is known here.
    package var hostPlaces = HostPlaces()

    package init() {}

    /// What was accepted once, as it was remembered: nothing is judged a second time, and the order doesn't matter.
    package init(restoring intents: some Sequence<Intent>, leaving: Set<IntentID> = []) {
        for intent in intents { put(intent) }
        self.leaving = leaving
    }

    package subscript(id: IntentID) -> Intent? {
        switch id.kind {
        case .network: networks[ID(id.id)].map(Intent.network)
        case .addressGroup: addressGroups[ID(id.id)].map(Intent.addressGroup)
        case .securityGroup: securityGroups[ID(id.id)].map(Intent.securityGroup)
        case .pod: pods[ID(id.id)].map(Intent.pod)
        case .neighbor: neighbors[ID(id.id)].map(Intent.neighbor)
        case .elasticIP: nil
        }
    }

    /// Every resource, kinds in the order in which they are taken in, ids sorted.
    package var all: [Intent] {
        // The ids are sorted, and not what they name, which is large.
        func sorted<Resource>(_ resources: [ID<Resource>: Resource], _ intent: (Resource) -> Intent) -> [Intent] {
            resources.keys.sorted().compactMap { resources[$0].map(intent) }
        }
        return sorted(networks, Intent.network) + sorted(addressGroups, Intent.addressGroup) + sorted(securityGroups, Intent.securityGroup)
            + sorted(pods, Intent.pod) + sorted(neighbors, Intent.neighbor)
    }

    /// Puts `intent` in the place of the one with its name.
    mutating func put(_ intent: Intent) {
        drop(intent.id)
        switch intent {
        case .network(let network): networks[network.id] = network
        case .addressGroup(let group): addressGroups[group.id] = group
        case .securityGroup(let group): securityGroups[group.id] = group
        case .pod(let pod): pods[pod.id] = pod
        case .neighbor(let neighbor): neighbors[neighbor.id] = neighbor
        }
        index.add(intent)
        values += intent.values
    }

    mutating func drop(_ id: IntentID) {
        guard let intent = self[id] else { return }
        index.remove(intent)
        values -= intent.values
        leaving.remove(id)
        switch intent {
        case .network(let network): networks[network.id] = nil
        case .addressGroup(let group): addressGroups[group.id] = nil
        case .securityGroup(let group): securityGroups[group.id] = nil
        case .pod(let pod): pods[pod.id] = nil
        case .neighbor(let neighbor): neighbors[neighbor.id] = nil
        }
    }
}
