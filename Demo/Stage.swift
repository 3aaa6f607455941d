import Foundation
import HawserAPI
import Lab
import Synchronization

/// The private lab, and the daemon in it.
final class Stage: Sendable {
    static let pods = ["web-0", "db-0", "client-0"]

    let host: LabNamespace
    let office: LabNamespace
    let places: [String: LabNamespace]
    private let lab: Lab
    private let binaries: URL
    private let examples: String
    private let folder: URL
    private let daemon = Mutex<LabProgram?>(nil)

    init(examples: String) throws {
        try Self.refuseTheHost()
        try FileManager.default.createDirectory(atPath: Lab.directory, withIntermediateDirectories: true)
        binaries = URL(filePath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).deletingLastPathComponent()
        self.examples = URL(filePath: examples).path
        for program in ["hawserd", "hawser"] where !FileManager.default.isExecutableFile(atPath: binaries.appending(path: program).path) {
            throw LabError("\(binaries.path) holds no \(program): `make demo` builds it")
        }
        guard FileManager.default.fileExists(atPath: examples) else { throw LabError("there is no folder \(examples): run `make demo`") }
        folder = FileManager.default.temporaryDirectory.appending(path: "hawser-demo-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)

        let lab = try Lab()
        self.lab = lab
        host = try lab.namespace(named: "host")
        office = try lab.namespace(named: "office")
        places = try Dictionary(uniqueKeysWithValues: Self.pods.map { ($0, try lab.namespace(named: $0)) })
        try host.run("ip", "link", "set", "lo", "up")
        try connectOffice()
    }

    /// Its sockets and namespaces are at the usual places, so those must be the demo's own.
    private static func refuseTheHost() throws {
        let host = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/1/ns/mnt")
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/mnt")
        guard host != own else { throw LabError("the demo wants a mount namespace and a /run of its own: run `make demo`") }
    }

    /// Somebody out in the world, one hop from the host.
    private func connectOffice() throws {
        try host.run("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "uplink", "netns", office.path)
        let ends = [(host, "198.51.100.1/24", "2001:db8:1::1/64"), (office, "198.51.100.7/24", "2001:db8:1::7/64")]
        for (namespace, ipv4, ipv6) in ends {
            try namespace.run("ip", "addr", "add", ipv4, "dev", "uplink")
            try namespace.run("ip", "addr", "add", ipv6, "dev", "uplink", "nodad")
            try namespace.run("ip", "link", "set", "uplink", "up")
        }
        try office.run("ip", "-4", "route", "add", "default", "via", "198.51.100.1")
        try office.run("ip", "-6", "route", "add", "default", "via", "2001:db8:1::1")
    }

    // MARK: The daemon

    /// Starts hawserd in the host's namespace; how long it took until it said that it is ready.
    func startDaemon() throws -> Duration {
        let start = ContinuousClock.now
        let words = [
            binaries.appending(path: "hawserd").path, "--intents-directory", examples, "--state-directory", folder.path + "/state",
            "--control-group", "", "--debug-group", "",
        ]
        let program = try LabProgram(words, in: host, log: log)
        daemon.withLock { $0 = program }
        while start.duration(to: .now) < .seconds(20) {
            guard !program.hasEnded else { throw LabError("hawserd ended at once") }
            if let status: StatusView = try? ask("status"), status.ready, status.pods.applied == Self.pods.count {
                return start.duration(to: .now)
            }
        }
        throw LabError("hawserd isn't ready after 20 seconds")
    }

    /// As if it had crashed.
    func killDaemon() { _ = daemon.withLock { $0?.end(SIGKILL) } }

    // MARK: The command line

    /// Runs `hawser` as a user would.
    func hawser(_ arguments: String...) throws -> [String] { try host.run(command(arguments)).split(separator: "\n").map(String.init) }

    func ask<Value: Decodable>(_ arguments: String...) throws -> Value {
        let text = try host.run(command(arguments + ["--output", "json"]))
        return try JSON.decode(Value.self, from: Data(text.utf8))
    }

    private func command(_ arguments: [String]) -> [String] { [binaries.appending(path: "hawser").path] + arguments }

    /// Puts a file beside the others of the demo; its path.
    func write(_ name: String, _ text: String) throws -> String {
        let file = folder.appending(path: name)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    /// A program that runs in the host's namespace until it is let go, and the file that it writes.
    func start(_ words: String..., log name: String) throws -> (program: LabProgram, file: String) {
        let file = folder.appending(path: name).path
        return (try LabProgram(words, in: host, log: file), file)
    }

    // MARK: The end

    private var log: String { folder.path + "/hawserd.log" }

    /// What hawserd complained of last.
    var lastWords: String {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(8).joined(separator: "\n")
    }

    /// Takes everything away. Whatever is left in the namespaces goes with them.
    func clear() {
        killDaemon()
        lab.remove()
        try? FileManager.default.removeItem(at: folder)
    }
}
