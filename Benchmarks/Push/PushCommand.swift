import ArgumentParser
import Foundation
import HawserAPI

/// Measures pushes to hawserd, over TCP.
struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Measures what pushes cost over gRPC and TCP, in plaintext and behind mutual TLS.")

    @Option(help: "How often each thing is done.") var repetitions = 40
    @Option(help: "How many pushes are sent one after the other.") var pushes = 1000
    @Option(help: "Numbers of pods to measure with.") var pods = Counts([10, 400])
    @Option(help: "Write the results as JSON to this file, too.", completion: .file()) var json: String?
    @Option(help: "Where the stores are: it should be on a disk.", completion: .directory) var directory = "/var/tmp"

    func run() async throws {
        let folder = Bench.folder(in: directory)
        defer { try? FileManager.default.removeItem(at: folder) }
        var figures = Figures()
        for count in pods.numbers {
            Bench.progress("pushes among \(count) pods")
            let host = try PushedHost(pods: count, folder: folder.appending(path: "push\(count)"))
            defer { host.clear() }
            for door in PushedHost.Door.allCases {
                let (series, facts) = try await PushFigures(host: host, door: door, repetitions: repetitions, pushes: pushes).measure()
                figures.add(series)
                figures.facts += facts
            }
        }
        print(figures.table)
        if let json { try JSON.pretty(figures).write(to: URL(filePath: json)) }
    }
}
