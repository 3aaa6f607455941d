import Agent
import ArgumentParser
import Foundation
import HawserAPI
import HostNetwork
import Lab

@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hawser-bench",
        abstract: "Measures what Hawser costs, in private namespaces; `make bench` runs it.",
        discussion: "All contenders take turns, so that what disturbs one disturbs all of them.",
        subcommands: [Changes.self, Packets.self, PushCommand.self, AlcorCommand.self, ScaleCommand.self, ColdCommand.self],
        defaultSubcommand: Changes.self)

    static func progress(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data("measuring: \(text)\n".utf8))
    }

    /// Runs another program in this program's own namespaces.
    static func run(_ words: String...) throws { try run(words) }

    static func run(_ words: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw LabError("\(words) ended with \(process.terminationStatus)") }
    }

    static func folder(in directory: String) -> URL {
        URL(filePath: directory).appending(path: "hawser-bench-\(ProcessInfo.processInfo.processIdentifier)")
    }
}

/// What the figures were measured on.
struct HostFacts: Codable, Sendable {
    /// Its release, without what the distributor added.
    var kernel = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?.split(separator: "-").first.map(String.init)
    var processors = ProcessInfo.processInfo.activeProcessorCount
}

/// Measures what Hawser's changes cost, beside the same bytes replayed and the same change by `nft -f`.
struct Changes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measures what changes cost.")

    @Option(help: "How often each thing is done.") var repetitions = 40
    @Option(help: "Numbers of pods to measure with; empty: leave that out.") var pods = Counts([10, 400])
    @Option(help: "Numbers of members to measure with.") var members = Counts([10, 10000])
    @Option(help: "Write the results as JSON to this file, too.", completion: .file()) var json: String?
    @Option(help: "Where the stores are: it should be on a disk.", completion: .directory) var directory = "/var/tmp"
    @Flag(help: "Leave out the measurements of hawserd as a process.") var withoutDaemon = false

    func run() async throws {
        let folder = Bench.folder(in: directory)
        defer { try? FileManager.default.removeItem(at: folder) }
        var figures = Figures()
        for count in pods.numbers {
            Bench.progress("\(count) pods")
            try await measure("pods\(count)", pods: count, members: 10, folder) { bed, shadow, replay in
                figures.add(try await bed.attach(repetitions, &shadow, &replay))
                figures.add(try await bed.rebinding(repetitions, &shadow, &replay))
                figures.add(try await bed.again(repetitions))
            }
        }
        for count in members.numbers {
            Bench.progress("\(count) members")
            try await measure("members\(count)", pods: 10, members: count, folder) { bed, shadow, replay in
                figures.add(try await bed.members(repetitions, &shadow, &replay))
            }
        }
        if !withoutDaemon {
            Bench.progress("hawserd")
            figures.facts = try await DaemonFigures(
                pods: pods.numbers.max() ?? 400, members: members.numbers.max() ?? 10000, folder: folder
            ).measure()
        }
        print(figures.table)
        if let json { try JSON.pretty(figures).write(to: URL(filePath: json)) }
    }

    private func measure(
        _ name: String, pods: Int, members: Int, _ folder: URL, _ body: (Bed, inout Shadow, inout Replay) async throws -> Void
    ) async throws {
        let bed = try await Bed(name, pods: pods, members: members, folder: folder)
        defer { bed.clear() }
        var shadow = try Shadow(bed.region, marks: Bed.marks)
        var replay = try Replay(in: bed.twin)
        let reconciler = bed.reconciler
        // It ends, cancelled, with this function.
        async let _: Void = reconciler.run()
        // A host whose store is new is read once more when it runs, which is no part of any change.
        _ = await reconciler.resync()
        _ = bed.recorder.take()
        try await body(bed, &shadow, &replay)
    }
}

/// "10,400".
struct Counts: ExpressibleByArgument, CustomStringConvertible {
    var numbers: [Int]

    init(_ numbers: [Int]) { self.numbers = numbers }

    init?(argument: String) {
        let words = argument.split(separator: ",")
        numbers = words.compactMap { Int($0) }
        guard numbers.count == words.count else { return nil }
    }

    var description: String { numbers.map(String.init).joined(separator: ",") }
    var defaultValueDescription: String { description }
}
