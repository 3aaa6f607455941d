import GRDB

/// The database couldn't be opened, read or written; nothing of the failed write is in it.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Cause: Hashable, Sendable {
        /// What is in the file isn't what SQLite has written.
        case damaged
        /// A later version of the schema.
        case newer
        /// All else: no room, no right, no disk. It may go as it came.
        case other
    }

    package var path: String
    package var operation: String
    /// SQLite's own words.
    package var reason: String
    package var cause: Cause

    package init(path: String, operation: String, reason: String, cause: Cause = .other) {
        self.path = path
        self.operation = operation
        self.reason = reason
        self.cause = cause
    }

    init(path: String, operation: String, because error: any Error) {
        let code = (error as? DatabaseError)?.resultCode
        let isDamaged = code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB
        self.init(path: path, operation: operation, reason: "\(error)", cause: isDamaged ? .damaged : .other)
    }

    package var description: String { "can't \(operation) in \(path): \(reason)" }
}
