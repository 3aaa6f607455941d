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
        var table = Table("ID", "STATUS", "SUBNETS", "PODS", "NEIGHBORS", "DOMAIN", "REASON")
        for network in networks {
            table.add(
                Styled(network.id), Styled(network.status), Styled(network.subnets.map(\.cidr).joined(separator: ",")),
                "\(network.pods.count)", "\(network.neighbors)", Styled(domain(of: network)), Styled(network.reason ?? ""))
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
        details.add("pods", network.pods.isEmpty ? "none on this host" : Styled(network.pods.joined(separator: ", ")))
        details.add("neighbors", "\(network.neighbors)")
        details.add("revision", "\(network.revision)")
        var parts = [details.rendered()]
        if !network.subnets.isEmpty {
            var subnets = Table("SUBNET", "CIDR", "GATEWAY")
            for subnet in network.subnets { subnets.add(Styled(subnet.id), Styled(subnet.cidr), Styled(subnet.gateway ?? "none")) }
            parts.append(subnets.rendered())
        }
        return parts.joined(separator: "\n\n")
    }

    private static func domain(of network: NetworkView) -> String {
        switch network.domain.kind {
        case .host: "the host's own"
        case .namespace: network.domain.path ?? "none, for it has no pod on this host"
        }
    }
}
