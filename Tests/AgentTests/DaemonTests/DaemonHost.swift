import Foundation
import Glibc
import HostNetwork
import Lab
import Synchronization
import Testing

/// A host of a lab on which the real daemon runs, as a process, with settings of its own; and the command line to it.
final class DaemonHost: Sendable {
    /// What a program came to.
    struct Outcome {
        var status: Int32
        var output: String
        var complaints: String

        /// Its output, where that is JSON.
        var json: Any? { try? JSONSerialization.jsonObject(with: Data(output.utf8)) }
        var object: [String: Any] { json as? [String: Any] ?? [:] }
        var list: [[String: Any]] { json as? [[String: Any]] ?? [] }
    }

    let lab: Lab
    let host: LabNamespace
    let folder: TemporaryFolder
    private let daemon = Mutex<LabProgram?>(nil)
    /// Whether the daemon has its files where the unit has them, in a mount namespace of its own; `state` and `run` of the folder are there.
    private let isSandboxed: Bool

    init(isSandboxed: Bool = false) throws {
        self.isSandboxed = isSandboxed
        lab = try Lab()
        host = try lab.namespace("host")
        folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.file("intents.d"), withIntermediateDirectories: true)
    }

    // MARK: Programs

    /// The folder of the test's own program, where the others are built, too; `HAWSER_PROGRAMS` says another.
    private static let programs =
        ProcessInfo.processInfo.environment["HAWSER_PROGRAMS"].map { URL(filePath: $0) }
        ?? URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    static let repository = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized.path

    /// A program of Python's that a test runs.
    static func script(_ name: String) -> String { repository + "/Tests/AgentTests/Python/" + name }

    private static func program(_ name: String) -> String { programs.appending(path: name).path(percentEncoded: false) }

    private var settings: [String] {
        if isSandboxed {
            return ["--intents-directory", "", "--control-group", "", "--debug-group", ""]
        }
        return [
            "--config", folder.file("hawserd.yaml"), "--state-directory", folder.file("state"), "--intents-directory",
            folder.file("intents.d"),
            "--control-socket", folder.file("control.sock"), "--control-group", "", "--debug-socket", folder.file("debug.sock"),
            "--debug-group",
            "", "--host-namespaces", domains,
        ]
    }

    /// Where the daemon names the namespaces of isolated networks: of its own, for other tests' daemons have the same networks.
    var domains: String { folder.file("domains") }

    deinit {
        // The folder can't go while something is mounted in it.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: domains)) ?? [] {
            _ = unsafe umount2("\(domains)/\(name)", Int32(MNT_DETACH))
        }
    }

    /// The settings, but for those that `more` has.
    private func settings(besides more: [String]) -> [String] {
        let pairs = stride(from: 0, to: settings.count, by: 2).map { (settings[$0], settings[$0 + 1]) }
        return pairs.filter { !more.contains($0.0) }.flatMap { [$0.0, $0.1] } + more
    }

    /// Starts the daemon, with more flags where there are any, and returns when it answers.
    ///
    /// - Parameter inside: the words that put a program into a sandbox.
    func start(_ more: [String] = [], inside: [String] = []) throws {
        try start(more) { try LabProgram(inside + $0, in: host, log: folder.file("log")) }
    }

    /// The same, with a judge of every system call of these names.
    func start(judging calls: [String], _ judge: @escaping SystemCall.Judge) throws {
        try start { try LabProgram($0, in: host, log: folder.file("log"), calls: calls, judge: judge) }
    }

    /// The same, where it may be killed before it answers; returns when it answers or has ended.
    func begin(judging calls: [String], _ judge: @escaping SystemCall.Judge) throws {
        let daemon = try begin { try LabProgram($0, in: host, log: folder.file("log"), calls: calls, judge: judge) }
        #expect(try isDecided(daemon), "\(log)")
    }

    /// Whether it answers or has ended in time.
    private func isDecided(_ daemon: LabProgram) throws -> Bool {
        try eventually(within: .seconds(30)) { try daemon.hasEnded || hawser("status").status == 0 }
    }

    private func start(_ more: [String] = [], _ program: ([String]) throws -> LabProgram) throws {
        let daemon = try begin(more, program)
        let isDecided = try isDecided(daemon)
        #expect(isDecided && !daemon.hasEnded, "\(log)")
    }

    private func begin(_ more: [String] = [], _ program: ([String]) throws -> LabProgram) throws -> LabProgram {
        if !FileManager.default.fileExists(atPath: folder.file("hawserd.yaml")) { try folder.write("{}\n", to: "hawserd.yaml") }
        let daemon = try program([Self.program("hawserd")] + settings(besides: more))
        self.daemon.withLock { $0 = daemon }
        return daemon
    }

    /// Starts the daemon where it is to end by itself; its exit status.
    func startInVain() throws -> Int32 {
        let daemon = try begin { try LabProgram($0, in: host, log: folder.file("log")) }
        defer { self.daemon.withLock { $0 = nil } }
        return daemon.wait()
    }

    /// Whether it has ended.
    var hasEnded: Bool { daemon.withLock { $0 }?.hasEnded ?? true }

    /// Ends it with a signal; its exit status, and how long it took.
    @discardableResult
    func end(_ signal: Int32) -> (status: Int32, time: Duration) {
        let start = ContinuousClock.now
        let daemon = daemon.withLock { daemon in
            defer { daemon = nil }
            return daemon
        }
        let status = daemon?.end(signal) ?? -1
        return (status, start.duration(to: .now))
    }

    /// The daemon's process.
    var process: Int32? { daemon.withLock { $0?.process } }

    /// The daemon's helper that names namespaces, by its parent and its name (proc_pid_stat(5)).
    func helper() throws -> Int32 {
        let parent = try #require(process)
        let all = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init)
        let helpers = all.filter { process in
            let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
            return text.contains("(hawserd-names)")
                && text.split(separator: " ").dropFirst(3).first == "\(parent)"
        }
        #expect(helpers.count == 1)
        return try #require(helpers.first)
    }

    /// Resident memory of the daemon: KiB (`VmRSS`, proc_pid_status(5)).
    func memory() throws -> Int { try memory("VmRSS:") }

    /// The most that it has been since `resetPeak`: KiB.
    func peak() throws -> Int { try memory("VmHWM:") }

    /// Lets the peak begin anew (proc_pid_clear_refs(5)).
    func resetPeak() throws {
        let process = try #require(process)
        let file = try #require(FileHandle(forWritingAtPath: "/proc/\(process)/clear_refs"))
        try file.write(contentsOf: Data("5".utf8))
    }

    private func memory(_ name: String) throws -> Int {
        let process = try #require(process)
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        return try #require(line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
    }

    /// How many descriptors the daemon has open.
    func descriptors() throws -> Int {
        let process = try #require(process)
        return try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
    }

    /// What the daemon's threads have run for, altogether (utime and stime of proc_pid_stat(5)); in hundredths of a second.
    func processorTime() throws -> Duration {
        let process = try #require(daemon.withLock { $0?.process })
        let line = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        // Behind the name, which may have spaces in it, the third field comes first.
        let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ").compactMap { Int($0) }
        return .milliseconds(10 * (fields[10] + fields[11]))
    }

    /// The words that start the daemon, and that run a command of `hawser`: for others to start.
    func commands(_ arguments: String...) -> (daemon: [String], hawser: [String]) {
        _ = try? folder.write("{}\n", to: "hawserd.yaml")
        return ([Self.program("hawserd")] + settings, [Self.program("hawser")] + arguments + sockets)
    }

    var log: String { (try? String(contentsOfFile: folder.file("log"), encoding: .utf8)) ?? "" }

    /// Runs the daemon to its end, with more flags: for those with which it doesn't start.
    func run(_ more: [String]) throws -> Outcome {
        if !FileManager.default.fileExists(atPath: folder.file("hawserd.yaml")) { try folder.write("{}\n", to: "hawserd.yaml") }
        return try run([Self.program("hawserd")] + settings(besides: more), input: "")
    }

    func cleanup() throws -> Outcome { try run([Self.program("hawserd"), "--cleanup"] + settings, input: "") }

    /// A command of `hawser`, with its sockets.
    func hawser(_ arguments: String..., input: String = "") throws -> Outcome { try hawser(arguments, input: input) }

    func hawser(_ arguments: [String], input: String = "") throws -> Outcome {
        try run([Self.program("hawser")] + arguments.prefix { $0 != "--" } + sockets + arguments.drop { $0 != "--" }, input: input)
    }

    private var sockets: [String] {
        let place = isSandboxed ? "run/" : ""
        return ["--control-socket", folder.file(place + "control.sock"), "--debug-socket", folder.file(place + "debug.sock")]
    }

    private func run(_ words: [String], input: String) throws -> Outcome {
        let complaints = folder.file("complaints-\(UUID().uuidString)")
        let line = #"file=$1; shift; "$@" 2> "$file"; echo "status $?" >> "$file""#
        let output = try host.run(["sh", "-c", line, "sh", complaints] + words, input: input)
        let text = try String(contentsOfFile: complaints, encoding: .utf8)
        try FileManager.default.removeItem(atPath: complaints)
        guard let range = text.range(of: "status ", options: .backwards) else { throw LabError("\(words) has no exit status") }
        let status = Int32(text[range.upperBound...].filter(\.isNumber)) ?? -1
        return Outcome(status: status, output: output, complaints: String(text[..<range.lowerBound]))
    }

    // MARK: What is there

    /// The host sides of pods.
    func links() throws -> [String] {
        try host.json("ip", "-j", "link", "show").compactMap { $0["ifname"] as? String }.filter { $0.hasPrefix("hw") }
    }

    /// Whether every pod's stamps have come.
    func isSettled() throws -> Bool {
        try ["in", "out"].allSatisfy { flow in
            let map = try host.run("nft", "list", "map", "inet", "hawser", "stamp-\(flow)")
            return try map.split(separator: "jump epoch-").count - 1 == links().count
        }
    }

    /// How many objects of each kind there are in the kernel, when every pod's stamps have come; without the chains of epochs.
    func settled() throws -> [String: Int] {
        guard try eventually(isSettled) else { throw LabError("the stamps don't come") }
        return try inventory()
    }

    /// How many objects of each kind there are in the kernel, without the chains of epochs.
    func inventory() throws -> [String: Int] {
        var count = try host.rulesetCounts(of: Marks.table, withoutChains: "epoch-")
        count["link"] = try links().count
        for family in ["-4", "-6"] {
            count["route \(family)"] = try host.json("ip", "-j", family, "route", "show", "table", "all", "proto", "104").count
            count["neighbor \(family)"] = try host.json("ip", "-j", family, "neigh", "show", "nud", "permanent").count
        }
        return count.filter { $0.value > 0 }
    }
}

/// Whether something becomes true in time; asked again and again.
func eventually(within time: Duration = .seconds(10), _ body: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + time
    repeat {
        if try body() { return true }
    } while ContinuousClock.now < deadline
    return false
}
