/// The host's own place on the underlay, which joins the hosts.
package struct Underlay: Hashable, Sendable {
    /// The host's own address there, which the other hosts know it by.
    package var address: IPAddress
    /// Of the interface that has the address: bytes of the largest packet.
    package var mtu: Int

    package init(address: IPAddress, mtu: Int) {
        self.address = address
        self.mtu = mtu
    }
}

/// A VXLAN device: what leaves by it goes to other hosts, in packets of the host's own.
///
/// It learns nothing and floods nothing. Where a packet goes is said by entries alone: the neighbor's address → its host's MAC
/// (`NeighborEntry`), and that → the host's address (`ForwardingEntry`).
package struct Tunnel: Hashable, Sendable {
    package var name: LinkName
    package var id: TunnelID
    /// Whose it is; also its alias.
    package var network: ID<Network>
    /// The source of what it sends: the host's own address on the underlay.
    package var local: IPAddress
    /// Derived from `local`, as every other host derives it.
    package var mac: MAC
    /// Bytes of the largest packet inside.
    package var mtu: Int
    package var isUp: Bool

    package init(id: TunnelID, network: ID<Network>, over underlay: Underlay) {
        self.init(
            name: LinkName(of: id), id: id, network: network, local: underlay.address, mac: MAC(ofHost: underlay.address),
            mtu: Self.mtu(over: underlay), isUp: true)
    }

    package init(name: LinkName, id: TunnelID, network: ID<Network>, local: IPAddress, mac: MAC, mtu: Int, isUp: Bool) {
        self.name = name
        self.id = id
        self.network = network
        self.local = local
        self.mac = mac
        self.mtu = mtu
        self.isUp = isUp
    }

    /// VXLAN's port (RFC 7348, section 5).
    package static let port: UInt16 = 4789

    /// What is left of a packet for the one inside: less Ethernet's 14 bytes, VXLAN's and UDP's 8 each, and the outer IP header's 20 or 40.
    package static func mtu(over underlay: Underlay) -> Int { underlay.mtu - (underlay.address.family == .v4 ? 50 : 70) }

    /// Whether `self` can become `other` without being made anew.
    package func canBecome(_ other: Tunnel) -> Bool {
        name == other.name && id == other.id && local == other.local && mac == other.mac
    }
}

/// Where a tunnel's frames to a MAC go: an entry of the VXLAN device's own table (`NTF_SELF`, linux/neighbour.h), permanent.
package struct ForwardingEntry: Hashable, Sendable {
    package var tunnel: LinkName
    package var mac: MAC
    /// On the underlay.
    package var host: IPAddress

    package init(_ tunnel: LinkName, _ mac: MAC, to host: IPAddress) {
        self.tunnel = tunnel
        self.mac = mac
        self.host = host
    }

    /// To a host, at the MAC that its tunnels have.
    package init(_ tunnel: LinkName, to host: IPAddress) { self.init(tunnel, MAC(ofHost: host), to: host) }
}

extension MAC {
    /// That of a host's tunnels, the same on whichever host it is worked out. Locally administered.
    package init(ofHost address: IPAddress) {
        self.init(StableHash.mixed("host/\(address)") & 0xfcff_ffff_ffff | 0x0200_0000_0000)
    }
}
