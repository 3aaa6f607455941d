/// What became of each state of a goal state, in the words of the Alcor controller.
package struct GoalStateView: Codable, Hashable, Sendable {
    package struct Result: Codable, Hashable, Sendable {
        /// "PORT", "SECURITYGROUP", …
        package var type: String
        package var id: String
        /// "CREATE", "INFO", …
        package var operation: String
        /// "SUCCESS", "PENDING", "FAILURE", "INVALID_ARG" or "OUT_OF_ORDER".
        package var status: String
        @Nullable package var reason: String?
        package var kernelMicroseconds: Int
        package var totalMicroseconds: Int

        package init(
            type: String, id: String, operation: String, status: String, reason: String?, kernelMicroseconds: Int, totalMicroseconds: Int
        ) {
            self.type = type
            self.id = id
            self.operation = operation
            self.status = status
            self.reason = reason
            self.kernelMicroseconds = kernelMicroseconds
            self.totalMicroseconds = totalMicroseconds
        }

        package var isAccepted: Bool { status == "SUCCESS" || status == "PENDING" }
    }

    package var results: [Result]
    /// Of the whole message.
    package var totalMicroseconds: Int

    package init(results: [Result], totalMicroseconds: Int) {
        self.results = results
        self.totalMicroseconds = totalMicroseconds
    }
}
