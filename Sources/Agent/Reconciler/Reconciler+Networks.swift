package import HawserAPI
package import HostNetwork
import Logging

extension Reconciler {
    package func networks() -> [NetworkView] { intents.networks.values.sorted { $0.id < $1.id }.map(view) }

    package func view(of id: ID<Network>) -> NetworkView? { intents.networks[id].map(view) }

    private func view(_ network: Network) -> NetworkView {
        let standing = standings[network.id.intent] ?? Standing(.applied)
        let domain = map.domain(of: network.id)
        let path = map.there.contains(domain) ? host.path(of: domain) : nil
        let pods = intents.index.podsByNetwork[network.id] ?? []
        let neighbors = intents.index.neighborsByNetwork[network.id] ?? []
        return NetworkView(
            id: network.id.value, isolated: network.isolated, domain: .init(kind: domain == .host ? .host : .namespace, path: path),
            subnets: network.subnets.map { subnet in
                let tunnel = network.fabricInForce == .vxlan ? subnet.tunnelID ?? network.tunnelID : nil
                return .init(
                    id: subnet.id, cidr: subnet.cidr.description, gateway: subnet.gateway?.description,
                    tunnelID: tunnel.map { Int($0.value) }, gatewayMAC: subnet.gatewayMAC?.description,
                    routes: subnet.routes.map {
                        .init(destination: $0.destination.description, nextHop: $0.nextHop.description, priority: $0.priority)
                    })
            },
            pods: pods.map(\.value).sorted(), neighbors: neighbors.count,
            fabric: fabric(of: network, isInhabited: pods.contains(where: namespaces.isThere)),
            podHealth: health(pods.map(\.intent)), neighborHealth: health(neighbors.map(\.intent)), status: standing.status,
            reason: standing.reason, revision: network.revision)
    }

    /// Takes what the host itself uses by now; the shared networks that overlapped some of it, and those that do. Nothing of what is in force is
    /// taken down for that.
    func take(_ places: HostPlaces) -> (before: Set<ID<Network>>, now: Set<ID<Network>>) {
        func overlapped() -> Set<ID<Network>> { Set(intents.networks.keys.filter { !intents.overlaps(of: $0).isEmpty }) }
        let before = overlapped()
        intents.hostPlaces = places
        return (before, overlapped())
    }

    func warn(of overlapped: (before: Set<ID<Network>>, now: Set<ID<Network>>)) {
        for id in overlapped.now.subtracting(overlapped.before).sorted() {
            logger.warning("network \(id) is in force, and waits for \(intents.overlaps(of: id).joined(separator: ", "))")
        }
    }

    private func fabric(of network: Network, isInhabited: Bool) -> NetworkView.Fabric {
        NetworkView.Fabric(
            kind: network.fabricInForce.rawValue, mtu: network.mtu(over: layout.underlay), address: layout.underlay?.address.description,
            tunnels: network.tunnelsInForce.map { tunnel in
                .init(
                    id: Int(tunnel.value), device: LinkName(of: tunnel).value, isThere: isInhabited && layout.underlay != nil)
            })
    }

    private func health(_ ids: [IntentID]) -> NetworkView.Health {
        var health = NetworkView.Health()
        for id in ids {
            switch standings[id]?.status ?? .pending {
            case .applied, .deferred: health.applied += 1
            case .pending: health.pending += 1
            case .failed, .rejected, .stale: health.failed += 1
            }
        }
        return health
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
