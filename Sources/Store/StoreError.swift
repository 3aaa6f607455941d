/// The database couldn't be opened, read or written; nothing of the failed write is in it.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var operation: String
    /// SQLite's own words.
    package var reason: String

    package var description: String { "can't \(operation) in \(path): \(reason)" }
}
