import Foundation
import GRDB
import HostNetwork
import Store
import Testing

@Suite("The store") struct StoreTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("state/intents.sqlite")
    }

    private func intents(_ text: String) throws -> [Intent] {
        let decoded = IntentFile.decode(try JSONParser.parse(text.utf8))
        #expect(decoded.rejected.isEmpty)
        return decoded.intents
    }

    private var network: String { #"{"networks": [{"id": "blue", "revision": 7, "subnets": [{"id": "b4", "cidr": "10.1.0.0/24"}]}]}"# }
    private var pods: String {
        #"{"pods": [{"id": "web-0", "network": "blue", "addresses": ["10.1.0.10"]}, {"id": "web-1", "network": "blue", "addresses": ["10.1.0.11"]}]}"#
    }

    @Test("gives back what was committed, after it was closed and opened again")
    func roundTrip() throws {
        let all = try intents(network) + intents(pods)
        try Store(path: path).commit(upserts: all, deletions: [], source: "control")
        let loaded = try Store(path: path).load()
        #expect(loaded.intents.map(\.intent) == all)
        #expect(loaded.intents.allSatisfy { $0.source == "control" })
        #expect(loaded.unreadable.isEmpty)
    }

    @Test("replaces what is named again, and forgets what is deleted, whoever asked for it")
    func replaces() throws {
        let store = try Store(path: path)
        try store.commit(upserts: intents(pods), deletions: [], source: "file:/a.yaml")
        let changed = try intents(#"{"pods": [{"id": "web-0", "network": "blue", "addresses": ["10.1.0.99"], "revision": 2}]}"#)
        try store.commit(upserts: changed, deletions: [IntentID(.pod, "web-1"), IntentID(.pod, "never-there")], source: "control")
        let loaded = try store.load().intents
        #expect(loaded.map(\.intent) == changed)
        #expect(loaded.map(\.source) == ["control"])
        #expect(try store.resources(of: "file:/a.yaml").isEmpty)
    }

    @Test("is whole after a crash: what wasn't committed isn't there, what was is")
    func crash() throws {
        let store = try Store(path: path)
        try store.commit(upserts: intents(network), deletions: [], source: "control")
        // The files of a running daemon, as a crash leaves them: the log of the last commits isn't folded in.
        let copy = folder.file("copy.sqlite")
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        try FileManager.default.copyItem(atPath: path + "-wal", toPath: copy + "-wal")
        try store.commit(upserts: intents(pods), deletions: [], source: "control")
        #expect(try Store(path: copy).load().intents.map(\.intent) == intents(network))
    }

    @Test("waits for the disk at every commit")
    func durable() throws {
        let store = try Store(path: path)
        try store.commit(upserts: intents(network), deletions: [], source: "control")
        #expect(try store.setting("journal_mode") == "wal")
        #expect(try store.setting("synchronous") == "2")  // FULL (sqlite.org/pragma.html#pragma_synchronous)
        #expect(try store.setting("locking_mode") == "exclusive")
        #expect(!FileManager.default.fileExists(atPath: path + "-shm"))
    }

    @Test("tells of a row that it can't read, and gives the others")
    func unreadable() throws {
        try Store(path: path).commit(upserts: intents(network) + intents(pods), deletions: [], source: "control")
        try DatabaseQueue(path: path).write {
            try $0.execute(sql: "UPDATE intents SET document = '{\"pods\": [{\"id\": \"web-0\", \"hat\": 1}]}' WHERE id = 'web-0'")
            try $0.execute(sql: "UPDATE intents SET document = '{' WHERE id = 'web-1'")
        }
        let store = try Store(path: path)
        let loaded = try store.load()
        #expect(loaded.intents.map(\.intent) == (try intents(network)))
        #expect(loaded.unreadable.map(\.id).sorted() == ["web-0", "web-1"])
        // Of those that are forgotten, what has been asked for anew since stays.
        try store.commit(upserts: [try intents(pods)[0]], deletions: [], source: "control")
        try store.take(Whole(forgetting: loaded.unreadable))
        #expect(try store.load().intents.map(\.intent.id.id).sorted() == ["blue", "web-0"])
        #expect(try store.load().unreadable.isEmpty)
    }

    @Test("sets a damaged database aside, and knows from then on that something is missed, until it is told otherwise")
    func loss() throws {
        try Store.open(path: path).take(Whole(forgetting: []))
        try Store.open(path: path).commit(upserts: intents(network), deletions: [], source: "control")
        #expect(try Store.open(path: path).loss() == nil)
        try Data("no database any more, and longer than a header is".utf8).write(to: URL(filePath: path))
        let loss = try #require(try Store.open(path: path).loss())
        #expect(FileManager.default.contents(atPath: loss.setAside)?.starts(with: Data("no database".utf8)) == true)
        #expect(try Store.open(path: path).load().intents.isEmpty)
        #expect(try Store.open(path: path).loss() == loss)
        try Store.open(path: path).commit([:], deletions: [], whole: Whole(forgetting: []))
        #expect(try Store.open(path: path).loss() == nil)
        // The log of a database that is gone is no log of the next one.
        try FileManager.default.removeItem(atPath: path)
        try Data("a log".utf8).write(to: URL(filePath: path + "-wal"))
        #expect(try Store.open(path: path).loss()?.setAside == "")
    }

    @Test("sets aside a database that could be read, but whose pages don't fit together")
    func unfit() throws {
        try Store.open(path: path).commit(upserts: intents(network), deletions: [], source: "control")
        let file = try FileHandle(forUpdating: URL(filePath: path))
        // How many pages are free: none are (sqlite.org/fileformat.html#the_database_header).
        try file.seek(toOffset: 36)
        try file.write(contentsOf: Data([0, 0, 0, 5]))
        try file.close()
        let error = #expect(throws: StoreError.self) { try Store(path: path) }
        #expect(error?.cause == .damaged)
        #expect(try Store.open(path: path).loss()?.setAside.isEmpty == false)
    }

    @Test("doesn't touch the database of a newer version")
    func newer() throws {
        try Store(path: path).commit(upserts: intents(network), deletions: [], source: "control")
        try DatabaseQueue(path: path).write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('of a later day')") }
        let error = #expect(throws: StoreError.self) { try Store.open(path: path) }
        #expect(error?.cause == .newer)
    }

    @Test("can be asked whether it can write, which changes nothing")
    func probe() throws {
        let store = try Store(path: path)
        try store.commit(upserts: intents(network), deletions: [], source: "control")
        for _ in 0..<3 { try store.probe() }
        #expect(try store.load().intents.map(\.intent) == intents(network))
    }

    @Test("names the file and SQLite's own words when it can't be opened")
    func cannotOpen() throws {
        try folder.write("this is no database, and long enough to be looked at", to: "x.sqlite")
        let error = #expect(throws: StoreError.self) { try Store(path: folder.file("x.sqlite")) }
        #expect(error?.description.contains(folder.file("x.sqlite")) == true)
        #expect(error?.description.contains("not a database") == true)
    }

    @Test("remembers addresses to purge in the transaction that let them go, until they are purged")
    func purges() throws {
        let v4 = Released(try IPAddress(parsing: "10.1.0.10"), of: "blue")
        let same = Released(v4.address, of: "green")
        let v6 = Released(try IPAddress(parsing: "fd00:1::10"), of: "blue")
        do {
            let store = try Store(path: path)
            try store.commit(upserts: intents(pods), deletions: [], source: "control", purging: [v6, same, v4])
            try store.commit(upserts: [], deletions: [IntentID(.pod, "web-0")], source: "control", purging: [v4])
        }
        let store = try Store(path: path)
        #expect(try store.purges() == [v4, same, v6])
        try store.purged([v4])
        #expect(try store.purges() == [same, v6])
    }

    @Test("remembers which files were taken in")
    func files() throws {
        do {
            let store = try Store(path: path)
            try store.remember(file: "/a.yaml", digest: "1")
            try store.remember(file: "/b.yaml", digest: "2")
            try store.remember(file: "/a.yaml", digest: "3")
            try store.forget(file: "/b.yaml")
        }
        #expect(try Store(path: path).files() == ["/a.yaml": "3"])
    }
}
