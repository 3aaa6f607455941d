import Foundation
import Lab

/// Takes down what the kernel tells of changes to a host's network: of the ruleset, of links, addresses, routes and neighbors.
final class KernelWatch {
    private let programs: [LabProgram]
    private let host: DaemonHost
    private let logs: [String]

    /// Returns when both listen.
    init(on host: DaemonHost) throws {
        self.host = host
        let number = UUID().uuidString
        logs = ["nft", "ip"].map { host.folder.file("watch-\($0)-\(number)") }
        programs = try [
            LabProgram(["nft", "monitor"], in: host.host, log: logs[0]),
            // It complains of other tests' names of namespaces that are just being made.
            LabProgram(["sh", "-c", "exec ip -o monitor link address route neigh 2> /dev/null"], in: host.host, log: logs[1]),
        ]
        guard try eventually(within: .seconds(5), { try listens() }) else { throw LabError("nobody listens to the kernel") }
    }

    /// Makes changes of its own until both have told of one.
    private func listens() throws -> Bool {
        try host.host.run(["nft", "-f", "-"], input: "add table inet \(Self.mark)\ndelete table inet \(Self.mark)\n")
        try host.host.run("ip", "route", "replace", "blackhole", Self.prefix, "proto", "99")
        try host.host.run("ip", "route", "del", "blackhole", Self.prefix)
        return lines(logs[0]).contains { $0.contains(Self.mark) } && lines(logs[1]).contains { $0.contains(Self.prefix) }
    }

    private static let mark = "watched"
    private static let prefix = "203.0.113.99"

    /// What was told meanwhile.
    func stop() throws -> [String] {
        // What comes after the last change is told after it.
        let before = logs.map { lines($0).count { $0.contains(Self.mark) || $0.contains(Self.prefix) } }
        let isHeard = try eventually(within: .seconds(5)) {
            _ = try listens()
            return zip(logs, before).allSatisfy { log, count in
                lines(log).count { $0.contains(Self.mark) || $0.contains(Self.prefix) } > count
            }
        }
        for program in programs { program.end(SIGKILL) }
        guard isHeard else { throw LabError("the kernel's listeners fell silent") }
        return logs.flatMap(lines).filter { line in
            !line.contains(Self.mark) && !line.contains(Self.prefix) && !(line.hasPrefix("# new generation") && line.hasSuffix("(nft)"))
                // What `ip` itself says, when it asks for the names of namespaces and other tests' end meanwhile.
                && !line.hasPrefix("Error: Peer netns reference")
        }
    }

    private func lines(_ log: String) -> [String] {
        ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }
}
