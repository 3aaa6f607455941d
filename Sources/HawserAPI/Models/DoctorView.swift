/// `GET /v1/doctor`: what was looked for on this host, and what was found.
package struct DoctorView: Codable, Hashable, Sendable {
    package enum Status: String, Codable, Hashable, Sendable {
        case ok, warning
        /// A promise of Hawser's doesn't hold.
        case fault
    }

    package struct Check: Codable, Hashable, Sendable {
        package var id: String
        package var status: Status
        /// A sentence for each thing that was found.
        package var found: [String]
        /// What to do about it.
        @Nullable package var remedy: String?

        package init(id: String, status: Status, found: [String], remedy: String?) {
            self.id = id
            self.status = status
            self.found = found
            self.remedy = remedy
        }
    }

    /// The worst of all checks'.
    package var status: Status
    package var checks: [Check]

    package init(status: Status, checks: [Check]) {
        self.status = status
        self.checks = checks
    }
}
