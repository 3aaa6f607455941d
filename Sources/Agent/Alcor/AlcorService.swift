package import GRPCCore
import HawserAPI
import HawserProtocol
import HostNetwork

/// What the Alcor controller calls: the goal states of this host. Whatever is wrong with what a message says is told by the statuses of its
/// reply; the call itself succeeds.
package struct AlcorService: RegistrableRPCService {
    private let desk: AlcorDesk
    private let access: PushAccess

    package init(_ desk: AlcorDesk, _ access: PushAccess) {
        self.desk = desk
        self.access = access
    }

    /// Goal states are counted before they are read.
    package func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        typealias Method = Alcor_Schema_GoalStateProvisioner.Method
        router.unary(Method.PushNetworkResourceStates.descriptor, CountingDeserializer<Alcor_Schema_GoalState>(.goalState)) {
            request, context in
            try await access.serve(request, context) { message, client, _ in
                try await push(pusher(client)) { GoalStates(message, $0) }
            }
        }
        router.unary(Method.PushGoalstates.descriptor, CountingDeserializer<Alcor_Schema_NeighborRulesRequest>(.neighborRules)) {
            request, context in
            try await access.serve(request, context) { message, client, _ in
                try await push(pusher(client)) { GoalStates(message, $0) }
            }
        }
        router.stream(Method.PushGoalStatesStream.descriptor, CountingDeserializer<Alcor_Schema_GoalStateV2>(.goalStateV2)) {
            request, writer, context in
            let (client, call) = (try pusher(access.client(of: context)), access.call(of: request.metadata))
            // One message after the other: the next is read when the last is answered, so a sender is held to what the kernel takes.
            for try await counted in request.messages {
                let (message, room) = try await access.read(counted, client, call)
                let reply = try await push(client) { GoalStates(message, $0) }
                try await call.writes { try await writer.write(reply) }
                withExtendedLifetime(room) {}
            }
        }
        router.unary(Method.RequestGoalStates.descriptor, SmallDeserializer<Alcor_Schema_HostRequest>()) {
            _, _ -> Alcor_Schema_HostRequestReply in
            throw RPCError(
                code: .unimplemented, message: "this is a host: it asks for goal states, and Alcor's network configuration manager answers")
        }
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
    private func pusher(_ client: PushClient) throws -> PushClient {
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
}
