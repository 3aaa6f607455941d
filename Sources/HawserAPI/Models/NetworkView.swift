/// `GET /v1/networks`: one network that this host knows.
package struct NetworkView: Codable, Hashable, Sendable {
    package struct Subnet: Codable, Hashable, Sendable {
        package var id: String
        package var cidr: String
        @Nullable package var gateway: String?

        package init(id: String, cidr: String, gateway: String?) {
            self.id = id
            self.cidr = cidr
            self.gateway = gateway
        }
    }

    /// Where the network lives.
    package struct Domain: Codable, Hashable, Sendable {
        package enum Kind: String, Codable, Sendable {
            /// In the host's own routing.
            case host
            /// In a namespace of its own.
            case namespace
        }

        package var kind: Kind
        /// The file by which its namespace is entered; null for an isolated network without a pod on this host, which has none.
        @Nullable package var path: String?

        package init(kind: Kind, path: String?) {
            self.kind = kind
            self.path = path
        }
    }

    package var id: String
    package var isolated: Bool
    package var domain: Domain
    package var subnets: [Subnet]
    /// Those of this host.
    package var pods: [String]
    /// Pods of other hosts.
    package var neighbors: Int
    package var status: Status
    @Nullable package var reason: String?
    package var revision: UInt64

    package init(
        id: String, isolated: Bool, domain: Domain, subnets: [Subnet], pods: [String], neighbors: Int, status: Status,
        reason: String? = nil,
        revision: UInt64
    ) {
        self.id = id
        self.isolated = isolated
        self.domain = domain
        self.subnets = subnets
        self.pods = pods
        self.neighbors = neighbors
        self.status = status
        self.reason = reason
        self.revision = revision
    }
}
