package import Foundation

/// `GET /v1/pods`: one pod of this host.
package struct PodView: Codable, Hashable, Sendable {
    /// The two ends of a pod's veth pair.
    package struct Interface: Codable, Hashable, Sendable {
        /// The host side's name.
        package var host: String
        /// The host side's index; null while there is no link.
        @Nullable package var index: Int?
        /// The pod side's name.
        package var pod: String
        /// The path of the pod's network namespace; null while none is attached.
        @Nullable package var namespace: String?

        package init(host: String, index: Int?, pod: String, namespace: String?) {
            self.host = host
            self.index = index
            self.pod = pod
            self.namespace = namespace
        }
    }

    package var id: String
    package var network: String
    package var status: Status
    @Nullable package var reason: String?
    package var interface: Interface
    package var mac: String
    package var addresses: [String]
    package var securityGroups: [String]
    package var revision: UInt64
    /// When it took this status.
    package var since: Date

    package init(
        id: String, network: String, status: Status, reason: String? = nil, interface: Interface, mac: String, addresses: [String],
        securityGroups: [String], revision: UInt64, since: Date
    ) {
        self.id = id
        self.network = network
        self.status = status
        self.reason = reason
        self.interface = interface
        self.mac = mac
        self.addresses = addresses
        self.securityGroups = securityGroups
        self.revision = revision
        self.since = since
    }
}
