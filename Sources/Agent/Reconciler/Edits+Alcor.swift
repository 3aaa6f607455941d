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
        let before = ledger
        ledger = turn.ledger
        let outcomes = take(turn.change, from: source, into: &intents)
        // What can't be deleted is known on.
        for case (let id?, .rejected) in outcomes where id.kind == .network { ledger.keep(ID(id.id), as: before) }
        return Taken(outcomes: outcomes, goal: GoalVerdicts(states: turn.verdicts, woken: turn.woken))
    }
}
