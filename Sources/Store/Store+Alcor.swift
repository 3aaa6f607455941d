package import Foundation
import GRDB

/// What the Alcor controller has said and intents can't hold, as it came.
extension Store {
    package struct AlcorState: Hashable, Sendable {
        /// `ResourceType` of Alcor's schema, by its number.
        package var type: Int
        package var id: String
        package var revision: UInt32
        /// Protobuf.
        package var content: Data
        /// It is to go.
        package var isForgotten: Bool

        package init(type: Int, id: String, revision: UInt32, content: Data, isForgotten: Bool = false) {
            self.type = type
            self.id = id
            self.revision = revision
            self.content = content
            self.isForgotten = isForgotten
        }
    }

    func remember(_ states: [AlcorState], in database: Database) throws {
        let put = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO alcor (type, id, revision, content) VALUES (?, ?, ?, ?)")
        let drop = try database.cachedStatement(sql: "DELETE FROM alcor WHERE type = ? AND id = ?")
        for state in states {
            if state.isForgotten {
                try drop.execute(arguments: [state.type, state.id])
            } else {
                try put.execute(arguments: [state.type, state.id, Int64(state.revision), state.content])
            }
        }
    }

    package func alcorStates() throws(StoreError) -> [AlcorState] {
        try read("read Alcor's states") { database in
            try Row.fetchAll(database, sql: "SELECT type, id, revision, content FROM alcor ORDER BY type, id").map { row in
                AlcorState(
                    type: row["type"], id: row["id"], revision: UInt32(clamping: row["revision"] as Int64), content: row["content"])
            }
        }
    }
}
