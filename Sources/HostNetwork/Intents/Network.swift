/// A VPC.
package struct Network: Hashable, Sendable {
    package var id: ID<Network>
    /// Whether it is a routing domain of its own, whose addresses may overlap with another network's.
    package var isolated: Bool
    /// With distinct ids and prefixes that don't overlap.
    package var subnets: [Subnet]
    /// How its pods reach those on other hosts; nil where nothing was said: see `fabricInForce`.
    package var fabric: Fabric?
    /// Of its addresses whose subnet has none of its own.
    package var tunnelID: TunnelID?
    package var revision: UInt64

    package init(
        id: ID<Network>, isolated: Bool = false, subnets: [Subnet] = [], fabric: Fabric? = nil, tunnelID: TunnelID? = nil,
        revision: UInt64 = 0
    ) {
        self.id = id
        self.isolated = isolated
        self.subnets = subnets
        self.fabric = fabric
        self.tunnelID = tunnelID
        self.revision = revision
    }

    package func subnet(of address: IPAddress) -> Subnet? { subnets.first { $0.cidr.contains(address) } }
}

package struct Subnet: Hashable, Sendable {
    /// Unique within its network.
    package var id: String
    package var cidr: Prefix
    /// Inside of `cidr`; nil for a subnet that leads nowhere else.
    package var gateway: IPAddress?
    /// Wins over the network's.
    package var tunnelID: TunnelID?

    package init(id: String, cidr: Prefix, gateway: IPAddress? = nil, tunnelID: TunnelID? = nil) {
        self.id = id
        self.cidr = cidr
        self.gateway = gateway
        self.tunnelID = tunnelID
    }

    /// Why no host can have this address of the subnet: its network address (in IPv6 the routers' anycast address,
    /// RFC 4291, section 2.6.1) or its broadcast address. Subnets of one or two addresses have neither (RFC 3021, RFC 6164).
    package func reserved(_ address: IPAddress) -> String? {
        guard cidr.length < address.bits - 1 else { return nil }
        if address == cidr.first { return "the network address of subnet \(id)" }
        if address == cidr.last, address.family == .v4 { return "the broadcast address of subnet \(id)" }
        return nil
    }
}
