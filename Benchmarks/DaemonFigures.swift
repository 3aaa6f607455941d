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
        try region.write(to: self.folder.appending(path: "intents"))
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
        add("hawserd: resident memory, after making everything", try first.memory, "MiB")
        first.program.end(SIGKILL)

        let record = folder.path + "/monitor"
        let monitors = try [["nft", "monitor"], ["ip", "monitor", "link", "address", "route", "neigh"]].enumerated().map { number, words in
            try LabProgram(words, in: host, log: record + "-\(number)")
        }
        try await Task.sleep(for: .milliseconds(500))
        let (second, again) = try await run()
        try await Task.sleep(for: .seconds(2))
        monitors.forEach { $0.end(SIGTERM) }
        add("hawserd: restart after kill -9 to ready", again / .milliseconds(1), "ms")
        add("hawserd: resident memory, after a restart", try second.memory, "MiB")
        second.program.end(SIGTERM)
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
    private func run() async throws -> (DaemonProcess, Duration) {
        let start = ContinuousClock.now
        let daemon = try DaemonProcess(on: host, in: folder, intents: folder.path + "/intents")
        try await daemon.ready(with: region.pods + Region.movers.count)
        return (daemon, start.duration(to: .now))
    }
}

extension Region {
    /// Writes all intents as a file of a folder, which is made.
    func write(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(IntentFile.encode(intents).json.utf8).write(to: folder.appending(path: "region.json"))
    }
}
