/// How a network's pods reach those of the same network on other hosts.
package enum Fabric: String, Hashable, Sendable, CaseIterable {
    /// Hawser leaves it to whoever routes between the hosts.
    case none
    /// By a route to each neighbor's address through its host, where the hosts are on one link and forward what isn't theirs.
    case routed
    /// In VXLAN (RFC 7348) from host to host: the underlay sees the hosts' addresses only.
    case vxlan
}

/// Tells a network's packets from others' on the underlay: the VXLAN network identifier, 24 bits (RFC 7348, section 5).
package struct TunnelID: Hashable, Sendable {
    package let value: UInt32

    package static let range = 1...(1 << 24 - 1)

    /// Nil outside of 1 to 16,777,215.
    package init?(_ value: Int) {
        guard Self.range.contains(value) else { return nil }
        self.value = UInt32(value)
    }
}

extension TunnelID: Comparable {
    package static func < (a: Self, b: Self) -> Bool { a.value < b.value }
}

extension TunnelID: CustomStringConvertible {
    package var description: String { "\(value)" }
}

extension Network {
    /// What was asked for; else an isolated network whose addresses have tunnels uses them, and any other is left to others.
    package var fabricInForce: Fabric { fabric ?? (isolated && !tunnelIDs.isEmpty ? .vxlan : .none) }

    /// Its own and its subnets', each once, sorted.
    package var tunnelIDs: [TunnelID] { Set([tunnelID].compactMap(\.self) + subnets.compactMap(\.tunnelID)).sorted() }

    /// Those that its packets are in.
    package var tunnelsInForce: [TunnelID] { fabricInForce == .vxlan ? tunnelIDs : [] }

    /// That by which an address is reached; nil for one of a subnet that has none.
    package func tunnelID(of address: IPAddress) -> TunnelID? {
        guard let subnet = subnet(of: address) else { return nil }
        return subnet.tunnelID ?? tunnelID
    }
}
