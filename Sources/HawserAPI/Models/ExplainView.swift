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

    /// Where what is for the remote goes, if the rules let it.
    package struct Route: Codable, Hashable, Sendable {
        package enum Kind: String, Codable, Hashable, Sendable {
            /// To a pod of this host, or to the host itself.
            case pod, host
            /// To another host, for a pod of its.
            case neighbor
            /// By the host's own routing.
            case outside
            case nowhere
        }

        package var kind: Kind
        package var reason: String
        /// Of the pod, or of the neighbor.
        @Nullable package var id: String?
        /// The address of the other host.
        @Nullable package var host: String?
        @Nullable package var fabric: String?
        /// The identifier of the VXLAN.
        @Nullable package var tunnel: Int?
        /// The interface that it leaves by.
        @Nullable package var device: String?
        /// The next hop, where there is one.
        @Nullable package var gateway: String?
        /// What the route is for, as "10.1.0.70/32".
        @Nullable package var destination: String?
        /// The subnet whose route it is, and the address that it leads through: `id` is whose that is then.
        @Nullable package var subnet: String?
        @Nullable package var nextHop: String?

        package init(
            _ kind: Kind, reason: String, id: String? = nil, host: String? = nil, fabric: String? = nil, tunnel: Int? = nil,
            device: String? = nil, gateway: String? = nil, destination: String? = nil, subnet: String? = nil, nextHop: String? = nil
        ) {
            self.kind = kind
            self.reason = reason
            self.id = id
            self.host = host
            self.fabric = fabric
            self.tunnel = tunnel
            self.device = device
            self.gateway = gateway
            self.destination = destination
            self.subnet = subnet
            self.nextHop = nextHop
        }
    }

    /// What the rules say; where the packet goes then is said by `route`.
    package var verdict: Verdict
    /// The pod's network.
    @Nullable package var network: String?
    /// Of the half that decides; nil where no rule allows the packet.
    @Nullable package var group: String?
    @Nullable package var rule: String?
    package var reason: String
    /// In the order in which the packet meets them; two where the remote is a pod of this host, too.
    package var halves: [Half]
    @Nullable package var route: Route?

    package init(
        verdict: Verdict, network: String? = nil, group: String?, rule: String?, reason: String, halves: [Half], route: Route? = nil
    ) {
        self.verdict = verdict
        self.network = network
        self.group = group
        self.rule = rule
        self.reason = reason
        self.halves = halves
        self.route = route
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
