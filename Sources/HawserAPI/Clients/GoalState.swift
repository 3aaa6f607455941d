package import Foundation
import GRPCCore
import HawserProtocol
import SwiftProtobuf

/// A goal state of the Alcor controller, of either version.
package struct GoalState: Sendable {
    enum Content: Sendable {
        case first(Alcor_Schema_GoalState)
        case second(Alcor_Schema_GoalStateV2)
    }

    let content: Content

    /// Reads protobuf JSON (protobuf.dev, "ProtoJSON Format"). Where the second version has maps, the first has lists.
    package init(json: Data) throws(UnreadableGoalState) {
        do {
            let top = try JSONSerialization.jsonObject(with: json) as? [String: Any] ?? [:]
            let isFirst = top.values.contains { $0 is [Any] }
            content =
                isFirst
                ? .first(try Alcor_Schema_GoalState(jsonUTF8Data: json)) : .second(try Alcor_Schema_GoalStateV2(jsonUTF8Data: json))
        } catch {
            throw UnreadableGoalState(reason: "\(error)")
        }
    }
}

/// A text that isn't a goal state.
package struct UnreadableGoalState: Error, Hashable, Sendable, CustomStringConvertible {
    package var reason: String
    package var description: String { "not a goal state of Alcor: \(reason)" }
}

extension ControlClient {
    /// Sends a goal state as the Alcor controller does.
    package func push(_ goalState: GoalState) async throws -> GoalStateView {
        try await explained {
            switch goalState.content {
            case .first(let message): return GoalStateView(try await alcor.pushNetworkResourceStates(message))
            case .second(let message):
                let reply = try await alcor.pushGoalStatesStream { writer in
                    try await writer.write(message)
                } onResponse: { response in
                    try await response.messages.reduce(into: Alcor_Schema_GoalStateOperationReply()) { $0 = $1 }
                }
                return GoalStateView(reply)
            }
        }
    }
}

extension GoalStateView {
    init(_ reply: Alcor_Schema_GoalStateOperationReply) {
        self.init(
            results: reply.operationStatuses.map { status in
                Result(
                    type: status.resourceType.word, id: status.resourceID, operation: status.operationType.word,
                    status: status.operationStatus.word, reason: status.reason.isEmpty ? nil : status.reason,
                    kernelMicroseconds: Int(status.dataplaneProgrammingTime), totalMicroseconds: Int(status.stateElapseTime))
            }, totalMicroseconds: Int(reply.messageTotalOperationTime))
    }
}
