/// The part of a host that somebody may change: the resources of some networks. What belongs to no network (an address group, a group
/// that serves all networks) is in no such part, for others lean on it.
package struct Scope: Hashable, Sendable {
    package var networks: Set<ID<Network>>

    package init(_ networks: Set<ID<Network>>) { self.networks = networks }

    package func admits(_ intent: Intent) -> Bool {
        switch intent {
        case .network(let network): networks.contains(network.id)
        case .addressGroup: false
        case .securityGroup(let group): group.network.map(networks.contains) ?? false
        case .pod(let pod): networks.contains(pod.network)
        case .neighbor(let neighbor): networks.contains(neighbor.network)
        }
    }

    package static let words = "this client may not change it"

    /// Why a resource can't be changed.
    package func refusal(of id: IntentID?) -> Rejected {
        let names = networks.map(\.value).sorted().joined(separator: ", ")
        return Rejected(
            intent: id, field: "network", reason: Self.words,
            valid: names.isEmpty ? "nothing: this client may only read" : "resources of network \(names)")
    }
}
