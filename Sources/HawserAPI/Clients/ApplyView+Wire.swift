import HawserProtocol

extension ApplyView {
    init(_ reply: Hawser_V1_ApplyReply) throws {
        self.init(
            results: try reply.results.map(Result.init),
            transaction: Transaction(
                messages: Int(clamping: reply.transaction.messages), bytes: Int(clamping: reply.transaction.bytes),
                generation: reply.transaction.generation),
            plan: reply.hasPlan ? reply.plan.operations : nil)
    }
}

extension ApplyView.Result {
    fileprivate init(_ result: Hawser_V1_ResourceResult) throws {
        guard let status = Status(rawValue: result.status) else { throw UnknownStatus(text: result.status) }
        self.init(
            kind: result.kind, id: result.id, status: status, reason: result.reason.isEmpty ? nil : result.reason,
            field: result.field.isEmpty ? nil : result.field, kernelMicroseconds: Int(clamping: result.kernelMicroseconds),
            totalMicroseconds: Int(clamping: result.totalMicroseconds))
    }
}

/// The daemon is newer than this client.
struct UnknownStatus: Error, CustomStringConvertible {
    var text: String
    var description: String {
        "hawserd answered with the status \"\(text)\", which this version of hawser doesn't know: update hawser to the daemon's version"
    }
}
