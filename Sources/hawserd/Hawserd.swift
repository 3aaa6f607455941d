import Agent
import ArgumentParser
import Foundation

/// The daemon.
@main
struct Hawserd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hawserd",
        abstract: "The network agent of this host: pods' interfaces and security groups.",
        discussion: """
            Every setting of the file is also a flag and an environment variable; a flag wins over the environment, the environment over the \
            file. On SIGTERM the daemon ends and leaves the data plane as it is.

            SETTINGS
            \(settings)
            """,
        version: Daemon.version)

    @Option(
        help: "The file of settings (HAWSER_CONFIG; default: \(SettingsLoader.defaultFile), which may be missing).", completion: .file())
    var config: String?

    @Flag(help: "Read the settings, say what is wrong with them, and end.")
    var check = false

    @Flag(help: "Remove all that is Hawser's from the host, and end. The accepted intents stay in the state directory.")
    var cleanup = false

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var flags: [String] = []

    func run() async throws {
        let loaded = try await load()
        if check {
            for note in loaded.notes { Self.complain(note) }
        } else if cleanup {
            for line in try await Daemon.cleanup(loaded.settings, Host.cleanup) { print(line) }
        } else {
            try await Host.run(loaded)
        }
    }

    private func load() async throws -> SettingsLoader.Loaded {
        let file = config ?? ProcessInfo.processInfo.environment["HAWSER_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        do {
            return try await SettingsLoader.load(file: file, flags: flags)
        } catch let errors as SettingsErrors {
            for error in errors.errors { Self.complain("\(error)") }
            throw ExitCode(2)
        }
    }

    static func main() async {
        do {
            let command = try parse()
            try await command.run()
        } catch let code as ExitCode {
            exit(code)
        } catch {
            switch exitCode(for: error) {
            case .success: exit(withError: error)  // --help and --version
            case .validationFailure:
                complain(fullMessage(for: error))
                exit(ExitCode(2))
            default:
                complain("\(error)")
                exit(ExitCode(1))
            }
        }
    }

    private static func exit(_ code: ExitCode) -> Never { Foundation.exit(code.rawValue) }

    private static func complain(_ message: String) {
        try? FileHandle.standardError.write(contentsOf: Data("hawserd: \(message)\n".utf8))
    }

    /// A line for each setting: its flag, what it is, what is valid, and its default.
    private static let settings = Setting.all.map { setting in
        let note = setting.isForLater ? " [no effect in this version]" : ""
        return "  \(setting.flag)  \(setting.help) (\(setting.valid); default: \(setting.initial))\(note)"
    }.joined(separator: "\n")
}
