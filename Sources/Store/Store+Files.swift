import GRDB
package import HostNetwork

/// What the files of the intents' folder have said.
extension Store {
    /// The resources that `source`, a file, was the last to ask for.
    package func resources(of source: String) throws(StoreError) -> [IntentID] {
        try read("read the resources of \(source)") { database in
            // SQLite takes an index of some rows only where the question itself says that it is about those.
            let sql = "SELECT kind, id FROM intents WHERE source = ? AND source >= 'file:' AND source < 'file;' ORDER BY kind, id"
            return try Row.fetchAll(database, sql: sql, arguments: [source])
                .compactMap { row in Kind(rawValue: row["kind"]).map { IntentID($0, row["id"]) } }
        }
    }

    /// The digests of the files taken in, by path.
    package func files() throws(StoreError) -> [String: String] {
        try read("read the files") { database in
            let rows = try Row.fetchAll(database, sql: "SELECT path, digest FROM files")
            // Two names may be spelled differently in bytes, and be the same text (Unicode's canonical equivalence): neither is known then.
            return Dictionary(rows.map { ($0["path"], $0["digest"]) }) { _, _ in "" }
        }
    }

    /// The file has been taken in as it stands: at the next start it is read again only if it has changed, so that what the control
    /// socket changed since isn't undone by a restart.
    package func remember(file path: String, digest: String) throws(StoreError) {
        try write("remember \(path)") { database in
            try database.execute(sql: "INSERT OR REPLACE INTO files (path, digest) VALUES (?, ?)", arguments: [path, digest])
        }
    }

    package func forget(file path: String) throws(StoreError) {
        try write("forget \(path)") { database in
            try database.execute(sql: "DELETE FROM files WHERE path = ?", arguments: [path])
        }
    }
}
