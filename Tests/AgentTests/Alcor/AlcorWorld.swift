import HawserAPI
import HawserProtocol
import HostNetwork
import SwiftProtobuf

@testable import Agent

/// What a host makes of goal states, without a kernel: every pod's namespace is there.
struct AlcorWorld {
    var intents = Intents()
    var ledger = AlcorLedger()
    var settings = Settings.Alcor()
    /// How many values may be remembered.
    var mostValues = Int.max
    /// Whether the last message changed anything that is to be remembered.
    private(set) var hasChanged = false

    /// What the client may change; nil: everything.
    var scope: Scope?

    init(isolated: Bool = false) { settings.isolated = isolated }

    @discardableResult
    mutating func push(_ message: Alcor_Schema_GoalState) throws -> Alcor_Schema_GoalStateOperationReply {
        try push(GoalStates(message, settings))
    }

    @discardableResult
    mutating func push(_ message: Alcor_Schema_GoalStateV2) throws -> Alcor_Schema_GoalStateOperationReply {
        try push(GoalStates(message, settings))
    }

    mutating func push(_ message: GoalStates) throws -> Alcor_Schema_GoalStateOperationReply {
        var edits = Edits(intents, [:], ledger, mostValues: mostValues)
        let taken = edits.admit(Change(message, scope: scope), from: Source.alcor, into: &intents)
        hasChanged = !edits.isEmpty
        ledger = edits.ledger.saved
        let answers = Dictionary(
            taken.outcomes.compactMap { id, outcome in id.map { ($0, answer($0, outcome)) } }
        ) { $1 }
        let results = zip(message.states, taken.goal?.states ?? []).map { GoalStateResult($0, $1, answers) }
        return .init(message, results, .microseconds(1000))
    }

    private func answer(_ id: IntentID, _ outcome: Edits.Outcome) -> Answer {
        switch outcome {
        case .rejected(let rejected): Answer(rejected)
        case .stale, .kept: Answer(intent: id, status: .stale)
        case .awaited: Answer(intent: id, status: .pending)
        case .deferred: Answer(intent: id, status: .deferred)
        case .removed, .absent: Answer(intent: id, status: .applied)
        case .accepted, .unchanged:
            Answer(intent: id, status: waits(id) ? .pending : .applied)
        }
    }

    private func waits(_ id: IntentID) -> Bool {
        switch id.kind {
        case .pod: !intents.unmet(for: ID<Pod>(id.id)).isEmpty
        case .network: !intents.unmet(for: ID<Network>(id.id), over: nil) { _ in nil }.isEmpty
        default: false
        }
    }

    /// The daemon ends and starts again: what it remembers goes through the store's form.
    mutating func restart() {
        ledger = AlcorLedger(ledger.entries, settings) { _, _ in }
        intents = Intents(restoring: intents.all, leaving: intents.leaving)
    }
}

extension Alcor_Schema_GoalStateOperationReply {
    var statuses: [Alcor_Schema_OperationStatus] { operationStatuses.map(\.operationStatus) }
    var reasons: [String] { operationStatuses.map(\.reason) }
}

/// Dice that fall the same way again from the same seed (SplitMix64).
struct AlcorDice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
