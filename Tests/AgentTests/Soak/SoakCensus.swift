import Foundation
import HostNetwork
import Lab
import Testing

/// What a daemon and its host hold at a moment in which nothing happens.
struct SoakCensus {
    /// KiB.
    var memory: Int
    var files: Int
    var threads: Int
    /// Below the daemon's own folder, where it makes all of its mounts; other tests' hosts have theirs in the same mount namespace.
    var mounts: Int
    /// Bytes.
    var (database, log): (Int, Int)
    /// Objects of each kind in the host's namespace.
    var kernel: [String: Int]
    /// The namespaces of isolated networks.
    var domains: [String]
    /// Tracked flows of others than the pods that nobody touches.
    var flows: [String]

    init(of world: SoakWorld) throws {
        let host = world.host
        let process = try #require(host.process)
        kernel = try host.settled()
        domains = (try? FileManager.default.contentsOfDirectory(atPath: host.domains)) ?? []
        let own = Set(world.quiet.flatMap(\.addresses))
        flows = try host.host.run("sh", "-c", "conntrack -L 2>/dev/null; conntrack -L -f ipv6 2>/dev/null").split(separator: "\n").map(
            String.init
        ).filter { line in
            line.split(separator: " ").contains { word in
                (word.hasPrefix("src=") || word.hasPrefix("dst=")) && !own.contains(Self.canonical(word.dropFirst(4)))
            }
        }
        // The fifth field is the mount point (proc_pid_mountinfo(5)).
        mounts = try String(contentsOfFile: "/proc/\(process)/mountinfo", encoding: .utf8).split(separator: "\n").count { line in
            line.split(separator: " ").dropFirst(4).first?.hasPrefix(host.folder.path + "/") == true
        }
        database = Self.size(host.folder.file("state/intents.sqlite"))
        log = Self.size(host.folder.file("state/intents.sqlite-wal"))
        // At last, when what asked for the rest has hung up.
        memory = try host.memory()
        files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
        threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task").count
    }

    private static func canonical(_ text: Substring) -> String { (try? IPAddress(parsing: text)).map { "\($0)" } ?? String(text) }

    private static func size(_ path: String) -> Int {
        ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? NSNumber)?.intValue ?? 0
    }

    var text: String {
        """
        \(memory) KiB resident, \(files) open files, \(threads) threads, \(mounts) mounts, database \(database >> 10) KiB and \(log >> 10) KiB \
        of log, \(domains.count) namespaces of networks, \(flows.count) tracked flows of others, \
        \(kernel.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
        """
    }

    /// What is more than it was.
    func leaks(since before: SoakCensus) -> [String] {
        var leaks: [String] = []
        // The heap keeps what was freed in between what wasn't, and the journal fills up.
        if memory > before.memory + (Sanitizer.isOn ? 128 : 8) << 10 { leaks.append("memory: \(before.memory) KiB before, \(memory) KiB") }
        if files > before.files { leaks.append("open files: \(before.files) before, \(files)") }
        // The pools of libraries come and go by a few; each routing domain that leaves its own behind would be two more, of dozens that were made.
        if threads > before.threads + 4 { leaks.append("threads: \(before.threads) before, \(threads)") }
        if mounts > before.mounts { leaks.append("mounts: \(before.mounts) before, \(mounts)") }
        // SQLite keeps pages that it has freed, and takes them again: as many as were full at once (sqlite.org/fileformat2.html, "The Freelist").
        if database > before.database + 64 << 10 { leaks.append("database: \(before.database) bytes before, \(database)") }
        // A checkpoint comes after 1000 pages of 4 KiB (sqlite.org/wal.html#automatic_checkpoint).
        if log > 6 << 20 { leaks.append("write-ahead log: \(log) bytes") }
        if kernel != before.kernel { leaks.append("kernel: \(before.kernel) before, \(kernel)") }
        if !domains.isEmpty { leaks.append("namespaces of networks: \(domains)") }
        if !flows.isEmpty { leaks.append("tracked flows: \(flows)") }
        return leaks
    }
}
