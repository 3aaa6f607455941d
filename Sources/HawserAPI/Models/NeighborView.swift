/// `GET /v1/neighbors`: one pod of another host.
package struct NeighborView: Codable, Hashable, Sendable {
    package var id: String
    package var network: String
    package var addresses: [String]
    @Nullable package var mac: String?
    /// The address of the host that it lives on.
    @Nullable package var host: String?
    package var securityGroups: [String]
    package var status: Status
    @Nullable package var reason: String?
    package var revision: UInt64

    package init(
        id: String, network: String, addresses: [String], mac: String?, host: String?, securityGroups: [String], status: Status,
        reason: String? = nil, revision: UInt64
    ) {
        self.id = id
        self.network = network
        self.addresses = addresses
        self.mac = mac
        self.host = host
        self.securityGroups = securityGroups
        self.status = status
        self.reason = reason
        self.revision = revision
    }
}
