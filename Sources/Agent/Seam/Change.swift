package import HostNetwork

/// What somebody asks for, judged already: files, the control socket and later the push all end in one of these.
package struct Change: Sendable {
    package var upserts: [Intent]
    package var deletions: [IntentID]
    /// Refused while decoding; answered together with the others, stored never.
    package var rejected: [Rejected]
    /// `upserts` and `rejected` name the whole of this host: what they don't name goes.
    package var prune: Bool

    package init(upserts: [Intent] = [], deletions: [IntentID] = [], rejected: [Rejected] = [], prune: Bool = false) {
        self.upserts = upserts
        self.deletions = deletions
        self.rejected = rejected
        self.prune = prune
    }
}
