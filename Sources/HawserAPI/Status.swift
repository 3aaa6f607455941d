/// What became of a resource: the six words that every interface uses.
package enum Status: String, Codable, Hashable, Sendable, CaseIterable {
    /// The kernel enforces it already.
    case applied
    /// Accepted and stored; waits for something that hasn't arrived, which the reason names.
    case pending
    /// Accepted; takes effect when something lets go, which the reason names.
    case deferred
    /// Refused; what was in force stays in force.
    case rejected
    /// The kernel refused an operation; the reason gives it, the errno and the kernel's own words.
    case failed
    /// Older than the revision in force.
    case stale

    /// Whether whoever asked got what was asked for, now or as soon as it can be.
    package var isAccepted: Bool {
        switch self {
        case .applied, .pending, .deferred: true
        case .rejected, .failed, .stale: false
        }
    }
}
