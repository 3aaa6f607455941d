import Foundation
import HawserAPI
import Lab

/// A hawserd process on a host of a lab: what is measured is what `make bench` has built beside this program.
struct DaemonProcess {
    let program: LabProgram
    let control: String
    private let debug: DebugClient
    private let log: String

    /// Starts it; its files are in `folder`.
    ///
    /// - Parameter settings: more flags. Without any, it neither reads files nor listens for pushes.
    init(on host: LabNamespace, in folder: URL, intents: String = "", _ settings: [String] = []) throws {
        let own = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        control = folder.path + "/control.sock"
        log = folder.path + "/log"
        debug = DebugClient(socket: folder.path + "/debug.sock")
        program = try LabProgram(
            [
                own.deletingLastPathComponent().appending(path: "hawserd").path, "--intents-directory", intents, "--state-directory",
                folder.path + "/state", "--control-socket", control, "--debug-socket", debug.socket, "--control-group", "",
                "--debug-group", "",
            ] + settings, in: host, log: log)
    }

    /// Returns when it is ready and so many pods are in force.
    func ready(with pods: Int = 0, within patience: Duration = .seconds(120)) async throws {
        let start = ContinuousClock.now
        while start.duration(to: .now) < patience {
            if let status = try? await debug.status(), status.ready, status.pods.applied >= pods { return }
            guard !program.hasEnded else { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        let log = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        throw LabError("hawserd isn't ready: \(log.suffix(500))")
    }

    /// What is resident, in MiB.
    var memory: Double { get throws { try memory("VmRSS:") } }
    /// The most that ever was.
    var mostMemory: Double { get throws { try memory("VmHWM:") } }

    /// A line of proc_pid_status(5).
    private func memory(_ name: String) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(program.process)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
    }
}
