package import Foundation
import GRDB
package import HostNetwork

/// What this host was asked for and accepted, on disk: inputs only, never what was made of them.
///
/// Every write is one transaction, and it is on the disk when the call returns.
package struct Store: Sendable {
    private let database: DatabaseQueue
    package var path: String { database.path }

    /// Opens or creates the database, and brings an older one up to date. See Docs/Decisions/0007 for what its settings promise.
    /// Throws `StoreError` naming the file; a database that is damaged, or that a newer version wrote, is left as it is.
    package init(path: String) throws(StoreError) {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // EXCLUSIVE, and before WAL: then the index of the log is in memory. As a file it would be mapped, which wants room on a full
            // disk, and where the disk fails is a SIGBUS instead of an error (sqlite.org/wal.html#noshm).
            try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            // WAL: a commit is one append and one fsync, and a crash at any moment leaves the last commit whole.
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            // FULL: NORMAL, which GRDB takes when it is the one to choose WAL, may lose the last commits when the power fails, and
            // "applied" has been said about them by then.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            // What a big commit made of the log is given back: bytes.
            try database.execute(sql: "PRAGMA journal_size_limit = \(Self.logLimit)")
        }
        do {
            let directory = URL(filePath: path).deletingLastPathComponent()
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
            database = try DatabaseQueue(path: path, configuration: configuration)
            try database.inDatabase { database in
                if try Schema.migrator.hasBeenSuperseded(database) {
                    throw StoreError(
                        path: path, operation: "open", reason: "a newer version of hawserd wrote it; start that one, or move the file away",
                        cause: .newer)
                }
                // Pages, order and bounds; not whether indices agree, which takes far longer (sqlite.org/pragma.html#pragma_quick_check).
                let found = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? ""
                if found != "ok" { throw StoreError(path: path, operation: "open", reason: found, cause: .damaged) }
            }
            try Schema.migrator.migrate(database)
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(path: path, operation: "open", because: error)
        }
    }

    private static let logLimit = 4 << 20

    /// Writes all that one pass has changed, all or nothing: `upserts` by who asked for them, `alcor` what
    /// intents can't hold of goal states. `whole`: with this, all that this host is asked for is known again.
    package func commit(
        _ upserts: [String: [Intent]], deletions: [IntentID], leaving: [IntentID] = [], purging: [Released] = [],
        attachments: Attachments = Attachments(), alcor: [AlcorState] = [], whole: Whole? = nil,
        at time: Date = .now
    ) throws(StoreError) {
        let time = time.ISO8601Format()
        try write("commit") { database in
            let delete = try database.cachedStatement(sql: "DELETE FROM intents WHERE kind = ? AND id = ?")
            for id in deletions { try delete.execute(arguments: [id.kind.rawValue, id.id]) }
            let upsert = try database.cachedStatement(sql: Self.upsert)
            for (source, intents) in upserts {
                for intent in intents {
                    try upsert.execute(arguments: [
                        intent.id.kind.rawValue, intent.id.id, Int64(clamping: intent.revision), IntentFile.encode(intent).json, source,
                        time,
                    ])
                }
            }
            for id in leaving {
                try database.execute(sql: "UPDATE intents SET leaving = 1 WHERE kind = ? AND id = ?", arguments: [id.kind.rawValue, id.id])
            }
            try remember(purging, at: time, in: database)
            try attachments.write(to: database)
            try remember(alcor, in: database)
            if let whole { try whole.write(to: database) }
        }
    }

    /// Remembers `upserts` and forgets `deletions`, all or nothing. `purging`: addresses that were let go, whose tracked flows must still
    /// be deleted; they are remembered in the same transaction, so that a crash can't forget them. `leaving`: resources that were deleted
    /// while in use, and stay in force until nobody uses them.
    package func commit(
        upserts: [Intent], deletions: [IntentID], source: String, leaving: [IntentID] = [], purging: [Released] = [], at time: Date = .now
    ) throws(StoreError) {
        try commit([source: upserts], deletions: deletions, leaving: leaving, purging: purging, at: time)
    }

    /// Everything accepted, in the order in which kinds are taken in.
    package func load() throws(StoreError) -> Loaded {
        try read("load") { database in
            var loaded = Loaded()
            for row in try Row.fetchAll(database, sql: "SELECT kind, id, document, source, leaving FROM intents ORDER BY kind, id") {
                loaded.take(kind: row[0], id: row[1], document: row[2], source: row[3])
                let leaves: Bool = row[4]
                if leaves, let kind = Kind(rawValue: row[0]) { loaded.leaving.insert(IntentID(kind, row[1])) }
            }
            loaded.intents.sort { $0.intent.id < $1.intent.id }
            return loaded
        }
    }

    private static let upsert = """
        INSERT INTO intents (kind, id, revision, document, source, accepted) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (kind, id) DO UPDATE SET
            revision = excluded.revision, document = excluded.document, source = excluded.source, accepted = excluded.accepted,
            leaving = 0
        """

    func write<Result>(_ operation: String, _ body: (Database) throws -> Result) throws(StoreError) -> Result {
        do { return try database.write(body) } catch {
            throw StoreError(path: database.path, operation: operation, because: error)
        }
    }

    func read<Result>(_ operation: String, _ body: (Database) throws -> Result) throws(StoreError) -> Result {
        do { return try database.read(body) } catch {
            throw StoreError(path: database.path, operation: operation, because: error)
        }
    }
}

extension Store {
    /// A setting of this connection, by the name that SQLite gives it (sqlite.org/pragma.html).
    package func setting(_ name: String) throws(StoreError) -> String {
        try read("ask for \(name)") { try String.fetchOne($0, sql: "PRAGMA \(name)") ?? "" }
    }

    /// Whether something can be written: throws while nothing can. It changes nothing that anybody reads.
    package func probe() throws(StoreError) {
        try write("write") { database in
            // The number is free for programs to use (sqlite.org/pragma.html#pragma_user_version); GRDB doesn't.
            let number = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            try database.execute(sql: "PRAGMA user_version = \(1 - min(1, number))")
        }
    }
}
