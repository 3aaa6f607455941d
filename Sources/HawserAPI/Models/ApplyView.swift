/// The answer to `apply`, `delete` and `resync`: `hawser apply --output json`.
package struct ApplyView: Codable, Hashable, Sendable {
    package struct Result: Codable, Hashable, Sendable {
        package var kind: String
        package var id: String
        package var status: Status
        @Nullable package var reason: String?
        @Nullable package var field: String?
        package var kernelMicroseconds: Int
        package var totalMicroseconds: Int

        package init(
            kind: String, id: String, status: Status, reason: String?, field: String?, kernelMicroseconds: Int, totalMicroseconds: Int
        ) {
            self.kind = kind
            self.id = id
            self.status = status
            self.reason = reason
            self.field = field
            self.kernelMicroseconds = kernelMicroseconds
            self.totalMicroseconds = totalMicroseconds
        }
    }

    package struct Transaction: Codable, Hashable, Sendable {
        /// Netlink messages sent, and their bytes.
        package var messages: Int
        package var bytes: Int
        /// The generation of the nftables ruleset afterwards.
        package var generation: UInt32

        package init(messages: Int, bytes: Int, generation: UInt32) {
            self.messages = messages
            self.bytes = bytes
            self.generation = generation
        }
    }

    package var results: [Result]
    package var transaction: Transaction
    /// The operations as text; only in the answer to a dry run.
    package var plan: [String]?

    package init(results: [Result], transaction: Transaction, plan: [String]? = nil) {
        self.results = results
        self.transaction = transaction
        self.plan = plan
    }
}
