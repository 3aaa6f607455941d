/// `GET /v1/status`: is this host healthy?
package struct StatusView: Codable, Hashable, Sendable {
    package struct Pods: Codable, Hashable, Sendable {
        package var applied: Int
        package var pending: Int
        package var failed: Int

        package init(applied: Int, pending: Int, failed: Int) {
            self.applied = applied
            self.pending = pending
            self.failed = failed
        }
    }

    /// How the controller reaches this host.
    package struct Push: Codable, Hashable, Sendable {
        /// "address:port", or empty when nothing listens.
        package var listen: String
        package var plaintext: Bool
        /// At the moment.
        package var connections: Int
        /// Handshakes, calls and resources that were refused for want of a certificate or a right, since the daemon began.
        package var refused: Int

        package init(listen: String, plaintext: Bool, connections: Int = 0, refused: Int = 0) {
            self.listen = listen
            self.plaintext = plaintext
            self.connections = connections
            self.refused = refused
        }

        package static let off = Self(listen: "", plaintext: false)
    }

    package var version: String
    /// The host is as the accepted intents want it, as far as it can be now.
    package var ready: Bool
    /// Why it isn't ready.
    @Nullable package var reason: String?
    package var pods: Pods
    package var groups: Int
    package var neighbors: Int
    /// The generation of the nftables ruleset (`NFT_MSG_GETGEN`) that the daemon believes to be in force.
    package var generation: UInt32
    /// How often something that somebody else had changed was put right since the daemon began.
    package var repairs: Int
    package var uptimeSeconds: Int
    package var push: Push

    package init(
        version: String = hawserVersion, ready: Bool, reason: String? = nil, pods: Pods, groups: Int, neighbors: Int, generation: UInt32,
        repairs: Int, uptimeSeconds: Int, push: Push = .off
    ) {
        self.version = version
        self.ready = ready
        self.reason = reason
        self.pods = pods
        self.groups = groups
        self.neighbors = neighbors
        self.generation = generation
        self.repairs = repairs
        self.uptimeSeconds = uptimeSeconds
        self.push = push
    }
}
