import HawserAPI

/// How the answers to `apply`, `delete` and `resync` are shown.
enum Answers {
    /// Throws `refused` when a resource was: its exit status is 1, and standard error says what.
    static func show(_ answer: ApplyView, _ common: CommonOptions) throws {
        try common.show(answer, table: table)
        let refused = answer.results.filter { !$0.status.isAccepted }
        for result in refused { Terminal.current.complain(sentence(result)) }
        if !refused.isEmpty { throw Runner.Outcome.refused }
    }

    static func table(_ answer: ApplyView) -> String {
        var parts: [String] = []
        if !answer.results.isEmpty {
            var table = Table("KIND", "ID", "STATUS", "KERNEL", "TOTAL", "REASON")
            for result in answer.results {
                let isPlanned = answer.plan != nil
                table.add(
                    Styled(result.kind), Styled(result.id), Styled(result.status),
                    Styled(isPlanned ? "" : time(result.kernelMicroseconds)), Styled(isPlanned ? "" : time(result.totalMicroseconds)),
                    Styled([result.field, result.reason].compactMap(\.self).joined(separator: ": ")))
            }
            parts.append(table.rendered())
        }
        let transaction = answer.transaction
        if let plan = answer.plan {
            parts.append(plan.isEmpty ? "plan: nothing to do" : "plan:\n" + plan.map { "  " + $0.printableLine }.joined(separator: "\n"))
        } else if transaction.messages == 0 {
            parts.append("nothing changed in the kernel")
        } else {
            parts.append("\(transaction.messages) messages, \(transaction.bytes) bytes, generation \(transaction.generation)")
        }
        return parts.joined(separator: "\n")
    }

    static func sentence(_ result: ApplyView.Result) -> String {
        let name = [result.kind, result.id].filter { !$0.isEmpty }.joined(separator: " ")
        return [name, result.status.rawValue, result.field, result.reason].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: ": ")
    }

    private static func time(_ microseconds: Int) -> String {
        microseconds < 10_000 ? "\(microseconds) µs" : "\(microseconds / 1000) ms"
    }
}
