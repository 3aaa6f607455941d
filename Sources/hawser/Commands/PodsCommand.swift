import ArgumentParser
import HawserAPI

struct PodsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pods", abstract: "The pods of this host, or one of them.", aliases: ["pod", "ports", "port"])

    @Argument(help: "A pod's id.") var id: String?
    @OptionGroup var common: CommonOptions

    func run() async throws {
        if let id {
            try common.show(await common.debug.pod(id), table: Self.details)
        } else {
            try common.show(await common.debug.pods(), table: Self.table)
        }
    }

    static func table(_ pods: [PodView]) -> String {
        guard !pods.isEmpty else { return "no pods" }
        var table = Table("ID", "NETWORK", "STATUS", "ADDRESSES", "GROUPS", "HOST SIDE", "REASON")
        for pod in pods {
            table.add(
                Styled(pod.id), Styled(pod.network), Styled(pod.status), Styled(pod.addresses.joined(separator: ",")),
                Styled(pod.securityGroups.joined(separator: ",")), Styled(pod.interface.host), Styled(pod.reason ?? ""))
        }
        return table.rendered()
    }

    static func details(_ pod: PodView) -> String {
        var details = Details()
        details.add("id", Styled(pod.id))
        details.add("network", Styled(pod.network))
        details.add("status", Styled(pod.status))
        details.add("reason", pod.reason.map { Styled($0) })
        details.add("since", Styled(JSON.text(pod.since)))
        details.add("addresses", Styled(pod.addresses.joined(separator: ", ")))
        details.add("mac", Styled(pod.mac))
        details.add("groups", Styled(pod.securityGroups.joined(separator: ", ")))
        details.add("host side", Styled(pod.interface.host + (pod.interface.index.map { " (index \($0))" } ?? "")))
        details.add("pod side", Styled(pod.interface.pod))
        details.add("namespace", pod.interface.namespace.map { Styled($0) } ?? "none: waits to be attached")
        details.add("revision", "\(pod.revision)")
        return details.rendered()
    }
}
