import ArgumentParser
import Foundation
import HawserAPI

/// Measures a start from nothing of a host with many pods, and how long others of the host wait meanwhile.
struct ColdCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cold", abstract: "Measures a start from nothing with many pods, and how long others wait meanwhile.")

    @Option(help: "Pods; each has two of the groups.") var pods = 5000
    @Option(help: "Groups of 50 rules each.") var groups = 100
    @Option(help: "Write the results as JSON to this file, too.", completion: .file()) var json: String?
    @Option(help: "Where the store is: it should be on a disk.", completion: .directory) var directory = "/var/tmp"

    func run() async throws {
        let folder = Bench.folder(in: directory)
        defer { try? FileManager.default.removeItem(at: folder) }
        var figures = Figures()
        Bench.progress("making \(pods) namespaces")
        let cold = try ColdFigures(pods: pods, groups: groups, folder: folder)
        Bench.progress("a start from nothing")
        (figures.series, figures.facts) = try await cold.measure()
        print(figures.table)
        if let json { try JSON.pretty(figures).write(to: URL(filePath: json)) }
    }
}
