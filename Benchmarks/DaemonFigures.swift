import Foundation
import HawserAPI
import HostNetwork
import Lab
import Store

/// A hawserd process with many pods: its memory, and its restart.
struct DaemonFigures {
    let region: Region
    let folder: URL
    private let lab: Lab
    private let host: LabNamespace

    init(pods: Int, members: Int, folder: URL) throws {
        region = Region(pods: pods, members: members, place: "\(Lab.directory)/daemon-")
        self.folder = folder.appending(path: "daemon")
        let lab = try Lab()
        self.lab = lab
        host = try lab.namespace(named: "daemon-host")
        for name in region.names { _ = try lab.namespace(named: "daemon-" + name) }
        try FileManager.default.createDirectory(at: self.folder.appending(path: "intents"), withIntermediateDirectories: true)
        let text = IntentFile.encode(region.intents).json
        try Data(text.utf8).write(to: self.folder.appending(path: "intents/region.json"))
    }

    func measure() async throws -> [Fact] {
        defer {
            lab.remove()
            try? FileManager.default.removeItem(at: folder)
        }
        var facts: [Fact] = []
        func add(_ what: String, _ value: Double, _ unit: String) {
            facts.append(Fact(what: what, among: "\(region.pods) pods, \(region.members) members", value: value, unit: unit))
        }
        let (first, start) = try await run()
        add("hawserd: from nothing to ready", start / .milliseconds(1), "ms")
        try await Task.sleep(for: .seconds(2))
        add("hawserd: resident memory, after making everything", try memory(of: first.process), "MiB")
        first.end(SIGKILL)

        let record = folder.path + "/monitor"
        let monitors = try [["nft", "monitor"], ["ip", "monitor", "link", "address", "route", "neigh"]].enumerated().map { number, words in
            try LabProgram(words, in: host, log: record + "-\(number)")
        }
        try await Task.sleep(for: .milliseconds(500))
        let (second, again) = try await run()
        try await Task.sleep(for: .seconds(2))
        monitors.forEach { $0.end(SIGTERM) }
        add("hawserd: restart after kill -9 to ready", again / .milliseconds(1), "ms")
        add("hawserd: resident memory, after a restart", try memory(of: second.process), "MiB")
        second.end(SIGTERM)
        // Taking over the tables of a process that died is no change; the kernel forgets multicast's neighbor entries when it likes.
        let writes = try monitors.indices.flatMap { number in
            try String(contentsOfFile: record + "-\(number)", encoding: .utf8).split(separator: "\n").filter { line in
                !line.hasPrefix("add table ") && !line.hasPrefix("# new generation ") && !line.contains(" NOARP")
            }
        }
        add("hawserd: kernel objects written by the restart", Double(writes.count), "")
        return facts
    }

    /// Starts hawserd, and waits until it has everything in force.
    private func run() async throws -> (LabProgram, Duration) {
        let own = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let binary = own.deletingLastPathComponent().appending(path: "hawserd").path
        let debug = folder.path + "/debug.sock"
        let start = ContinuousClock.now
        let program = try LabProgram(
            [
                binary, "--intents-directory", folder.path + "/intents", "--state-directory", folder.path + "/state", "--control-socket",
                folder.path + "/control.sock", "--debug-socket", debug, "--control-group", "", "--debug-group", "",
            ], in: host, log: folder.path + "/log")
        let client = DebugClient(socket: debug)
        while start.duration(to: .now) < .seconds(120) {
            if let status = try? await client.status(), status.ready, status.pods.applied == region.pods + Region.movers.count {
                return (program, start.duration(to: .now))
            }
            guard !program.hasEnded else { break }
            try await Task.sleep(for: .milliseconds(5))
        }
        let log = (try? String(contentsOfFile: folder.path + "/log", encoding: .utf8)) ?? ""
        throw LabError("hawserd isn't ready: \(log.suffix(500))")
    }

    /// `VmRSS` (proc_pid_status(5)), in MiB.
    private func memory(of process: Int32) throws -> Double {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0) / 1024
    }
}
