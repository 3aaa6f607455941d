import GRPCCore
import GRPCNIOTransportHTTP2
import HawserProtocol
import HostNetwork
import Lab
import Store
import SwiftProtobuf
import Synchronization

@testable import Agent

/// A controller with one stream of pushes, that sends on while earlier ones are answered.
///
/// What wasn't answered when the daemon went may be in force or not. It isn't pushed again, for what came of it depends on what there was before:
/// whoever connects anew pushes the whole first.
final class SoakController: Sendable {
    struct Tally: Sendable {
        /// Those without an answer when the daemon was killed are forgotten.
        var (sent, answered, forgotten) = (0, 0, 0)
        /// Answers in which the kernel refused something, as when a pod's namespace went in the middle.
        var failed: [String: Int] = [:]
        /// Where what was rejected isn't what had to be.
        var disagreements: [String] = []
        /// From a push to its answer, in milliseconds.
        var times: [Double] = []

        func time(at share: Double) -> Double {
            let sorted = times.sorted()
            return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
        }
    }

    private struct Push: Sendable {
        var request: Hawser_V1_PushRequest
        var mustRefuse: Set<String>
        var since: ContinuousClock.Instant
    }

    private struct State {
        var unanswered: [Int: Push] = [:]
        var outgoing: AsyncStream<Hawser_V1_PushRequest>.Continuation?
        var tally = Tally()
        /// The daemon is about to be killed, so the stream will break.
        var isDoomed = false
        /// It broke by itself: why.
        var broken: String?
        /// What happened, the newest last.
        var history: [String] = []

        mutating func note(_ words: String) {
            if history.count > 2000 { history.removeFirst(1000) }
            history.append(words)
        }
    }

    private let state = Mutex(State())
    private let window: Gate
    private let width = 16

    init() { window = Gate(capacity: width) }

    var tally: Tally { state.withLock { $0.tally } }

    /// What was lately pushed about something and answered, and when streams began and ended.
    func history(of id: String) -> [String] {
        state.withLock { state in state.history.filter { $0.contains(id) || $0.hasPrefix("a stream") }.suffix(40) }
    }

    /// Holds a stream open while `body` runs; what wasn't answered on the one before is forgotten.
    func connected(to socket: String, _ body: () async throws -> Void) async throws {
        let transport = try HTTP2ClientTransport.Posix(target: .unixDomainSocket(path: socket), transportSecurity: .plaintext)
        try await withGRPCClient(transport: transport) { client in
            let (requests, outgoing) = AsyncStream.makeStream(of: Hawser_V1_PushRequest.self)
            let lost = state.withLock { state in
                state.outgoing = outgoing
                state.isDoomed = false
                state.note("a stream begins; not answered: \(state.unanswered.keys.sorted())")
                defer { state.unanswered = [:] }
                state.tally.forgotten += state.unanswered.count
                return state.unanswered.count
            }
            window.leave(lost)
            async let stream: Void = self.stream(Hawser_V1_Push.Client(wrapping: client), requests)
            try await body()
            outgoing.finish()
            await stream
        }
    }

    /// To be called before the daemon is killed: the stream will break.
    func expectEnd() {
        state.withLock { state in
            state.isDoomed = true
            state.note("a stream is about to end")
        }
    }

    private func stream(
        _ service: Hawser_V1_Push.Client<HTTP2ClientTransport.Posix>, _ requests: AsyncStream<Hawser_V1_PushRequest>
    ) async {
        do {
            try await service.push { writer in
                for await request in requests { try await writer.write(request) }
            } onResponse: { response in
                for try await reply in response.messages { self.take(reply) }
            }
        } catch {
            let lost = state.withLock { state in
                guard !state.isDoomed else { return 0 }
                state.broken = "\(error)"
                return state.unanswered.count
            }
            // Whoever waits for room is to hear of it.
            if lost > 0 { window.leave(lost) }
        }
    }

    private func judge() throws {
        if let broken = state.withLock({ $0.broken }) { throw LabError("the stream of pushes broke: \(broken)") }
    }

    /// Pushes a step; waits while too many are on their way.
    func push(_ step: SoakWorld.Step, mustRefuse: Set<IntentID>) async throws {
        try await window.enter(1)
        try judge()
        state.withLock { state in
            state.tally.sent += 1
            let number = state.tally.sent
            let request = Hawser_V1_PushRequest.with {
                $0.id = "\(number)"; $0.content = step.content
            }
            state.note("push \(number): \(step.words)")
            state.unanswered[number] = Push(request: request, mustRefuse: Set(mustRefuse.map(\.id)), since: .now)
            state.outgoing?.yield(request)
        }
    }

    /// Waits until all is answered.
    func drain() async throws {
        try await window.enter(width)
        try judge()
        window.leave(width)
    }

    private func take(_ reply: Hawser_V1_PushReply) {
        guard !reply.later, let number = Int(reply.id) else { return }
        let isAnswer = state.withLock { state in
            guard let push = state.unanswered.removeValue(forKey: number) else { return false }
            state.tally.answered += 1
            state.note("answer \(number): " + reply.answers.map { "\($0.kind) \($0.id) \($0.status) \($0.reason)" }.joined(separator: ", "))
            let time = push.since.duration(to: .now).components
            state.tally.times.append(Double(time.seconds) * 1e3 + Double(time.attoseconds) / 1e15)
            for answer in reply.answers {
                if answer.status == .failed { state.tally.failed[String(answer.kernelMessage.prefix(60)), default: 0] += 1 }
                guard (answer.status == .rejected) != push.mustRefuse.contains(answer.id) else { continue }
                state.tally.disagreements.append("push \(number): \(answer.kind) \(answer.id): \(answer.status): \(answer.reason)")
            }
            return true
        }
        if isAnswer { window.leave(1) }
    }
}

extension SoakWorld.Step {
    fileprivate var words: String {
        switch self {
        case .upsert(let intents): "upsert " + intents.map { "\($0.id)" }.joined(separator: ", ")
        case .delete(let ids): "delete " + ids.map { "\($0)" }.joined(separator: ", ")
        }
    }

    fileprivate var content: Hawser_V1_PushRequest.OneOf_Content {
        switch self {
        case .upsert(let intents):
            .documents(
                .with {
                    $0.documents = [
                        .with {
                            $0.name = "soak"; $0.content = .init(IntentFile.encode(intents).json.utf8)
                        }
                    ]
                })
        case .delete(let ids):
            .delta(
                .with {
                    $0.deletions = ids.map { id in
                        .with {
                            $0.kind = Hawser_V1_Kind(id.kind); $0.id = id.id
                        }
                    }
                })
        }
    }
}
