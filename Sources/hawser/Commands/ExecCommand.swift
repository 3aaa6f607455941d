import ArgumentParser
import Glibc
import HawserAPI

struct ExecCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Runs a program inside a network's routing domain.",
        discussion: """
            The program takes this one's place, with its own exit status:
              hawser exec blue -- ip route
              hawser exec blue -- nft list table inet hawser
            A network that isn't isolated lives in the host's own routing, and the program runs where it is called. It wants the rights of
            nsenter(1), which does the work.
            """)

    @Argument(help: "A network's id.") var network: String
    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.") var command: [String]
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if command.isEmpty { throw ValidationError("Nothing to run: hawser exec \(network) -- ip route") }
    }

    func run() async throws {
        let network = try await common.debug.network(network)
        guard network.domain.kind == .namespace else { throw Self.become(command) }
        guard let path = network.domain.path else {
            throw Failed(description: "network \(network.id) has no pod on this host, and so no routing domain")
        }
        throw Self.become(["nsenter", "--net=\(path)", "--"] + command)
    }

    /// Returns only when there is no such program, or it can't be run.
    private static func become(_ words: [String]) -> Failed {
        let arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        unsafe _ = execvp(words[0], arguments)
        let reason = unsafe String(cString: strerror(errno))
        return Failed(description: "\(words[0]) can't be run: \(reason)")
    }

    private struct Failed: Error, CustomStringConvertible {
        var description: String
    }
}
