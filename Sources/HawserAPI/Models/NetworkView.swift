/// `GET /v1/networks`: one network that this host knows.
package struct NetworkView: Codable, Hashable, Sendable {
    package struct Subnet: Codable, Hashable, Sendable {
        package var id: String
        package var cidr: String
        @Nullable package var gateway: String?
        /// The VXLAN that its addresses are reached in: its own, or the network's.
        @Nullable package var tunnelID: Int?
        /// The MAC that its pods know the gateway by; null: that of every host side.
        @Nullable package var gatewayMAC: String?
        @Nullable package var routes: [Route]?

        package init(
            id: String, cidr: String, gateway: String?, tunnelID: Int? = nil, gatewayMAC: String? = nil, routes: [Route]? = nil
        ) {
            self.id = id
            self.gatewayMAC = gatewayMAC
            self.routes = routes
            self.cidr = cidr
            self.gateway = gateway
            self.tunnelID = tunnelID
        }
    }

    /// Of what a subnet's pods send elsewhere.
    package struct Route: Codable, Hashable, Sendable {
        package var destination: String
        package var nextHop: String
        package var priority: UInt32

        package init(destination: String, nextHop: String, priority: UInt32) {
            self.destination = destination
            self.nextHop = nextHop
            self.priority = priority
        }
    }

    /// How its pods reach those on other hosts.
    package struct Fabric: Codable, Hashable, Sendable {
        package struct Tunnel: Codable, Hashable, Sendable {
            package var id: Int
            package var device: String
            /// It is there while a pod of the network is attached on this host.
            package var isThere: Bool

            package init(id: Int, device: String, isThere: Bool) {
                self.id = id
                self.device = device
                self.isThere = isThere
            }
        }

        /// "none", "routed" or "vxlan".
        package var kind: String
        /// Of its pods' interfaces, unless they have one of their own: bytes.
        package var mtu: Int
        /// This host's own address on the underlay; null where it isn't known.
        @Nullable package var address: String?
        package var tunnels: [Tunnel]

        package init(kind: String, mtu: Int, address: String?, tunnels: [Tunnel]) {
            self.kind = kind
            self.mtu = mtu
            self.address = address
            self.tunnels = tunnels
        }
    }

    /// How many of something stand how.
    package struct Health: Codable, Hashable, Sendable {
        package var applied: Int
        package var pending: Int
        package var failed: Int

        package init(applied: Int = 0, pending: Int = 0, failed: Int = 0) {
            self.applied = applied
            self.pending = pending
            self.failed = failed
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
    @Nullable package var fabric: Fabric?
    @Nullable package var podHealth: Health?
    @Nullable package var neighborHealth: Health?
    package var status: Status
    @Nullable package var reason: String?
    package var revision: UInt64

    package init(
        id: String, isolated: Bool, domain: Domain, subnets: [Subnet], pods: [String], neighbors: Int, fabric: Fabric? = nil,
        podHealth: Health? = nil, neighborHealth: Health? = nil, status: Status, reason: String? = nil, revision: UInt64
    ) {
        self.id = id
        self.isolated = isolated
        self.domain = domain
        self.subnets = subnets
        self.pods = pods
        self.neighbors = neighbors
        self.fabric = fabric
        self.podHealth = podHealth
        self.neighborHealth = neighborHealth
        self.status = status
        self.reason = reason
        self.revision = revision
    }
}
