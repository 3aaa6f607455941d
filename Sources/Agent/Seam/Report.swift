package import HawserAPI
package import HostNetwork

/// The answer for one resource.
package struct Answer: Hashable, Sendable {
    /// Nil where a resource was refused because not even its name could be read.
    package var intent: IntentID?
    package var status: Status
    package var reason: String?
    /// The refused field's path inside the resource, as in "rules[2].ports".
    package var field: String?
    /// What would be valid there; the reason says it too.
    package var valid: String?
    /// What the kernel answered to an operation that it refused: errno(3), its name and the kernel's own words.
    package var errno: Int32?
    package var explanation: String?
    package var kernelMicroseconds: Int
    package var totalMicroseconds: Int

    package init(
        intent: IntentID?, status: Status, reason: String? = nil, field: String? = nil, kernelMicroseconds: Int = 0,
        totalMicroseconds: Int = 0
    ) {
        self.intent = intent
        self.status = status
        self.reason = reason
        self.field = field
        self.kernelMicroseconds = kernelMicroseconds
        self.totalMicroseconds = totalMicroseconds
    }

    /// A resource that the decoding refused.
    package init(_ rejected: Rejected) {
        let valid = rejected.valid.isEmpty ? "" : " (valid: \(rejected.valid))"
        let value = rejected.value.isEmpty ? "" : "\(rejected.value): "
        self.init(intent: rejected.intent, status: .rejected, reason: value + rejected.reason + valid, field: rejected.field)
        self.valid = rejected.valid.isEmpty ? nil : rejected.valid
    }
}

/// The answer to a change: one `Answer` for each resource that it names, and what it cost.
package struct Report: Hashable, Sendable {
    package var answers: [Answer]
    /// Netlink messages sent, and their bytes.
    package var messages: Int
    package var bytes: Int
    /// The generation of the nftables ruleset afterwards.
    package var generation: UInt32
    /// The operations as text; only for a dry run.
    package var plan: [String]?
    /// Of a goal state: what its own states are answered.
    var goal: GoalVerdicts?

    package init(answers: [Answer] = [], messages: Int = 0, bytes: Int = 0, generation: UInt32 = 0, plan: [String]? = nil) {
        self.answers = answers
        self.messages = messages
        self.bytes = bytes
        self.generation = generation
        self.plan = plan
    }
}

extension Answer {
    /// The kind of the list that a place such as "pods[3].id" is in.
    static func kind(of place: String) -> Kind? {
        place.firstIndex(of: "[").flatMap { Kind(named: place[..<$0]) }
    }
}
