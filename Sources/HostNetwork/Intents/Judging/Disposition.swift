/// What became of a resource that was asked for and not rejected.
package enum Disposition: Hashable, Sendable {
    /// It is in force as asked already. `revised` says that its revision went up, which is worth remembering.
    case unchanged(revised: Bool)
    /// A lower revision than the one in force, which stays.
    case stale(inForce: UInt64)
    /// It takes the place of `previous`. `left` are the deferred deletions that it ended; `refused` are resources that waited for it,
    /// turned out not to fit it, and are gone (nothing of them was ever in force).
    case accepted(previous: Intent?, left: [IntentID] = [], refused: [Rejected] = [])
}

/// What became of a resource that was to be removed.
package enum Removal: Hashable, Sendable {
    /// It is gone, and with it the deferred deletions in `left`.
    case removed(Intent, left: [IntentID] = [])
    /// There was none.
    case absent
    /// It stays in force until the last of these lets go.
    case deferred(boundBy: [IntentID])
}
