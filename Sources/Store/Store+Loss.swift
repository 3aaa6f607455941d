package import Foundation
import GRDB

/// The stored intents were lost: what is known since isn't all that this host was asked for.
package struct Loss: Hashable, Sendable {
    package var since: String
    /// Where the damaged database was put; empty: there was none.
    package var setAside: String

    package init(since: String, setAside: String) {
        self.since = since
        self.setAside = setAside
    }
}

extension Store {
    /// Opens the database; one that is damaged is set aside, under a name that says when, and another is begun.
    package static func open(path: String, at time: Date = .now) throws(StoreError) -> Store {
        let files = FileManager.default
        do {
            // Of a database that was being set aside when the power failed; SQLite would read it as the log of the next one.
            if !files.fileExists(atPath: path), files.fileExists(atPath: path + "-wal") { _ = try setAside(path, at: time) }
            return try Store(path: path)
        } catch  where error.cause == .damaged {
            let place = try setAside(path, at: time)
            let store = try Store(path: path)
            try store.write("note the loss") { database in
                try database.execute(sql: "UPDATE lost SET path = ?", arguments: [place])
            }
            return store
        }
    }

    /// The database first: what is left of a log without it is noticed, but a database without its log would be taken for whole.
    private static func setAside(_ path: String, at time: Date) throws(StoreError) -> String {
        let stamp = time.ISO8601Format(.iso8601(timeZone: .gmt, dateSeparator: .omitted, timeSeparator: .omitted))
        let place = "\(path).damaged-\(stamp)"
        do {
            for end in ["", "-wal", "-shm"] where FileManager.default.fileExists(atPath: path + end) {
                try FileManager.default.moveItem(atPath: path + end, toPath: place + end)
            }
        } catch {
            throw StoreError(path: path, operation: "set aside what is damaged", reason: "\(error)")
        }
        return place
    }

    /// Nil when all that this host was asked for is here. A database that begins empty begins with a loss: who knows what was before it.
    package func loss() throws(StoreError) -> Loss? {
        try read("read what was lost") { database in
            try Row.fetchOne(database, sql: "SELECT since, path FROM lost").map { Loss(since: $0["since"], setAside: $0["path"]) }
        }
    }

    /// All that this host is asked for is known again.
    package func take(_ whole: Whole) throws(StoreError) {
        try write("note that nothing is missed") { try whole.write(to: $0) }
    }
}

/// What ends a loss.
package struct Whole: Sendable {
    private let unreadable: [Loaded.Unreadable]

    /// - Parameter unreadable: rows that say nothing to this version; they are forgotten.
    package init(forgetting unreadable: [Loaded.Unreadable]) { self.unreadable = unreadable }

    func write(to database: Database) throws {
        try database.execute(sql: "DELETE FROM lost")
        for row in unreadable {
            // Unless it has been asked for anew since.
            try database.execute(
                sql: "DELETE FROM intents WHERE kind = ? AND id = ? AND document = ?", arguments: [row.kind, row.id, row.document])
        }
    }
}
