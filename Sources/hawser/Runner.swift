import ArgumentParser
import Foundation
import HawserAPI

/// Runs one command, and turns how it ended into the exit statuses that scripts rely on.
enum Runner {
    enum Outcome: Int32, Sendable {
        case success = 0
        /// Something was refused, or the daemon couldn't be asked.
        case refused = 1
        case wrongUsage = 2

        func exit() -> Never { Foundation.exit(rawValue) }
    }

    static func run(_ arguments: [String], _ terminal: Terminal) async -> Outcome {
        await Terminal.$current.withValue(terminal) {
            do {
                var command = try Hawser.parseAsRoot(arguments)
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
                return .success
            } catch {
                return outcome(of: error, terminal)
            }
        }
    }

    private static func outcome(of error: any Error, _ terminal: Terminal) -> Outcome {
        switch error {
        case let outcome as Outcome: return outcome
        case is Unreachable, is DebugClient.Refused, is ControlClient.Refused:
            terminal.complain("\(error)")
            return .refused
        default: break
        }
        switch Hawser.exitCode(for: error) {
        case .success:  // --help and --version come as errors, too
            terminal.print(Hawser.fullMessage(for: error))
            return .success
        case .validationFailure:
            terminal.error(Hawser.fullMessage(for: error))
            return .wrongUsage
        default:
            terminal.complain("\(error)")
            return .refused
        }
    }
}

/// Thrown by a command that has said already what was refused.
extension Runner.Outcome: Error {}
