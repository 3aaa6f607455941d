import ArgumentParser
import HawserAPI

struct ResyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resync", abstract: "Reads the host again, and repairs what differs from the accepted intents.")

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let answer = try await ControlClient.connected(to: common.sockets.control) { try await $0.resync() }
        try Answers.show(answer, common)
    }
}
