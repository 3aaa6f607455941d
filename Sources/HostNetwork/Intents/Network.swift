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

    /// Whether the same addresses have their places in both.
    func hasSamePlaces(as other: Network) -> Bool {
        subnets.elementsEqual(other.subnets) { $0.id == $1.id && $0.cidr == $1.cidr && $0.gateway == $1.gateway }
    }
}

package struct Subnet: Hashable, Sendable {
    /// Unique within its network.
    package var id: String
    package var cidr: Prefix
    /// Inside of `cidr`; nil for a subnet that leads nowhere else.
    package var gateway: IPAddress?
    /// Wins over the network's.
    package var tunnelID: TunnelID?
    /// The MAC that its pods know the gateway by; nil: that of every host side.
    package var gatewayMAC: MAC?
    /// Of what its pods send.
    package var routes: [SubnetRoute]

    package init(
        id: String, cidr: Prefix, gateway: IPAddress? = nil, tunnelID: TunnelID? = nil, gatewayMAC: MAC? = nil, routes: [SubnetRoute] = []
    ) {
        self.id = id
        self.cidr = cidr
        self.gateway = gateway
        self.tunnelID = tunnelID
        self.gatewayMAC = gatewayMAC
        self.routes = routes
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
