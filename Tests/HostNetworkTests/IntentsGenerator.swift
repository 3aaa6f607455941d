import HostNetwork
import PolicyModel

/// Valid values of every kind from a small world, so that names meet, addresses collide and groups are shared.
extension Seeded {
    mutating func intent() -> Intent {
        switch number(0...9) {
        case 0: .network(network())
        case 1: .addressGroup(addressGroup())
        case 2, 3, 4: .securityGroup(securityGroup())
        case 5, 6, 7: .pod(pod())
        default: .neighbor(neighbor())
        }
    }

    mutating func networkID() -> ID<Network> { pick("blue", "green", "red") }
    mutating func groupID() -> ID<SecurityGroup> { pick("web", "db", "ops", "any", "blue/default", "red/default") }
    mutating func addressGroupID() -> ID<AddressGroup> { pick("office", "partners") }
    /// Mostly none, as from files; else sometimes an old one.
    mutating func revision() -> UInt64 { once(in: 2) ? 0 : UInt64(number(1...4)) }

    mutating func network() -> Network {
        let low = Subnet(id: "low", cidr: Self.prefix(10, 1, 0, length: 28), gateway: once(in: 2) ? .v4(0x0a01_0001) : nil)
        let high = Subnet(id: "high", cidr: Self.prefix(10, 1, 0, 16, length: 28))
        let six = Subnet(
            id: "six", cidr: Prefix(.v6(0xfd00 << 112), length: 64) ?? .everything(.v6), gateway: once(in: 2) ? .v6(0xfd00 << 112 | 1) : nil
        )
        var network = Network(
            id: networkID(), isolated: once(in: 3), subnets: once(in: 2) ? [low, high, six] : some([low, high, six], atMost: 3),
            revision: revision())
        join(&network)
        return network
    }

    /// With a fabric that fits, or none; few identifiers, so that networks are after the same ones.
    private mutating func join(_ network: inout Network) {
        if once(in: 2) { network.tunnelID = TunnelID(number(1...3)) }
        if network.tunnelID != nil || once(in: 3) {
            for position in network.subnets.indices where network.tunnelID == nil || once(in: 3) {
                network.subnets[position].tunnelID = TunnelID(number(1...6))
            }
        }
        let isCarried = !network.tunnelIDs.isEmpty
        network.fabric = pick(nil, Fabric.none, isCarried ? .vxlan : nil, network.isolated ? nil : .routed)
    }

    mutating func addressGroup() -> AddressGroup {
        AddressGroup(id: addressGroupID(), cidrs: (0..<number(0...3)).map { _ in prefix() }, revision: revision())
    }

    mutating func securityGroup() -> SecurityGroup {
        let id = groupID()
        let network = id.networkOfDefault ?? (once(in: 2) ? nil : networkID())
        let rules = (0..<number(0...4)).map { rule(id: "rule-\($0)") }
        return SecurityGroup(id: id, network: network, stateful: !once(in: 4), rules: rules, revision: revision())
    }

    mutating func rule(id: String) -> Rule {
        let remote: Remote =
            switch number(0...3) {
            case 0: .anyone
            case 1: .cidr(prefix())
            case 2: .group(groupID())
            default: .addressGroup(addressGroupID())
            }
        let family: Family? = remote.family ?? pick(nil, .v4, .v6)
        let direction: Rule.Direction = pick(.ingress, .egress)
        switch number(0...3) {
        case 0:
            let known = IPProtocol(UInt8(number(1...255))).flatMap { $0.onlyFamily == nil ? $0 : nil }
            return Rule(id: id, direction: direction, family: family, protocol: known, remote: remote)
        case 1:
            let kind: IPProtocol = family == .v6 ? .icmpv6 : .icmp
            let match = ICMPMatch(type: UInt8(number(0...255)), code: once(in: 2) ? nil : UInt8(number(0...255)))
            return Rule(id: id, direction: direction, family: family, protocol: kind, icmp: once(in: 3) ? nil : match, remote: remote)
        default:
            return Rule(
                id: id, direction: direction, family: family, protocol: pick(.tcp, .udp, .sctp, .dccp, .udplite), ports: ports(),
                sourcePorts: ports(), remote: remote)
        }
    }

    private mutating func ports() -> PortRange? {
        let ends = [pick(1, 80, 1023, 65535, UInt16(number(1...65535))), UInt16(number(1...65535))].sorted()
        return once(in: 2) ? nil : PortRange(ends[0], ends[1])
    }

    mutating func pod() -> Pod {
        let number = number(0...7)
        let addresses = self.addresses()
        return Pod(
            id: ID("pod-\(number)"), network: networkID(), namespace: once(in: 3) ? nil : "/run/netns/\(self.number(0...5))",
            interface: pick("eth0", "eth1"), mac: once(in: 2) ? nil : MAC(next() & 0xfeff_ffff_ffff | 1), addresses: addresses,
            securityGroups: some(["web", "db", "ops", "any"], atMost: 2),
            allowedAddressPairs: once(in: 2) ? [] : [AddressPair(address: prefix(), mac: once(in: 2) ? nil : MAC(2))],
            portSecurity: !once(in: 4),
            adminUp: !once(in: 4), mtu: once(in: 4) ? nil : self.number(1280...65535), revision: revision())
    }

    mutating func neighbor() -> Neighbor {
        Neighbor(
            id: ID("neighbor-\(number(0...4))"), network: networkID(), addresses: addresses(), mac: once(in: 2) ? nil : MAC(4),
            host: pick(nil, .v4(0xc000_0201), .v4(0xc000_0207), .v4(0xc000_0208), .v6(0x2001_0db8 << 96 | 7)),
            securityGroups: some(["web", "db", "ops"], atMost: 2), revision: revision())
    }

    /// One or two of few; some lie outside of every subnet, and the first of each is often a gateway's.
    private mutating func addresses() -> [IPAddress] {
        let four = IPAddress.v4(0x0a01_0001 + UInt32(number(0...34)))
        let six = IPAddress.v6(0xfd00 << 112 | UInt128(number(1...12)))
        return pick([four], [six], [four, six])
    }

    private static func prefix(_ bytes: UInt8..., length: Int) -> Prefix {
        let bytes = bytes + [UInt8](repeating: 0, count: 4 - bytes.count)
        return IPAddress(bytes: bytes).flatMap { Prefix($0, length: length) } ?? .everything(.v4)
    }
}
