import HawserAPI
import HawserProtocol
import HostNetwork
package import Logging

/// The way of goal states from the wire to the reconciler and back: each message is one change, and each of
/// its states is answered.
package final class AlcorDesk: Sendable {
    private let reconciler: any Reconciling
    private let logger: Logger
    private let limits: Settings.Push
    /// How many states are under way between the wire and the kernel.
    private let gate: Gate
    let settings: Settings.Alcor
    /// Counts messages with something that was refused, for the log.
    private let meter = PushMeter()

    package init(_ settings: Settings, reconciler: any Reconciling, logger: Logger) {
        self.settings = settings.alcor
        limits = settings.push
        gate = Gate(capacity: 2 * settings.push.maxResources)
        self.reconciler = reconciler
        self.logger = logger
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
        let report = await reconciler.reconcile(
            Change(message, scope: scope), source: Source.alcor, dryRun: false)
        let answers = Dictionary(report.answers.compactMap { answer in answer.intent.map { ($0, answer) } }) { $1 }
        // The daemon is ending where the reconciler says nothing.
        let verdicts =
            report.goal ?? GoalVerdicts(states: message.states.map { _ in .said(.failure, Verdict.ending) })
        let results = zip(message.states, verdicts.states).map { GoalStateResult($0, $1, answers) }
        note(verdicts.woken, answers)
        note(results, within: scope)
        return .init(message, results, start.duration(to: .now))
    }

    /// One line for each of the first few that were refused: a message may hold thousands, and a client that sends
    /// them without end must not fill the log, nor one that is held to networks keep others' out of it.
    private func note(_ results: [GoalStateResult], within scope: Scope?) {
        let refused = results.filter { $0.status != .success && $0.status != .pending }
        guard !refused.isEmpty, meter.refuse(isKnown: scope == nil) else { return }
        for result in refused.prefix(5) {
            let name = "\(result.state.type.word) \(result.state.id.excerpt)"
            logger.warning("alcor: \(name): \(result.status.word): \(result.reason ?? "")")
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
