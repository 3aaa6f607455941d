import HawserAPI
import HostNetwork
import Synchronization

/// What a stream was told is pending, deferred or failed, and hasn't heard the end of.
final class Unsettled: Sendable {
    fileprivate struct Expected {
        /// The push that asked for it last.
        var push: String
        var status: Status
        var reason: String?
    }

    private struct State {
        var expected: [IntentID: Expected] = [:]
        /// Those that may stand differently by now.
        var heard: Set<IntentID> = []
    }

    private let state = Mutex(State())

    /// Takes note of an answer that was given. Answers whether something in it isn't settled: it may have changed already.
    func expect(_ answers: [Answer], from push: String) -> Bool {
        state.withLock { state in
            var isNew = false
            for answer in answers {
                guard let id = answer.intent else { continue }
                switch answer.status {
                case .pending, .deferred, .failed:
                    state.expected[id] = Expected(push: push, status: answer.status, reason: answer.reason)
                    state.heard.insert(id)
                    isNew = true
                case .applied:
                    state.expected[id] = nil
                case .rejected, .stale:
                    break  // what was asked for before is still to come
                }
            }
            return isNew
        }
    }

    /// Answers whether the client must be told, and nobody is about to.
    func hear(_ event: EventView) -> Bool {
        guard let kind = Kind(rawValue: event.kind) else { return false }
        return state.withLock { state in
            let id = IntentID(kind, event.id)
            guard state.expected[id] != nil else { return false }
            let isFirst = state.heard.isEmpty
            state.heard.insert(id)
            return isFirst
        }
    }

    /// Anything may stand differently. Answers whether anything is expected.
    func doubt() -> Bool {
        state.withLock { state in
            state.heard = Set(state.expected.keys)
            return !state.heard.isEmpty
        }
    }

    /// Those that may stand differently.
    func take() -> [IntentID] {
        state.withLock { state in
            defer { state.heard = [] }
            return state.heard.sorted()
        }
    }

    /// What differs from what was said last, by push.
    func news(of ids: [IntentID], _ standings: [IntentID: Answer]) -> [(push: String, answers: [Answer])] {
        state.withLock { state in
            var news: [String: [Answer]] = [:]
            for id in ids {
                guard let expected = state.expected[id] else { continue }
                let answer = standings[id] ?? expected.ending(of: id)
                guard answer.status != expected.status || answer.reason != expected.reason else { continue }
                news[expected.push, default: []].append(answer)
                switch answer.status {
                case .pending, .deferred, .failed:
                    state.expected[id] = Expected(push: expected.push, status: answer.status, reason: answer.reason)
                case .applied, .rejected, .stale: state.expected[id] = nil
                }
            }
            return news.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
    }
}

extension Unsettled.Expected {
    /// What it came to when the resource is gone.
    fileprivate func ending(of id: IntentID) -> Answer {
        if status == .deferred { return Answer(intent: id, status: .applied) }
        return Answer(
            intent: id, status: .stale, reason: "it was deleted meanwhile, or didn't fit what it waited for: see hawser events")
    }
}
