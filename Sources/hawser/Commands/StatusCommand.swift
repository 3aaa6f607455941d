import ArgumentParser
import HawserAPI

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Is this host healthy?")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        try common.show(await common.debug.status()) { status in
            var details = Details()
            details.add("version", Styled(status.version))
            details.add("ready", status.ready ? Styled("yes", .green) : Styled("no: \(status.reason ?? "")", .red))
            details.add("pods", "\(status.pods.applied) applied, \(status.pods.pending) pending, \(status.pods.failed) failed")
            details.add("groups", "\(status.groups)")
            details.add("neighbors", "\(status.neighbors)")
            details.add("generation", "\(status.generation)")
            details.add("repairs", "\(status.repairs)")
            details.add("up", "\(status.uptimeSeconds) s")
            let push = status.push
            details.add("push", push.listen.isEmpty ? "not listening" : Styled(push.listen + (push.plaintext ? " (plaintext)" : "")))
            return details.rendered()
        }
    }
}
