/// The name of one resource among all kinds.
package struct IntentID: Hashable, Sendable {
    package let kind: Kind
    package let id: String

    package init(_ kind: Kind, _ id: String) {
        self.kind = kind
        self.id = id
    }
}

/// By kind, in the order in which kinds are taken in, then by id.
extension IntentID: Comparable {
    package static func < (left: IntentID, right: IntentID) -> Bool {
        left.kind == right.kind ? left.id < right.id : left.kind < right.kind
    }
}

extension IntentID: CustomStringConvertible {
    package var description: String { kind.words + " " + id }
}
