import Agent
import Foundation
import HostNetwork
import Testing

@Suite("The files in Config") struct ConfigTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Config").standardized
    private static let settings = folder.appending(path: "hawserd.yaml").path
    private static let examples = folder.appending(path: "examples").path

    /// The intents of every example, by file, in the order in which a folder is applied.
    private static func pages() throws -> [(file: String, intents: [Intent], rejected: [Rejected])] {
        try FileManager.default.contentsOfDirectory(atPath: examples).sorted().map { file in
            let text = try Data(contentsOf: URL(filePath: "\(examples)/\(file)"))
            let decoded = try IntentReader.documents(in: text, named: file).map(IntentFile.decode)
            return (file, decoded.flatMap(\.intents), decoded.flatMap(\.rejected))
        }
    }

    @Test("name every setting there is, with its default")
    func defaults() async throws {
        let loaded = try await SettingsLoader.load(file: Self.settings, environment: [:])
        #expect(loaded.settings == Settings())
        let text = try Data(contentsOf: URL(filePath: Self.settings))
        guard case .map(let sections)? = try IntentReader.documents(in: text, named: Self.settings).first else {
            Issue.record("\(Self.settings) is not a map of sections")
            return
        }
        let named = sections.flatMap { section, values -> [String] in
            guard case .map(let entries) = values else { return [] }
            return entries.map { "\(section).\($0.0)" }
        }
        #expect(named == Setting.all.map(\.key))
    }

    @Test("say of the settings that have no effect yet that they have none")
    func later() throws {
        let text = try String(contentsOfFile: Self.settings, encoding: .utf8)
        let sections = Set(Setting.all.filter(\.isForLater).compactMap { $0.key.split(separator: ".").first })
        let marked = text.components(separatedBy: "[no effect in this version]").dropLast().count
        #expect(marked == sections.count)
    }

    @Test("hold examples that are accepted, each by itself and all together")
    func examples() throws {
        let pages = try Self.pages()
        #expect(pages.count >= 3)
        for page in pages {
            #expect(page.rejected.isEmpty, "\(page.file)")
            #expect(!page.intents.isEmpty, "\(page.file)")
        }
        var intents = Intents()
        for answer in intents.upsert(contentsOf: pages.flatMap(\.intents)) { _ = try answer.get() }
        #expect(intents.pods.keys.sorted() == ["client-0", "db-0", "web-0"].map { ID<Pod>($0) })
        for pod in intents.pods.keys { #expect(intents.unmet(for: pod).isEmpty) }
    }
}
