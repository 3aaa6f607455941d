import ArgumentParser
import Foundation
import HawserAPI

struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Pushes a goal state as the Alcor controller does, to try and to debug.",
        discussion: """
            The file is a goal state of either version (GoalState, GoalStateV2) as protobuf JSON. It is sent through the control socket, \
            and each of its states is answered as Alcor would be.
            """)

    @Option(name: .customLong("alcor"), help: "The file, or - for standard input.", completion: .file())
    var file: String

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let goalState = try read()
        let answer = try await ControlClient.connected(to: common.sockets.control) { try await $0.push(goalState) }
        try common.show(answer, table: Self.table)
        let refused = answer.results.filter { !$0.isAccepted }
        for result in refused {
            let words = ["\(result.type) \(result.id)", result.status, result.reason].compactMap(\.self)
            Terminal.current.complain(words.joined(separator: ": "))
        }
        if !refused.isEmpty { throw Runner.Outcome.refused }
    }

    private func read() throws -> GoalState {
        let isInput = file == "-"
        let name = isInput ? "standard input" : file
        do {
            return try GoalState(json: isInput ? FileHandle.standardInput.readToEnd() ?? Data() : Data(contentsOf: URL(filePath: file)))
        } catch let error as UnreadableGoalState {
            throw ValidationError("\(name): \(error)")
        } catch {
            throw ValidationError("\(name): can't be read: \(error.localizedDescription)")
        }
    }

    static func table(_ answer: GoalStateView) -> String {
        guard !answer.results.isEmpty else { return "an empty goal state: nothing to answer" }
        var table = Table("TYPE", "ID", "OPERATION", "STATUS", "KERNEL", "TOTAL", "REASON")
        for result in answer.results {
            let color: Styled.Color = result.isAccepted ? (result.status == "SUCCESS" ? .green : .yellow) : .red
            table.add(
                Styled(result.type), Styled(result.id), Styled(result.operation), Styled(result.status, color),
                Styled("\(result.kernelMicroseconds) µs"), Styled("\(result.totalMicroseconds) µs"), Styled(result.reason ?? ""))
        }
        return table.rendered()
    }
}
