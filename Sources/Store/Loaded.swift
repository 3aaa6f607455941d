package import HostNetwork

/// What the store remembers.
package struct Loaded: Sendable {
    package struct Stored: Hashable, Sendable {
        package var intent: Intent
        /// Who asked for it: "control", or "file:" and the file's path.
        package var source: String
    }

    /// A row that this version can't read: written by a newer one, or damaged.
    package struct Unreadable: Hashable, Sendable {
        package var kind: String
        package var id: String
        package var reason: String
        /// The row as it is.
        package var document: String
    }

    package var intents: [Stored] = []
    /// Those that were deleted while in use, and leave when nobody uses them any more.
    package var leaving: Set<IntentID> = []
    package var unreadable: [Unreadable] = []

    mutating func take(kind: String, id: String, document: String, source: String) {
        do throws(JSONSyntaxError) {
            let decoded = IntentFile.decode(try JSONParser.parse(document.utf8))
            if let intent = decoded.intents.first, decoded.rejected.isEmpty {
                intents.append(Stored(intent: intent, source: source))
            } else {
                let reason = decoded.rejected.first.map(\.description) ?? "it holds no resource"
                unreadable.append(Unreadable(kind: kind, id: id, reason: reason, document: document))
            }
        } catch {
            unreadable.append(Unreadable(kind: kind, id: id, reason: "not JSON: \(error)", document: document))
        }
    }
}
