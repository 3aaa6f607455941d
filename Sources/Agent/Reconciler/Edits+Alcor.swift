import HostNetwork

extension Edits {
    /// What became of one change.
    struct Taken {
        var outcomes: [(IntentID?, Outcome)]
        /// Of a goal state: what its own states are answered.
        var goal: GoalVerdicts?
    }

    /// Takes one change. A goal state is read first, against the intents and the ledger as they are when its
    /// turn comes.
    mutating func admit(_ change: Change, from source: String, into intents: inout Intents) -> Taken {
        guard let goal = change.goal else {
            return Taken(outcomes: take(change, from: source, into: &intents))
        }
        let turn = AlcorTurn(goal.states, ledger, intents, goal.settings, scope: change.scope)
        ledger = turn.ledger
        return Taken(
            outcomes: take(turn.change, from: source, into: &intents),
            goal: GoalVerdicts(states: turn.verdicts, woken: turn.woken))
    }
}
