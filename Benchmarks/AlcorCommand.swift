import ArgumentParser
import Foundation
import HawserAPI

/// Measures goal states of Alcor, pushed to hawserd.
struct AlcorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alcor", abstract: "Measures what a goal state of Alcor costs: 1 port and more and more neighbors.")

    @Option(help: "How often each is pushed.") var repetitions = 5
    @Option(help: "Numbers of neighbors.") var neighbors = Counts([1, 10, 100, 1000, 10000])
    @Option(help: "Write the results as JSON to this file, too.", completion: .file()) var json: String?
    @Option(help: "Where the stores are: it should be on a disk.", completion: .directory) var directory = "/var/tmp"

    func run() async throws {
        let folder = Bench.folder(in: directory)
        defer { try? FileManager.default.removeItem(at: folder) }
        var figures = Figures()
        Bench.progress("goal states of Alcor")
        figures.add(try await AlcorFigures(repetitions: repetitions, folder: folder).measure(neighbors.numbers))
        print(figures.table)
        if let json { try JSON.pretty(figures).write(to: URL(filePath: json)) }
    }
}
