import ArgumentParser
import HawserAPI

struct NetworksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "networks", abstract: "The networks that this host knows, or one of them.", aliases: ["network"])

    @Argument(help: "A network's id.") var id: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        if let id {
            try common.show(await common.debug.network(id), table: Self.details)
        } else {
            try common.show(await common.debug.networks(), table: Self.table)
        }
    }

    static func table(_ networks: [NetworkView]) -> String {
        guard !networks.isEmpty else { return "no networks" }
        var table = Table("ID", "STATUS", "SUBNETS", "FABRIC", "PODS", "NEIGHBORS", "DOMAIN", "REASON")
        for network in networks {
            table.add(
                Styled(network.id), Styled(network.status), Styled(network.subnets.map(\.cidr).joined(separator: ",")),
                Styled(network.fabric?.kind ?? ""), count(network.pods.count, network.podHealth),
                count(network.neighbors, network.neighborHealth), Styled(domain(of: network)), Styled(network.reason ?? ""))
        }
        return table.rendered()
    }

    static func details(_ network: NetworkView) -> String {
        var details = Details()
        details.add("id", Styled(network.id))
        details.add("status", Styled(network.status))
        details.add("reason", network.reason.map { Styled($0) })
        details.add("isolated", network.isolated ? "yes" : "no")
        details.add("domain", Styled(domain(of: network)))
        details.add("fabric", network.fabric.map { Styled($0.kind) })
        details.add("own address", network.fabric.map { $0.address.map { Styled($0) } ?? Styled("not known (host.address)", .yellow) })
        details.add("mtu", network.fabric.map { "\($0.mtu)" })
        details.add("pods", network.pods.isEmpty ? "none on this host" : Styled(network.pods.joined(separator: ", ")))
        if let health = network.podHealth, !network.pods.isEmpty { details.add("pod health", words(for: health)) }
        details.add("neighbors", count(network.neighbors, network.neighborHealth))
        details.add("revision", "\(network.revision)")
        var parts = [details.rendered()]
        if !network.subnets.isEmpty {
            var subnets = Table("SUBNET", "CIDR", "GATEWAY", "GATEWAY MAC", "TUNNEL")
            for subnet in network.subnets {
                subnets.add(
                    Styled(subnet.id), Styled(subnet.cidr), Styled(subnet.gateway ?? "none"), Styled(subnet.gatewayMAC ?? ""),
                    Styled(subnet.tunnelID.map(String.init) ?? ""))
            }
            parts.append(subnets.rendered())
        }
        let routes = network.subnets.flatMap { subnet in (subnet.routes ?? []).map { (subnet.id, $0) } }
        if !routes.isEmpty {
            var table = Table("SUBNET", "ROUTE TO", "NEXT HOP", "PRIORITY")
            for (subnet, route) in routes {
                table.add(Styled(subnet), Styled(route.destination), Styled(route.nextHop), "\(route.priority)")
            }
            parts.append(table.rendered())
        }
        if let tunnels = network.fabric?.tunnels, !tunnels.isEmpty {
            var table = Table("TUNNEL", "DEVICE", "STATE")
            for tunnel in tunnels {
                table.add("\(tunnel.id)", Styled(tunnel.device), tunnel.isThere ? "there" : "comes with the first pod attached")
            }
            parts.append(table.rendered())
        }
        return parts.joined(separator: "\n\n")
    }

    /// How many there are, and how many of them aren't in force.
    private static func count(_ all: Int, _ health: NetworkView.Health?) -> Styled {
        guard let health, health.pending + health.failed > 0 else { return "\(all)" }
        return Styled("\(all) (\(words(for: health).text))", health.failed > 0 ? .red : .yellow)
    }

    private static func words(for health: NetworkView.Health) -> Styled {
        let counts = [(health.applied, "applied"), (health.pending, "pending"), (health.failed, "failed")]
        return Styled(counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", "))
    }

    private static func domain(of network: NetworkView) -> String {
        switch network.domain.kind {
        case .host: "the host's own"
        case .namespace: network.domain.path ?? "none, for it has no pod on this host"
        }
    }
}
