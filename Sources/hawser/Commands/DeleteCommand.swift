import ArgumentParser
import HawserAPI

struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Deletes resources. Deleting what isn't there is no error.")

    @Argument(help: "\(ResourceKind.spelled).", completion: .list(ResourceKind.allCases.map(\.rawValue)))
    var kind: ResourceKind

    @Argument(help: "The ids.") var ids: [String]

    @Flag(help: "Change nothing, and show what would be done.")
    var dryRun = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let answer = try await ControlClient.connected(to: common.sockets.control) { client in
            try await client.delete(kind, ids, dryRun: dryRun)
        }
        try Answers.show(answer, common)
    }
}

extension ResourceKind: ExpressibleByArgument {
    package init?(argument: String) { self.init(spoken: argument) }
}
