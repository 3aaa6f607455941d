package import HostNetwork

/// What somebody asks for, judged already: files, the control socket and the push all end in one of these.
package struct Change: Sendable {
    package var upserts: [Intent]
    package var deletions: [IntentID]
    /// Refused while decoding; answered together with the others, stored never.
    package var rejected: [Rejected]
    /// `upserts` and `rejected` name the whole of this host, or of `scope`: what they don't name goes.
    package var prune: Bool
    /// With it everything has been said that is asked of this host, by whoever may; a whole one (`prune`) says that by itself.
    package var isWhole = false
    /// Of a whole: what it doesn't name and has a higher one in force stays. 0: none.
    package var wholeRevision: UInt64 = 0
    /// Alcor's states, where the change is one of those. What is to change is only known when its turn comes:
    /// it depends on what is in force and on what is remembered then (`Edits.admit`).
    var goal: GoalStates?
    /// What may be changed; nil: everything.
    package var scope: Scope?
    /// Deletions that are stale if a higher revision is in force.
    package var deletedRevisions: [IntentID: UInt64]
    /// Namespaces that were handed over for pods whose intents name none; nil: the pod lets go of it.
    package var attachments: [ID<Pod>: String?]

    package init(
        upserts: [Intent] = [], deletions: [IntentID] = [], rejected: [Rejected] = [], prune: Bool = false, scope: Scope? = nil,
        deletedRevisions: [IntentID: UInt64] = [:], attachments: [ID<Pod>: String?] = [:]
    ) {
        self.upserts = upserts
        self.deletions = deletions
        self.rejected = rejected
        self.prune = prune
        self.scope = scope
        self.deletedRevisions = deletedRevisions
        self.attachments = attachments
    }

    /// That everything has been said.
    package static var nothingElse: Change {
        var change = Change()
        change.isWhole = true
        return change
    }

    /// A goal state, and what its client may change; nil: everything.
    init(_ goal: GoalStates, scope: Scope?) {
        self.init(scope: scope)
        self.goal = goal
    }
}
