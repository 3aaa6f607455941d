import ArgumentParser
import HawserAPI

/// The operator's command line.
@main
struct Hawser: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hawser",
        abstract: "Asks and tells hawserd, the network agent of this host.",
        discussion: """
            Exit status: 0 on success, 1 when something was refused or the daemon can't be reached, 2 on wrong usage.
            JSON goes to standard output whatever the exit status; messages for people go to standard error.
            """,
        version: hawserVersion,
        subcommands: [
            StatusCommand.self, PodsCommand.self, GroupsCommand.self, RulesCommand.self, ExplainCommand.self, ApplyCommand.self,
            NetworksCommand.self, NeighborsCommand.self, DeleteCommand.self, PushCommand.self, EventsCommand.self, ResyncCommand.self,
            DoctorCommand.self, ExecCommand.self,
        ])

    static func main() async {
        await Runner.run(Array(CommandLine.arguments.dropFirst()), Terminal.standard).exit()
    }
}
