/// `GET /v1/groups`: one security group that this host knows.
package struct GroupView: Codable, Hashable, Sendable {
    package struct Rule: Codable, Hashable, Sendable {
        package var rule: String
        /// The rule as a sentence: "ingress tcp 80-81 from 0.0.0.0/0".
        package var text: String

        package init(rule: String, text: String) {
            self.rule = rule
            self.text = text
        }
    }

    /// An address that counts as this group where a rule names it as remote.
    package struct Member: Codable, Hashable, Sendable {
        /// An address, or a prefix for an allowed address pair.
        package var address: String
        /// Whom it comes from: `pod` or `neighbor`, and which one.
        package var kind: ResourceKind
        package var id: String

        package init(address: String, kind: ResourceKind, id: String) {
            self.address = address
            self.kind = kind
            self.id = id
        }
    }

    package var id: String
    /// Null for a group that pods of any network may bind.
    @Nullable package var network: String?
    package var stateful: Bool
    package var rules: [Rule]
    package var members: [Member]
    /// The pods of this host that are bound to it.
    package var boundBy: [String]
    package var status: Status
    @Nullable package var reason: String?
    package var revision: UInt64

    package init(
        id: String, network: String?, stateful: Bool, rules: [Rule], members: [Member], boundBy: [String], status: Status,
        reason: String? = nil, revision: UInt64
    ) {
        self.id = id
        self.network = network
        self.stateful = stateful
        self.rules = rules
        self.members = members
        self.boundBy = boundBy
        self.status = status
        self.reason = reason
        self.revision = revision
    }
}
