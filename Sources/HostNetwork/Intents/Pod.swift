/// A pod of this host.
package struct Pod: Hashable, Sendable {
    package var id: ID<Pod>
    package var network: ID<Network>
    /// The path of its network namespace; nil while it waits for the runtime to attach it.
    package var namespace: String?
    /// The name of the interface inside the pod: 1–15 bytes (`IFNAMSIZ`, linux/if.h).
    package var interface: String
    package var mac: MAC
    /// One at least.
    package var addresses: [IPAddress]
    /// One at least: the network's default group where none was named.
    package var securityGroups: [ID<SecurityGroup>]
    /// What it may send from beside its own addresses.
    package var allowedAddressPairs: [AddressPair]
    /// False for no filter and no anti-spoofing.
    package var portSecurity: Bool
    package var adminUp: Bool
    /// In bytes; nil: what its network carries.
    package var mtu: Int?
    package var revision: UInt64

    /// Without `mac` it is derived from the id; without groups the pod is bound to its network's default group.
    package init(
        id: ID<Pod>, network: ID<Network>, namespace: String? = nil, interface: String = "eth0", mac: MAC? = nil, addresses: [IPAddress],
        securityGroups: [ID<SecurityGroup>] = [], allowedAddressPairs: [AddressPair] = [], portSecurity: Bool = true, adminUp: Bool = true,
        mtu: Int? = nil, revision: UInt64 = 0
    ) {
        self.id = id
        self.network = network
        self.namespace = namespace
        self.interface = interface
        self.mac = mac ?? MAC(derivedFrom: id.value)
        self.addresses = addresses
        self.securityGroups = securityGroups.isEmpty ? [network.defaultGroup] : securityGroups
        self.allowedAddressPairs = allowedAddressPairs
        self.portSecurity = portSecurity
        self.adminUp = adminUp
        self.mtu = mtu
        self.revision = revision
    }
}

package struct AddressPair: Hashable, Sendable {
    package var address: Prefix
    /// Nil for the pod's own.
    package var mac: MAC?

    package init(address: Prefix, mac: MAC? = nil) {
        self.address = address
        self.mac = mac
    }
}
