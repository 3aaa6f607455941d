/// `GET /v1/explain`: would this packet pass, and why.
package struct ExplainView: Codable, Hashable, Sendable {
    package enum Verdict: String, Codable, Hashable, Sendable {
        case allowed, denied

        package init(isAllowed: Bool) { self = isAllowed ? .allowed : .denied }
    }

    /// What one pod's policy says: the sender's egress, or the receiver's ingress.
    package struct Half: Codable, Hashable, Sendable {
        package var pod: String
        /// "ingress" or "egress".
        package var direction: String
        package var verdict: Verdict
        @Nullable package var group: String?
        @Nullable package var rule: String?
        package var reason: String

        package init(pod: String, direction: String, verdict: Verdict, group: String?, rule: String?, reason: String) {
            self.pod = pod
            self.direction = direction
            self.verdict = verdict
            self.group = group
            self.rule = rule
            self.reason = reason
        }
    }

    package var verdict: Verdict
    /// Of the half that decides; nil where no rule allows the packet.
    @Nullable package var group: String?
    @Nullable package var rule: String?
    package var reason: String
    /// In the order in which the packet meets them; two where the remote is a pod of this host, too.
    package var halves: [Half]

    package init(verdict: Verdict, group: String?, rule: String?, reason: String, halves: [Half]) {
        self.verdict = verdict
        self.group = group
        self.rule = rule
        self.reason = reason
        self.halves = halves
    }
}

/// What is asked, as typed: the daemon reads it.
package struct ExplainQuery: Hashable, Sendable {
    package var pod: String
    /// "ingress" or "egress".
    package var direction: String
    package var remote: String
    package var `protocol`: String?
    package var port: String?
    package var sourcePort: String?
    package var icmpType: String?

    package init(
        pod: String, direction: String, remote: String, protocol: String? = nil, port: String? = nil, sourcePort: String? = nil,
        icmpType: String? = nil
    ) {
        self.pod = pod
        self.direction = direction
        self.remote = remote
        self.protocol = `protocol`
        self.port = port
        self.sourcePort = sourcePort
        self.icmpType = icmpType
    }

    /// Names and values of the query's parameters.
    package var parameters: [(name: String, value: String)] {
        let all: [(String, String?)] = [
            ("pod", pod), ("direction", direction), ("remote", remote), ("protocol", `protocol`), ("port", port),
            ("sourcePort", sourcePort),
            ("icmpType", icmpType),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}
