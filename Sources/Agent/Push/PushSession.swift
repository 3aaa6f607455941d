import GRPCCore
import HawserProtocol
import HostNetwork
import NIOCore
import Synchronization

/// One stream of pushes.
///
/// Reading goes on while earlier pushes are applied, so that what comes meanwhile is taken together, up to a window: a client that
/// doesn't read its answers is not read from either, and holds up nobody but itself.
struct PushSession: Sendable {
    /// What is to be said to the client, in this order.
    private enum Word: Sendable {
        case answer(id: String, Report, since: ContinuousClock.Instant, weight: Int, Room)
        /// Something that was reported before stands differently.
        case news
        /// The client has said all; `failure`: what was wrong with its last message.
        case ended(pushes: Int, failure: RPCError?)
        case goodbye
    }

    let service: PushService
    let client: PushClient
    /// Nil: nobody knows which it is.
    let call: Call?
    private let window: Gate
    private let unsettled = Unsettled()
    private let words: AsyncStream<Word>
    private let say: AsyncStream<Word>.Continuation

    init(_ service: PushService, _ client: PushClient, _ call: Call?) {
        self.service = service
        self.client = client
        self.call = call
        window = Gate(capacity: service.limits.maxResources)
        (words, say) = AsyncStream.makeStream()
    }

    func run(
        _ requests: RPCAsyncSequence<Counted<Hawser_V1_PushRequest>, any Error>, _ writer: RPCWriter<Hawser_V1_PushReply>
    ) async throws {
        // Before the first push, so that nothing is missed in between.
        let follower = service.journal.follow()
        defer { follower.hangUp() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await read(requests) }
            group.addTask { await listen(follower) }
            try await answer(writer)
            group.cancelAll()
        }
    }

    // MARK: Reading

    private func read(_ requests: RPCAsyncSequence<Counted<Hawser_V1_PushRequest>, any Error>) async {
        var pushes = 0
        let access = service.access
        var snapshot = SnapshotAssembly(
            limit: service.limits.maxResources, mostValues: PushAccess.mostValues(of: client),
            account: (access.bounds.pieces, PushAccess.account(of: client, call)))
        var deadline: Deadline?
        do {
            for try await counted in requests {
                deadline?.cancel()
                let since = ContinuousClock.now
                let (request, room) = try await access.read(counted, client, call)
                guard let next = try service.change(request, client, &snapshot, values: counted.values) else {
                    deadline = expectPiece(after: pushes)
                    continue
                }
                let whole = try await self.room(for: next.values, besides: room, counted.values)
                let change = try next.change()
                let weight = service.weight(of: change.change)
                try await window.enter(weight)
                let turn = try await access.turn(dryRun: request.dryRun, client, call)
                try await service.gate.enter(weight)
                pushes += 1
                service.submit(change, client, dryRun: request.dryRun) { [say, id = request.id] report in
                    withExtendedLifetime(turn) {}
                    say.yield(.answer(id: id, report, since: since, weight: weight, whole))
                }
            }
            try snapshot.finish()
            say.yield(.ended(pushes: pushes, failure: nil))
        } catch let error as RPCError {
            say.yield(.ended(pushes: pushes, failure: error))
        } catch {
            let failure = RPCError(code: .invalidArgument, message: "the stream can't be read on: \(error)")
            say.yield(.ended(pushes: pushes, failure: failure))
        }
        deadline?.cancel()
    }

    /// Room for all pieces of a snapshot, when the last has come; nothing is waited for while something is held that others wait for.
    private func room(for more: Int, besides room: consuming Room, _ values: Int) async throws -> Room {
        guard more > 0 else { return room }
        _ = consume room
        return try await service.access.room(for: values + more, client, call)
    }

    /// Ends the stream when the next piece of a snapshot doesn't come: what has come takes room from others.
    private func expectPiece(after pushes: Int) -> Deadline {
        let patience = TimeAmount.nanoseconds(5 * service.access.bounds.patience.nanoseconds)
        let deadline = Deadline(patience)
        deadline.start { [say] in
            let seconds = patience.nanoseconds / 1_000_000_000
            let reason = "the next piece of the snapshot hasn't come for \(seconds) s; nothing of it is applied"
            say.yield(.ended(pushes: pushes, failure: RPCError(code: .deadlineExceeded, message: reason)))
        }
        return deadline
    }

    // MARK: Answering

    private func answer(_ writer: RPCWriter<Hawser_V1_PushReply>) async throws {
        var answered = 0
        var end: (pushes: Int, failure: RPCError?)?
        for await word in words {
            switch word {
            case .answer(let id, let report, let since, let weight, let room):
                service.note(report, client)
                try await write(Hawser_V1_PushReply(id: id, report, ContinuousClock.now - since), writer)
                withExtendedLifetime(room) {}
                window.leave(weight)
                answered += 1
                // A rehearsal changes nothing, so nothing comes of it.
                if report.plan == nil, unsettled.expect(report.answers, from: id) { try await tell(writer) }
            case .news: try await tell(writer)
            case .ended(let pushes, let failure): end = (pushes, failure)
            case .goodbye: throw RPCError(code: .unavailable, message: "the daemon is ending; push again when it is back")
            }
            if let end, answered == end.pushes {
                if let failure = end.failure { throw failure }
                return
            }
        }
    }

    /// Says what stands differently from what was said last.
    private func tell(_ writer: RPCWriter<Hawser_V1_PushReply>) async throws {
        let ids = unsettled.take()
        guard !ids.isEmpty else { return }
        let standings = await service.reconciler.standings(of: ids, within: client.rights.view)
        for (id, answers) in unsettled.news(of: ids, standings) {
            try await write(Hawser_V1_PushReply(id: id, later: answers), writer)
        }
    }

    private func write(_ reply: Hawser_V1_PushReply, _ writer: RPCWriter<Hawser_V1_PushReply>) async throws {
        try await call.writes { try await writer.write(reply) }
    }

    /// Listens for what was reported as pending, deferred or failed.
    private func listen(_ first: Follower) async {
        var follower = first
        while !Task.isCancelled {
            for await event in follower.stream where unsettled.hear(event) { say.yield(.news) }
            guard !Task.isCancelled else { return }
            guard !service.journal.isClosed else {
                say.yield(.goodbye)
                return
            }
            // It fell behind: whatever is expected may have come meanwhile.
            follower = service.journal.follow()
            if unsettled.doubt() { say.yield(.news) }
        }
        follower.hangUp()
    }
}
