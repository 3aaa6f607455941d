import HawserAPI
import HawserProtocol
import HostNetwork

/// What a state is answered.
enum Verdict: Hashable, Sendable {
    /// This, whatever becomes of the rest.
    case said(Alcor_Schema_OperationStatus, String? = nil)
    /// What becomes of an intent. `isDone`: it waits for nothing that the state asked for.
    case of(IntentID, isDone: Bool = false)
    /// What becomes of an intent's deletion.
    case gone(IntentID)

    static func refused(_ rejected: Rejected) -> Verdict { .said(.invalidArg, Answer(rejected).sentence) }

    /// The status and its reason.
    func words(_ answers: [IntentID: Answer]) -> (status: Alcor_Schema_OperationStatus, reason: String?) {
        switch self {
        case .said(let status, let reason): return (status, reason)
        case .of(let id, let isDone):
            guard let answer = answers[id] else { return (.failure, Verdict.ending) }
            let status = answer.status.onAlcorsWire
            return (isDone && status == .pending ? .success : status, answer.sentence)
        case .gone(let id):
            guard let answer = answers[id] else { return (.failure, Verdict.ending) }
            // What can't be deleted isn't wrong by itself.
            return (answer.status == .rejected ? .failure : answer.status.onAlcorsWire, answer.sentence)
        }
    }

    /// The intent whose answer it is.
    var intent: IntentID? {
        switch self {
        case .said: nil
        case .of(let id, _), .gone(let id): id
        }
    }

    static let ending = "the daemon is ending; push again when it is back"
}

/// The verdicts on one goal state.
struct GoalVerdicts: Hashable, Sendable {
    /// One for each of its states, in their order.
    var states: [Verdict]
    /// On ports and neighbors that waited for a subnet that this goal state has brought.
    var woken: [Verdict] = []

    /// Returns the verdicts where nothing of the goal state could be stored: what can't be valid stays so,
    /// all else failed. What became of intents is told by the answers for those.
    func unstored(because failure: some Error) -> GoalVerdicts {
        GoalVerdicts(
            states: states.map { verdict in
                switch verdict {
                case .said(.invalidArg, _), .of, .gone: verdict
                case .said: .said(.failure, "not stored, so not applied: \(failure)")
                }
            })
    }
}

extension Status {
    var onAlcorsWire: Alcor_Schema_OperationStatus {
        switch self {
        case .applied, .deferred: .success
        case .pending: .pending
        case .rejected: .invalidArg
        case .failed: .failure
        case .stale: .outOfOrder
        }
    }
}

extension Answer {
    /// The field and the reason in one line, the field named as on Alcor's wire.
    var sentence: String? {
        let parts = [field.map(AlcorField.named), reason].compactMap(\.self).filter { !$0.isEmpty }
        return parts.isEmpty ? nil : parts.joined(separator: ": ")
    }
}
