package import GRPCCore
import HawserAPI
package import HawserProtocol
import HostNetwork

/// What the Alcor controller calls: the goal states of this host. Whatever is wrong with what a message says is told by the statuses of its
/// reply; the call itself succeeds.
package struct AlcorService: Alcor_Schema_GoalStateProvisioner.SimpleServiceProtocol {
    private let desk: AlcorDesk
    let access: PushAccess

    package init(_ desk: AlcorDesk, _ access: PushAccess) {
        self.desk = desk
        self.access = access
    }

    package func pushNetworkResourceStates(
        request: Alcor_Schema_GoalState, context: ServerContext
    ) async throws -> Alcor_Schema_GoalStateOperationReply {
        try await push(client(of: context)) { GoalStates(request, $0) }
    }

    /// One message after the other: the next is read when the last is answered, so a sender is held to what the kernel takes.
    package func pushGoalStatesStream(
        request: RPCAsyncSequence<Alcor_Schema_GoalStateV2, any Error>, response: RPCWriter<Alcor_Schema_GoalStateOperationReply>,
        context: ServerContext
    ) async throws {
        let client = try client(of: context)
        for try await message in request { try await response.write(push(message, client)) }
    }

    package func pushGoalstates(
        request: Alcor_Schema_NeighborRulesRequest, context: ServerContext
    ) async throws -> Alcor_Schema_GoalStateOperationReply {
        try await push(client(of: context)) { GoalStates(request, $0) }
    }

    func push(_ message: Alcor_Schema_GoalStateV2, _ client: PushClient) async throws -> Alcor_Schema_GoalStateOperationReply {
        try await push(client) { GoalStates(message, $0) }
    }

    private func push(
        _ client: PushClient, _ translated: (Settings.Alcor) -> GoalStates
    ) async throws -> Alcor_Schema_GoalStateOperationReply {
        let start = ContinuousClock.now
        let reply = try await desk.push(translated(desk.settings), within: client.rights.scope, since: start)
        note(reply, client)
        return reply
    }

    /// Throws for a client that may push nothing at all; what others may not push is told by the statuses.
    func client(of context: ServerContext) throws -> PushClient {
        let client = try access.client(of: context)
        guard client.rights.mayPush else { throw access.refuse(client, "push") }
        return client
    }

    /// Counts a message that says what its client may not.
    private func note(_ reply: Alcor_Schema_GoalStateOperationReply, _ client: PushClient) {
        guard client.rights.scope != nil else { return }
        let denied = reply.operationStatuses.filter { $0.reason.contains(Scope.mark) }
        guard let first = denied.first else { return }
        let name = first.resourceType.word + " " + first.resourceID.excerpt
        _ = access.refuse(client, "change \(name)" + (denied.count > 1 ? " and \(denied.count - 1) more" : ""))
    }

    package func requestGoalStates(
        request: Alcor_Schema_HostRequest, context: ServerContext
    ) async throws -> Alcor_Schema_HostRequestReply {
        throw RPCError(
            code: .unimplemented, message: "this is a host: it asks for goal states, and Alcor's network configuration manager answers")
    }
}
