import Foundation
import HawserAPI
import HawserProtocol
import HostNetwork
package import Logging
package import Store
import Synchronization

/// Where goal states end: takes each message in its turn and answers each of its states.
package final class AlcorDesk: Sendable {
    private let ledger: Mutex<AlcorLedger>
    private let store: Store
    private let reconciler: any Reconciling
    private let logger: Logger
    private let limits: Settings.Push
    /// How many states are under way between the wire and the kernel.
    private let gate: Gate
    let settings: Settings.Alcor

    package init(_ settings: Settings, store: Store, reconciler: any Reconciling, logger: Logger) throws {
        self.settings = settings.alcor
        limits = settings.push
        gate = Gate(capacity: 2 * settings.push.maxResources)
        self.store = store
        self.reconciler = reconciler
        self.logger = logger
        let settings = settings.alcor
        let stored = try store.alcorStates().map { record in
            let type = Alcor_Schema_ResourceType(rawValue: record.type) ?? .UNRECOGNIZED(record.type)
            return (AlcorLedger.Key(type: type, id: record.id), AlcorLedger.Entry(revision: record.revision, content: record.content))
        }
        ledger = Mutex(
            AlcorLedger(Dictionary(uniqueKeysWithValues: stored), settings) { key, error in
                logger.error("alcor: the remembered state of \(key.type.word) \(key.id) can't be read and is left out: \(error)")
            })
    }

    /// What became of the turn of one message, told by the thread that took it.
    private final class Turned: Sendable {
        let outcome = Mutex<Result<AlcorTurn, any Error>?>(nil)
    }

    /// Throws only when the call is cancelled before its turn.
    ///
    /// - Parameter scope: what the client may change; nil: everything.
    func push(
        _ message: GoalStates, within scope: Scope?, since start: ContinuousClock.Instant
    ) async throws -> Alcor_Schema_GoalStateOperationReply {
        let count = message.states.count
        guard count > 0 else { return .init(message, [], start.duration(to: .now)) }
        guard count <= limits.maxResources else {
            let refused = Verdict.said(.failure, "a message of \(count) states: \(limits.maxResources) at most (push.maxResources)")
            return .init(message, message.states.map { GoalStateResult($0, refused, [:]) }, start.duration(to: .now))
        }
        let weight = max(count, limits.maxResources / 64)
        try await gate.enter(weight)
        defer { gate.leave(weight) }
        let turned = Turned()
        let report = await reconciler.reconcile(
            Change { intents in
                let outcome = Result { try self.turn(message.states, intents, scope) }
                turned.outcome.withLock { $0 = outcome }
                return (try? outcome.get().change) ?? Change()
            }, source: Source.alcor, dryRun: false)
        let answers = Dictionary(report.answers.compactMap { answer in answer.intent.map { ($0, answer) } }) { $1 }
        let results: [GoalStateResult]
        switch turned.outcome.withLock({ $0 }) {
        case .success(let turn):
            results = zip(message.states, turn.verdicts).map { GoalStateResult($0, $1, answers) }
            note(turn.woken, answers)
        case .failure(let error):
            results = message.states.map { GoalStateResult($0, .said(.failure, "not stored, so not applied: \(error)"), answers) }
        case nil:
            results = message.states.map { GoalStateResult($0, .said(.failure, Verdict.ending), answers) }
        }
        note(results)
        return .init(message, results, start.duration(to: .now))
    }

    /// On the reconciler's thread, so that messages are taken one after the other.
    private func turn(_ states: [AlcorState], _ intents: Intents, _ scope: Scope?) throws -> AlcorTurn {
        try ledger.withLock { ledger in
            let turn = try AlcorTurn(states, ledger, intents, settings, scope: scope)
            var after = turn.ledger
            if !after.unsaved.isEmpty {
                try store.rememberAlcor(
                    after.unsaved.map { key, entry in
                        Store.AlcorState(
                            type: key.type.rawValue, id: key.id, revision: entry?.revision ?? 0, content: entry?.content ?? Data(),
                            isForgotten: entry == nil)
                    })
                after.saved()
            }
            ledger = after
            return turn
        }
    }

    /// One line for each of the first few that were refused: a message may hold thousands.
    private func note(_ results: [GoalStateResult]) {
        let refused = results.filter { $0.status != .success && $0.status != .pending }
        for result in refused.prefix(5) {
            logger.warning("alcor: \(result.state.type.word) \(result.state.id): \(result.status.word): \(result.reason ?? "")")
        }
        if refused.count > 5 { logger.warning("alcor: and \(refused.count - 5) more of the same message") }
    }

    private func note(_ woken: [Verdict], _ answers: [IntentID: Answer]) {
        for verdict in woken {
            let (status, reason) = verdict.words(answers)
            let name = verdict.intent.map { "\($0)" } ?? "what waited"
            logger.info("alcor: \(name) waited for its subnet: \(status.word)\(reason.map { ": " + $0 } ?? "")")
        }
    }
}
