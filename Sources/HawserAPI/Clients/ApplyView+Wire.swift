import HawserProtocol
import SwiftProtobuf

extension ApplyView {
    init(_ reply: Hawser_V1_PushReply) throws {
        self.init(
            results: try reply.answers.map(Result.init),
            transaction: Transaction(
                messages: Int(clamping: reply.transaction.messages), bytes: Int(clamping: reply.transaction.bytes),
                generation: reply.transaction.generation),
            plan: reply.hasPlan ? reply.plan.operations : nil)
    }
}

extension ApplyView.Result {
    fileprivate init(_ answer: Hawser_V1_Answer) throws {
        self.init(
            kind: ResourceKind(answer.kind)?.rawValue ?? "", id: answer.id, status: try Status(answer.status),
            reason: answer.reason.isEmpty ? nil : answer.reason, field: answer.field.isEmpty ? nil : answer.field,
            kernelMicroseconds: Int(clamping: answer.kernelMicroseconds), totalMicroseconds: Int(clamping: answer.totalMicroseconds))
    }
}

extension Hawser_V1_Kind {
    init(_ kind: ResourceKind) {
        switch kind {
        case .network: self = .network
        case .securityGroup: self = .securityGroup
        case .addressGroup: self = .addressGroup
        case .pod: self = .pod
        case .neighbor: self = .neighbor
        case .elasticIP: self = .elasticIp
        }
    }
}

extension ResourceKind {
    /// Nil for what has no kind: it couldn't be read.
    fileprivate init?(_ kind: Hawser_V1_Kind) {
        guard let known = Self.allCases.first(where: { Hawser_V1_Kind($0) == kind }) else { return nil }
        self = known
    }
}

extension Status {
    fileprivate init(_ status: Hawser_V1_ResourceStatus) throws(UnknownStatus) {
        switch status {
        case .applied: self = .applied
        case .pending: self = .pending
        case .deferred: self = .deferred
        case .rejected: self = .rejected
        case .failed: self = .failed
        case .stale: self = .stale
        case .unspecified, .UNRECOGNIZED: throw UnknownStatus(number: status.rawValue)
        }
    }
}

/// The daemon is newer than this client.
struct UnknownStatus: Error, CustomStringConvertible {
    var number: Int
    var description: String {
        "hawserd answered with status \(number), which this version of hawser doesn't know: update hawser to the daemon's version"
    }
}
