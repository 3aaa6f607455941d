import GRPCCore
import GRPCNIOTransportHTTP2
import HawserProtocol
import Lab

/// One stream of pushes, as a controller holds it open.
struct PushStream {
    private let outgoing: AsyncStream<Hawser_V1_PushRequest>.Continuation
    private var replies: RPCAsyncSequence<Hawser_V1_PushReply, any Error>.AsyncIterator

    /// Opens it, runs `body`, and gives it up.
    static func opened<Result: Sendable>(
        on service: Hawser_V1_Push.Client<HTTP2ClientTransport.Posix>, _ body: @Sendable @escaping (inout PushStream) async throws -> Result
    ) async throws -> Result {
        let (requests, outgoing) = AsyncStream.makeStream(of: Hawser_V1_PushRequest.self)
        return try await service.push { writer in
            for await request in requests { try await writer.write(request) }
        } onResponse: { response in
            defer { outgoing.finish() }
            var stream = PushStream(outgoing: outgoing, replies: response.messages.makeAsyncIterator())
            return try await body(&stream)
        }
    }

    func send(_ request: Hawser_V1_PushRequest) { outgoing.yield(request) }

    /// The next answer; later words on earlier pushes are passed over. Throws when anything isn't applied.
    mutating func answer() async throws -> Hawser_V1_PushReply {
        while let reply = try await replies.next(isolation: #isolation) {
            guard !reply.later else { continue }
            if let answer = reply.answers.first(where: { $0.status != .applied }) {
                throw LabError("\(answer.kind) \(answer.id): \(answer.status) \(answer.reason)")
            }
            return reply
        }
        throw LabError("the stream has ended")
    }

    /// Sends one push, and waits for its answer: how long that took, and what the daemon says that it took.
    mutating func push(_ request: Hawser_V1_PushRequest) async throws -> (time: Duration, reply: Hawser_V1_PushReply) {
        let start = ContinuousClock.now
        send(request)
        let reply = try await answer()
        return (start.duration(to: .now), reply)
    }
}
