import ArgumentParser
import Foundation
import HawserAPI

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Applies intents: YAML or JSON, from files, folders or standard input.")

    @Option(
        name: [.customShort("f"), .customLong("file")], help: "A file, a folder (its *.yaml, *.yml and *.json), or - for standard input.",
        completion: .file())
    var files: [String]

    @Flag(help: "What is applied is the whole of this host: delete what it doesn't name.")
    var prune = false

    @Flag(help: "Change nothing, and show what would be done.")
    var dryRun = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let documents = try files.flatMap(IntentSource.documents)
        let answer = try await ControlClient.connected(to: common.sockets.control) { client in
            try await client.apply(documents, prune: prune, dryRun: dryRun)
        }
        try Answers.show(answer, common)
    }
}

/// What `-f` may name.
enum IntentSource {
    static func documents(at path: String) throws -> [ControlClient.Document] {
        guard path != "-" else {
            return [ControlClient.Document(name: "standard input", content: try FileHandle.standardInput.readToEnd() ?? Data())]
        }
        guard FileManager.default.fileExists(atPath: path) else { throw ValidationError("\(path): there is no such file or folder") }
        let isFolder = try URL(filePath: path).resourceValues(forKeys: [.isDirectoryKey]).isDirectory ?? false
        guard isFolder else { return [try document(at: path)] }
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted().filter { name in
            !name.hasPrefix(".") && [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
        }
        guard !names.isEmpty else { throw ValidationError("\(path): the folder holds no *.yaml, *.yml or *.json") }
        return try names.map { try document(at: path + "/" + $0) }
    }

    private static func document(at path: String) throws -> ControlClient.Document {
        do {
            return ControlClient.Document(name: path, content: try Data(contentsOf: URL(filePath: path)))
        } catch {
            throw ValidationError("\(path): can't be read: \(error.localizedDescription)")
        }
    }
}
