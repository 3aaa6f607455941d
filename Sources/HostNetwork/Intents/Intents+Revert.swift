extension Intents {
    /// Puts back what was there before a change that couldn't be remembered: nil for what wasn't.
    package mutating func revert(to before: [IntentID: Intent?], leaving: Set<IntentID>) {
        for (id, intent) in before {
            if let intent { put(intent) } else { drop(id) }
        }
        self.leaving = leaving
    }
}
