import Foundation
import GRDB
package import HostNetwork

/// Namespaces that were handed over for pods whose intents name none, as far as that changed.
package struct Attachments: Sendable {
    /// By pod; nil: it was let go.
    package var changes: [ID<Pod>: String?]
    /// The pods as they are now. Who asked for them stays who it was.
    package var pods: [Intent]

    package init(_ changes: [ID<Pod>: String?] = [:], pods: [Intent] = []) {
        self.changes = changes
        self.pods = pods
    }

    func write(to database: Database) throws {
        for (pod, namespace) in changes {
            if let namespace {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO attachments (pod, namespace) VALUES (?, ?)", arguments: [pod.value, namespace])
            } else {
                try database.execute(sql: "DELETE FROM attachments WHERE pod = ?", arguments: [pod.value])
            }
        }
        for pod in pods {
            try database.execute(
                sql: "UPDATE intents SET document = ? WHERE kind = ? AND id = ?",
                arguments: [IntentFile.encode(pod).json, pod.id.kind.rawValue, pod.id.id])
        }
    }
}

extension Store {
    /// The namespaces that were handed over, by the pods' ids.
    package func attachments() throws(StoreError) -> [String: String] {
        try read("read the attachments") { database in
            let rows = try Row.fetchAll(database, sql: "SELECT pod, namespace FROM attachments")
            return Dictionary(uniqueKeysWithValues: rows.map { ($0["pod"], $0["namespace"]) })
        }
    }
}
