import Foundation
package import GRPCCore
import HawserProtocol
import HawserAPI
import HostNetwork
import SwiftProtobuf

/// The native API, `hawser.v1.Push`: reads the wire, asks the reconciler, writes the wire.
package struct PushService: RegistrableRPCService {
    let reconciler: any Reconciling
    let journal: Journal
    let access: PushAccess
    let limits: Settings.Push
    /// Shared by all clients: how many resources are under way between the wire and the kernel.
    let gate: Gate

    package init(
        reconciler: any Reconciling, journal: Journal, access: PushAccess, limits: Settings.Push
    ) {
        self.reconciler = reconciler
        self.journal = journal
        self.access = access
        self.limits = limits
        gate = Gate(capacity: 2 * limits.maxResources)
    }

    // MARK: Calls

    package func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        typealias Method = Hawser_V1_Push.Method
        let pushes = CountingDeserializer<Hawser_V1_PushRequest>(.push, text: Self.documents)
        router.stream(Method.Push.descriptor, pushes) { request, writer, context in
            try await PushSession(self, try access.client(of: context), access.call(of: request.metadata)).run(request.messages, writer)
        }
        router.unary(Method.Apply.descriptor, pushes) { request, context in
            let since = ContinuousClock.now
            return try await access.serve(request, context) { try await apply($0, $1, $2, since) }
        }
        router.unary(Method.Attach.descriptor, SmallDeserializer()) { try await attach(request: $0.message, context: $1) }
        router.unary(Method.Detach.descriptor, SmallDeserializer()) { try await detach(request: $0.message, context: $1) }
        router.unary(Method.Check.descriptor, SmallDeserializer()) { try await check(request: $0.message, context: $1) }
        router.stream(Method.Watch.descriptor, SmallDeserializer()) { request, writer, _ in
            try await watch(ServerRequest(stream: request).message, writer)
        }
    }

    /// The field of a push that holds texts (push.proto).
    private static let documents: UInt64 = 5

    private func apply(
        _ request: Hawser_V1_PushRequest, _ client: PushClient, _ call: Call?, _ since: ContinuousClock.Instant
    ) async throws
        -> Hawser_V1_PushReply
    {
        var snapshot = SnapshotAssembly(limit: limits.maxResources)
        guard let change = try change(request, client, &snapshot)?.change() else {
            throw RPCError(code: .invalidArgument, message: "a snapshot in pieces needs the stream: here the first piece is the last")
        }
        let turn = try await access.turn(dryRun: request.dryRun, client, call)
        defer { withExtendedLifetime(turn) {} }
        try await gate.enter(weight(of: change.change))
        let report = await withCheckedContinuation { continuation in
            submit(change, client, dryRun: request.dryRun) { continuation.resume(returning: $0) }
        }
        note(report, client)
        // What a text says is what people want to know the cost of, not how long it took to read it.
        let isText = if case .documents = request.content { true } else { false }
        return Hawser_V1_PushReply(id: request.id, report, isText ? .zero : ContinuousClock.now - since)
    }

    private func watch(_ request: Hawser_V1_WatchRequest, _ response: RPCWriter<Hawser_V1_StateChange>) async throws {
        let follower = journal.follow()
        defer { follower.hangUp() }
        if request.remembered { for event in follower.remembered { try await response.write(Hawser_V1_StateChange(event)) } }
        for await event in follower.stream { try await response.write(Hawser_V1_StateChange(event)) }
    }

    // MARK: From the wire to the reconciler

    /// What a request asks for, and how many values are in it besides its own message's; nil while more of it is to come. Throws what ends the
    /// call, for it can't be answered by resource.
    ///
    /// - Parameter values: of the message.
    func change(
        _ request: Hawser_V1_PushRequest, _ client: PushClient, _ snapshot: inout SnapshotAssembly, values: Int = 0
    ) throws -> (values: Int, change: () throws -> PushedChange)? {
        let parts = [request.unknownFields, request.delta.unknownFields, request.snapshot.unknownFields, request.documents.unknownFields]
        guard parts.allSatisfy(\.data.isEmpty), request.documents.documents.allSatisfy(\.unknownFields.data.isEmpty) else {
            throw RPCError(code: .unimplemented, message: "the push has fields that this version doesn't know; nothing is changed")
        }
        guard client.rights.mayPush || (request.dryRun && client.rights.mayRead) else { throw access.refuse(client, "push") }
        let scope = request.dryRun && client.rights.mayRead ? nil : client.rights.scope
        switch request.content {
        case .delta(let delta):
            try snapshot.finish()
            try judge(delta.upserts.count + delta.deletions.count)
            return (0, { PushedChange(delta, scope: scope) })
        case .documents(let documents):
            try snapshot.finish()
            let most = client.rights.mayPushAll ? Document.mostValues : CallBounds.mostRestrictedValues
            return (
                0,
                {
                    let change = try PushedChange(documents, scope: scope, mostValues: most)
                    try judge(change.change.upserts.count + change.change.rejected.count)
                    return change
                }
            )
        case .snapshot(let piece):
            guard let whole = try snapshot.add(piece, id: request.id, dryRun: request.dryRun, values: values) else { return nil }
            return (whole.values - values, { try PushedChange(snapshot: whole.resources, revision: piece.revision, scope: scope) })
        case nil:
            throw RPCError(code: .invalidArgument, message: "the push is no delta, no snapshot and no documents; nothing is changed")
        }
    }

    private func judge(_ count: Int) throws(RPCError) {
        guard count <= limits.maxResources else {
            let message = "a push of \(count) resources: \(limits.maxResources) at most (push.maxResources); nothing is changed"
            throw RPCError(code: .resourceExhausted, message: message)
        }
    }

    /// How much room a push takes: at least a 64th of all, so that empty ones are bounded, too.
    func weight(of change: Change) -> Int {
        max(change.upserts.count + change.rejected.count + change.deletions.count, limits.maxResources / 64, 1)
    }

    /// Counts what became of a push's resources, and says what of them the client isn't let do.
    func note(_ report: Report, _ client: PushClient) {
        guard client.rights.scope != nil else { return }
        let denied = report.answers.filter { $0.status == .rejected && ($0.reason?.contains(Scope.mark) ?? false) }
        guard let first = denied.first?.intent else { return }
        _ = access.refuse(client, "change \(first)" + (denied.count > 1 ? " and \(denied.count - 1) more" : ""))
    }

    /// To be called after `gate` was entered.
    func submit(_ pushed: PushedChange, _ client: PushClient, dryRun: Bool, answer: @escaping @Sendable (Report) -> Void) {
        let weight = weight(of: pushed.change)
        reconciler.submit(pushed.change, source: client.source, dryRun: dryRun) { [gate] report in
            gate.leave(weight)
            var report = report
            report.answers = pushed.mentions.inOrder(report.answers)
            answer(report)
        }
    }
}

extension Hawser_V1_StateChange {
    init(_ event: EventView) {
        self = .with {
            $0.time = .init(date: event.time)
            $0.kind = event.kind
            $0.id = event.id
            $0.event = event.event
            $0.reason = event.reason ?? ""
            $0.source = event.source ?? ""
        }
    }
}
