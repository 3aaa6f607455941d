package import Foundation

/// One line of `GET /v1/events`: something happened to a resource, or to the daemon.
package struct EventView: Codable, Hashable, Sendable {
    package var time: Date
    /// A kind of resource, `file` for a file of the intents' folder, or `daemon`.
    package var kind: String
    package var id: String
    /// What happened, in a word: one of the six statuses, `deleted`, `started`, `unreadable`, …
    package var event: String
    @Nullable package var reason: String?
    /// Who asked: "control", or "file:" and its path.
    @Nullable package var source: String?

    package init(time: Date = .now, kind: String, id: String, event: String, reason: String? = nil, source: String? = nil) {
        self.time = time
        self.kind = kind
        self.id = id
        self.event = event
        self.reason = reason
        self.source = source
    }
}
