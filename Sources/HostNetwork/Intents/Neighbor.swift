/// A pod that lives on another host.
package struct Neighbor: Hashable, Sendable {
    package var id: ID<Neighbor>
    package var network: ID<Network>
    /// One at least.
    package var addresses: [IPAddress]
    package var mac: MAC?
    /// The address of the host that it lives on.
    package var host: IPAddress?
    /// The groups that it is a member of; unlike a pod of this host it may be in none.
    package var securityGroups: [ID<SecurityGroup>]
    package var revision: UInt64

    package init(
        id: ID<Neighbor>, network: ID<Network>, addresses: [IPAddress], mac: MAC? = nil, host: IPAddress? = nil,
        securityGroups: [ID<SecurityGroup>] = [], revision: UInt64 = 0
    ) {
        self.id = id
        self.network = network
        self.addresses = addresses
        self.mac = mac
        self.host = host
        self.securityGroups = securityGroups
        self.revision = revision
    }
}
