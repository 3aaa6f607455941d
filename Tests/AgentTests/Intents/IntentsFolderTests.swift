import Foundation
import HawserAPI
import HostNetwork
import Logging
import Store
import Testing

@testable import Agent

@Suite("The intents' folder", .timeLimit(.minutes(60))) struct IntentsFolderTests {
    private let folder: TemporaryFolder
    private let store: Store
    private let journal = Journal()

    init() throws {
        folder = try TemporaryFolder()
        store = try Store(path: folder.file("state.sqlite"))
        try FileManager.default.createDirectory(atPath: intents, withIntermediateDirectories: true)
    }

    private var intents: String { folder.file("intents.d") }
    private func source(_ name: String) -> String { "file:" + intents + "/" + name }
    private func write(_ text: String, _ name: String) throws { try folder.write(text, to: "intents.d/" + name) }
    private func pod(_ id: String) -> IntentID { IntentID(.pod, id) }

    /// Watches while `body` runs; `body` gets the reconciler and the changes as they come.
    private func watching(
        _ path: String? = nil, _ body: (MemoryReconciler, Taker<MemoryReconciler.Asked>) async throws -> Void
    ) async throws {
        let reconciler = MemoryReconciler(store: store)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let watcher = IntentsFolder(path: path ?? intents, store: store, reconciler: reconciler, journal: journal, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await watcher.run() }
            try await body(reconciler, Taker(reconciler.asked))
            group.cancelAll()
        }
    }

    @Test("is applied file by file at start, then as files come, change and go")
    func follows() async throws {
        try write(Samples.network, "10.yaml")
        try write(Samples.pods("web-0"), "20.yaml")
        try await watching { reconciler, asked in
            #expect(try await asked.next().source == source("10.yaml"))
            #expect(try await asked.next().change.upserts.map(\.id) == [pod("web-0")])
            try write(Samples.pods("web-0", "web-1"), "20.yaml")
            #expect(try await asked.next().change.upserts.map(\.id) == [pod("web-0"), pod("web-1")])
            try write(Samples.pods("web-1"), "20.yaml")
            let edited = try await asked.next()
            #expect(edited.change.deletions == [pod("web-0")] && edited.source == source("20.yaml"))
            try write("{\"pods\": []}", "30.json")
            #expect(try await asked.next().change.upserts.isEmpty)
            try folder.remove("intents.d/20.yaml")
            #expect(try await asked.next().change.deletions == [pod("web-1")])
            #expect(await reconciler.known == [IntentID(.network, "blue")])
        }
    }

    @Test("that is missing is waited for")
    func missing() async throws {
        let late = folder.file("a/b/intents.d")
        try await watching(late) { _, asked in
            try FileManager.default.createDirectory(atPath: late, withIntermediateDirectories: true)
            try folder.write(Samples.pods("web-0"), to: "a/b/intents.d/1.yaml")
            #expect(try await asked.next().change.upserts.map(\.id) == [pod("web-0")])
        }
    }

    /// Fails on b183833: whatever the daemon can read is read, and quoted in the log and in events.
    @Test("reads no file for whoever links to it and doesn't own it, and none that is no regular one")
    func links() async throws {
        let nobody = "65534"
        try folder.write("root:$6$salt$hash:20000:0:99999:7:::\n", to: "secret")
        try folder.write(Samples.pods("web-0"), to: "theirs")
        for name in ["ours.yaml", "stolen.yaml"] {
            try FileManager.default.createSymbolicLink(atPath: intents + "/" + name, withDestinationPath: folder.file("secret"))
        }
        try FileManager.default.createSymbolicLink(atPath: intents + "/theirs.yaml", withDestinationPath: folder.file("theirs"))
        try await Program.run("chown", ["-h", nobody, intents + "/stolen.yaml", intents + "/theirs.yaml", folder.file("theirs")])
        try await Program.run("mkfifo", [intents + "/pipe.yaml"])
        try FileManager.default.createSymbolicLink(atPath: intents + "/zero.yaml", withDestinationPath: "/dev/zero")
        func reason(_ name: String) -> String? {
            if case .unreadable(let reason) = IntentFolderFile.read(intents + "/" + name) { reason } else { nil }
        }
        #expect(reason("stolen.yaml")?.contains("it is a link of user 65534 to a file of user 0") == true)
        #expect(reason("pipe.yaml") == "it isn't a regular file" && reason("zero.yaml") == "it isn't a regular file")
        #expect(reason("ours.yaml") == nil && reason("theirs.yaml") == nil)
        try await watching { _, asked in
            let (ours, theirs) = (try await asked.next(), try await asked.next())
            #expect(ours.source == source("ours.yaml") && theirs.change.upserts.map(\.id) == [pod("web-0")])
        }
        let told = journal.remembered.filter { $0.id.hasSuffix("stolen.yaml") }
        #expect(told.map(\.event) == ["unreadable"] && told.allSatisfy { $0.reason?.contains("salt") == false }, "\(told)")
    }

    @Test("leaves in force what a file said before it became unreadable, and says so")
    func unreadable() async throws {
        try write(Samples.pods("web-0"), "1.yaml")
        try await watching { reconciler, asked in
            _ = try await asked.next()
            try write("pods: [", "1.yaml")
            try write("{}", "2.yaml")  // a sign that the broken one has been looked at
            #expect(try await asked.next().source == source("2.yaml"))
            #expect(await reconciler.known == [pod("web-0")])
        }
        let event = try #require(journal.remembered.first { $0.event == "unreadable" })
        #expect(event.kind == "file" && event.id == intents + "/1.yaml" && event.reason?.contains("stays in force") == true)
    }

    @Test("leaves in force what a refused resource was, by name or not")
    func refused() async throws {
        try write(Samples.pods("web-0", "web-1"), "1.yaml")
        try await watching { reconciler, asked in
            _ = try await asked.next()
            try write("pods: [{id: web-0, hat: red}]", "1.yaml")
            let named = try await asked.next().change
            #expect(named.deletions == [pod("web-1")] && named.rejected.map(\.intent) == [pod("web-0")])
            try write("pods: [{id: 'no good id', network: blue}]", "1.yaml")
            let unnamed = try await asked.next().change
            #expect(unnamed.deletions.isEmpty && unnamed.rejected.map(\.intent) == [nil])
            #expect(await reconciler.known == [pod("web-0")])
        }
    }

    @Test("deletes at start what files said that went while nobody looked, and reads unchanged ones no second time")
    func restart() async throws {
        try write(Samples.network, "1.yaml")
        try write(Samples.pods("web-0"), "2.yaml")
        try write(Samples.pods("web-1"), "3.yaml")
        try await watching { _, asked in for _ in 1...3 { _ = try await asked.next() } }
        try await store.until { try $0.files().count == 3 }
        try folder.remove("intents.d/2.yaml")
        try write(Samples.pods("web-2"), "4.yaml")
        try await watching { _, asked in
            let gone = try await asked.next()
            #expect(gone.source == source("2.yaml") && gone.change.deletions == [pod("web-0")] && gone.change.upserts.isEmpty)
            #expect(try await asked.next().source == source("4.yaml"))
        }
    }

    @Test("moves a resource from one file to another without deleting it")
    func moves() async throws {
        try write(Samples.pods("web-0"), "1.yaml")
        try await watching { _, asked in _ = try await asked.next() }
        try await store.until { try $0.files().count == 1 }
        try folder.remove("intents.d/1.yaml")
        try write(Samples.pods("web-0"), "2.yaml")
        try await watching { reconciler, asked in
            let changes = [try await asked.next(), try await asked.next()]
            #expect(changes.allSatisfy { $0.change.deletions.isEmpty })
            #expect(await reconciler.known == [pod("web-0")])
        }
        try await store.until { try $0.resources(of: source("2.yaml")) == [pod("web-0")] }
    }

    @Test("lets the file that comes last by name win, and the other one again once that is gone")
    func twoFiles() async throws {
        try write(Samples.pods("web-0"), "1.yaml")
        try write(Samples.pods("other", "web-0"), "2.yaml")
        try await watching { _, asked in
            #expect(try await asked.next().change.upserts.isEmpty)
            #expect(try await asked.next().change.upserts.map(\.id) == [pod("other"), pod("web-0")])
            try folder.remove("intents.d/2.yaml")
            let back = try await asked.next()
            #expect(back.source == source("1.yaml") && back.change.upserts.map(\.id) == [pod("web-0")])
            #expect(try await asked.next().change.deletions == [pod("other")])
        }
    }

    @Test("offers again what was refused for the sake of others, once another file changes")
    func offersAgain() async throws {
        try write(Samples.pods("web-0"), "1.yaml")
        try await watching { reconciler, asked in
            _ = try await asked.next()
            await reconciler.refuse([pod("web-1")])
            try write(Samples.pods("web-1"), "2.yaml")
            _ = try await asked.next()
            await reconciler.refuse([])
            try write(Samples.network, "3.yaml")
            #expect(try await asked.next().source == source("3.yaml"))
            let again = try await asked.next()
            #expect(again.source == source("2.yaml") && again.change.upserts.map(\.id) == [pod("web-1")])
        }
    }

    @Test("doesn't look at hidden files, copies of editors and other names")
    func names() {
        #expect(["a.yaml", "b.yml", "c.json"].allSatisfy(IntentFolderFile.isIntents))
        #expect(![".a.yaml", "a.yaml~", "a.yaml.swp", "README", "4913", "yaml"].contains(where: IntentFolderFile.isIntents))
    }

    @Test("takes a file that an editor renames and writes anew as edited, never as gone")
    func editors() async throws {
        try write(Samples.pods("web-0"), "1.yaml")
        try await watching { _, asked in
            _ = try await asked.next()
            try FileManager.default.moveItem(atPath: intents + "/1.yaml", toPath: intents + "/1.yaml~")
            try write(Samples.pods("web-0", "web-1"), "1.yaml")
            let edited = try await asked.next().change
            #expect(edited.deletions.isEmpty && edited.upserts.map(\.id) == [pod("web-0"), pod("web-1")])
        }
    }
}

extension Store {
    /// What is written after the answer is there a moment later.
    func until(_ condition: (Store) throws -> Bool) async throws {
        while try !condition(self) {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
