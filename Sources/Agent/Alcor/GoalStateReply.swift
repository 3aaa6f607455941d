import HawserProtocol
import HostNetwork
import SwiftProtobuf

/// What one state is answered.
struct GoalStateResult {
    let state: AlcorState
    let status: Alcor_Schema_OperationStatus
    let reason: String?
    /// Microseconds; nil for what was decided without the reconciler.
    let kernel: Int
    let total: Int?

    init(_ state: AlcorState, _ verdict: Verdict, _ answers: [IntentID: Answer]) {
        self.state = state
        (status, reason) = verdict.words(answers)
        let answer = verdict.intent.flatMap { answers[$0] }
        kernel = answer?.kernelMicroseconds ?? 0
        total = answer?.totalMicroseconds
    }
}

extension Alcor_Schema_GoalStateOperationReply {
    /// Bytes of reasons in one reply: gRPC's clients take replies of 4 MiB, and Alcor's leave it at that. Statuses come before reasons.
    private static let roomForReasons = 512 << 10

    init(_ message: GoalStates, _ results: [GoalStateResult], _ time: Duration) {
        // Alcor divides by these, and takes 0 for not done.
        let total = UInt32(clamping: max(1, time.microseconds))
        var room = Self.roomForReasons
        self = .with {
            $0.formatVersion = message.formatVersion
            $0.messageTotalOperationTime = total
            $0.operationStatuses = results.map { result in
                let kernel = min(total, UInt32(clamping: result.kernel))
                let elapsed = min(total, max(kernel, 1, result.total.map { UInt32(clamping: $0) } ?? total))
                return .with {
                    $0.resourceID = result.state.id
                    $0.resourceType = result.state.type
                    $0.operationType = result.state.operation
                    $0.operationStatus = result.status
                    $0.dataplaneProgrammingTime = kernel
                    $0.networkConfigurationTime = elapsed - kernel
                    $0.stateElapseTime = elapsed
                    if let reason = result.reason, reason.utf8.count <= room {
                        room -= reason.utf8.count
                        $0.reason = reason
                    }
                }
            }
        }
    }
}
