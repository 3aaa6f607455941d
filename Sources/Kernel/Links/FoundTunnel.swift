import CLibMNL
import HostNetwork
import Netlink

/// What a VXLAN device says of itself (`vxlan_fill_info`, drivers/net/vxlan).
struct FoundTunnel: Hashable, Sendable {
    var id: UInt32 = 0
    var local: IPAddress?
    var port: UInt16 = 0
    var learns = false

    init(_ data: RawSpan) {
        data.attributes { number, payload in
            switch Int(number) {
            case IFLA_VXLAN_ID: id = payload.number()
            case IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6: local = IPAddress(bytes: payload.array)
            case IFLA_VXLAN_PORT: port = payload.networkOrder()
            case IFLA_VXLAN_LEARNING: learns = payload.number(as: UInt8.self) != 0
            default: break
            }
        }
    }
}

extension LinkTable {
    /// Tunnels as the kernel has them, and the entries of their own tables.
    ///
    /// One that isn't as Hawser makes them is reported without a MAC, which is nobody's wish, so that it is made anew.
    mutating func observe(_ tunnels: [LinkName: FoundLink]) throws(TransportError) -> [LinkObject] {
        guard !tunnels.isEmpty else { return [] }
        let names = Dictionary(tunnels.map { ($0.value.index, $0.key) }) { $1 }
        let entries = try socket.dump(
            .getNeighbor,
            { message in
                var header = ndmsg()
                header.ndm_family = UInt8(AF_BRIDGE)
                message.put(raw: header)
            }, FoundForwarding.init)
        return tunnels.map { .tunnel(Tunnel($1, as: $0)) }
            + entries.compactMap { entry in names[entry.index].map { .forwarding(ForwardingEntry($0, entry.mac, to: entry.host)) } }
    }
}

extension Tunnel {
    fileprivate init(_ link: FoundLink, as name: LinkName) {
        let found = link.tunnel
        let isWhole = link.group == Marks.tunnelGroup && found?.port == Self.port && found?.learns == false
        self.init(
            name: name, id: TunnelID(Int(found?.id ?? 0)) ?? .highest, network: ID(link.alias), local: found?.local ?? .v4(0),
            mac: isWhole ? link.mac : MAC(0), mtu: link.mtu, isUp: link.isUp)
    }
}

extension TunnelID {
    fileprivate static var highest: TunnelID {
        guard let highest = TunnelID(range.upperBound) else { fatalError("\(range.upperBound) is an identifier") }
        return highest
    }
}

/// An entry of a VXLAN device's own table as the kernel reports it.
struct FoundForwarding: Hashable {
    var mac: MAC
    var host: IPAddress
    var index: InterfaceIndex

    /// Nil for an entry of anything else, as of a bridge's port.
    init?(_ header: MessageHeader, _ message: RawSpan) {
        guard header.type == .newNeighbor || header.type == .deleteNeighbor,
            let info = message.structure(at: MessageHeader.size, as: ndmsg.self), Int32(info.ndm_family) == AF_BRIDGE
        else { return nil }
        var mac: MAC?
        var host: IPAddress?
        message.attributes(after: ndmsg.self) { number, payload in
            switch Int(number) {
            case NDA_LLADDR: mac = MAC(bytes: payload.array)
            case NDA_DST: host = IPAddress(bytes: payload.array)
            default: break
            }
        }
        guard let mac, let host else { return nil }
        self.mac = mac
        self.host = host
        index = InterfaceIndex(info.ndm_ifindex)
    }
}
