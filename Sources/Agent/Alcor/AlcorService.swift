package import GRPCCore
package import HawserProtocol

/// What the Alcor controller calls: the goal states of this host. Whatever is wrong with what a message says is told by the statuses of its
/// reply; the call itself succeeds.
package struct AlcorService: Alcor_Schema_GoalStateProvisioner.SimpleServiceProtocol {
    private let desk: AlcorDesk

    package init(_ desk: AlcorDesk) { self.desk = desk }

    package func pushNetworkResourceStates(
        request: Alcor_Schema_GoalState, context: ServerContext
    ) async throws -> Alcor_Schema_GoalStateOperationReply {
        try await push { GoalStates(request, $0) }
    }

    /// One message after the other: the next is read when the last is answered, so a sender is held to what the kernel takes.
    package func pushGoalStatesStream(
        request: RPCAsyncSequence<Alcor_Schema_GoalStateV2, any Error>, response: RPCWriter<Alcor_Schema_GoalStateOperationReply>,
        context: ServerContext
    ) async throws {
        for try await message in request { try await response.write(push { GoalStates(message, $0) }) }
    }

    package func pushGoalstates(
        request: Alcor_Schema_NeighborRulesRequest, context: ServerContext
    ) async throws -> Alcor_Schema_GoalStateOperationReply {
        try await push { GoalStates(request, $0) }
    }

    private func push(_ translated: (Settings.Alcor) -> GoalStates) async throws -> Alcor_Schema_GoalStateOperationReply {
        let start = ContinuousClock.now
        return try await desk.push(translated(desk.settings), since: start)
    }

    package func requestGoalStates(
        request: Alcor_Schema_HostRequest, context: ServerContext
    ) async throws -> Alcor_Schema_HostRequestReply {
        throw RPCError(
            code: .unimplemented, message: "this is a host: it asks for goal states, and Alcor's network configuration manager answers")
    }
}
