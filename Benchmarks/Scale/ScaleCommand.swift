import ArgumentParser
import Foundation
import HawserAPI

/// Measures what changes cost on hosts that have much of what the changes don't touch.
struct ScaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Measures what changes cost on an empty host, among many networks, many neighbors and the members of a large group.")

    @Option(help: "How often each thing is done on each host.") var repetitions = 40
    @Option(help: "Isolated networks of the host that has many; each has 4 pods.") var networks = 100
    @Option(help: "Neighbors of the network that has many, and members of the group that has many.") var neighbors = 10000
    @Option(help: "Write the results as JSON to this file, too.", completion: .file()) var json: String?
    @Option(help: "Where the stores are: it should be on a disk.", completion: .directory) var directory = "/var/tmp"

    func run() async throws {
        let folder = Bench.folder(in: directory)
        defer { try? FileManager.default.removeItem(at: folder) }
        var figures = Figures(baseline: ScaleLoad.empty.description)
        figures.add(try await ScaleFigures(repetitions: repetitions, folder: folder).measure(networks: networks, neighbors: neighbors))
        print(figures.table)
        if let json { try JSON.pretty(figures).write(to: URL(filePath: json)) }
    }
}
