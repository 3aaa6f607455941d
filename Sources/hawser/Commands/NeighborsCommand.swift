import ArgumentParser
import HawserAPI

struct NeighborsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "neighbors", abstract: "The pods of other hosts that this host knows.", aliases: ["neighbor"])

    @Argument(help: "A network's id; left out: those of all networks.") var network: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let all = try await common.debug.neighbors()
        try common.show(all.filter { network == nil || $0.network == network }, table: Self.table)
    }

    static func table(_ neighbors: [NeighborView]) -> String {
        guard !neighbors.isEmpty else { return "no neighbors" }
        var table = Table("ID", "NETWORK", "STATUS", "ADDRESSES", "HOST", "GROUPS", "REASON")
        for neighbor in neighbors {
            table.add(
                Styled(neighbor.id), Styled(neighbor.network), Styled(neighbor.status), Styled(neighbor.addresses.joined(separator: ",")),
                Styled(neighbor.host ?? "not known"), Styled(neighbor.securityGroups.joined(separator: ",")), Styled(neighbor.reason ?? ""))
        }
        return table.rendered()
    }
}
