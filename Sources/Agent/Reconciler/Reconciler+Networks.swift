package import HawserAPI
import HostNetwork

extension Reconciler {
    package func networks() -> [NetworkView] { intents.networks.values.sorted { $0.id < $1.id }.map(view) }

    private func view(_ network: Network) -> NetworkView {
        let standing = standings[network.id.intent] ?? Standing(.applied)
        let domain = map.domain(of: network.id)
        let path = map.there.contains(domain) ? host.path(of: domain) : nil
        return NetworkView(
            id: network.id.value, isolated: network.isolated, domain: .init(kind: domain == .host ? .host : .namespace, path: path),
            subnets: network.subnets.map { .init(id: $0.id, cidr: $0.cidr.description, gateway: $0.gateway?.description) },
            pods: (intents.index.podsByNetwork[network.id] ?? []).map(\.value).sorted(),
            neighbors: intents.index.neighborsByNetwork[network.id]?.count ?? 0, status: standing.status, reason: standing.reason,
            revision: network.revision)
    }

    package func neighbors() -> [NeighborView] {
        intents.neighbors.values.sorted { $0.id < $1.id }.map { neighbor in
            let standing = standings[neighbor.id.intent] ?? Standing(.applied)
            return NeighborView(
                id: neighbor.id.value, network: neighbor.network.value, addresses: neighbor.addresses.map(\.description),
                mac: neighbor.mac?.description, host: neighbor.host?.description, securityGroups: neighbor.securityGroups.map(\.value),
                status: standing.status, reason: standing.reason, revision: neighbor.revision)
        }
    }
}
