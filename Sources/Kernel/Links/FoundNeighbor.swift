import CLibMNL
import HostNetwork
import Netlink
import SystemPackage

/// A permanent entry of a neighbor table as the kernel reports it (`RTM_NEWNEIGH`).
struct FoundNeighbor: Hashable, Sendable {
    var address: IPAddress
    var mac: MAC
    var index: InterfaceIndex

    /// Nil for one that isn't Hawser's: of another maker (`NDA_PROTOCOL`), or not permanent.
    init?(_ header: MessageHeader, _ message: RawSpan) {
        guard header.type == .newNeighbor, let info = message.structure(at: MessageHeader.size, as: ndmsg.self),
            info.ndm_state & UInt16(NUD_PERMANENT) != 0
        else { return nil }
        var address: IPAddress?
        var mac: MAC?
        var maker: UInt8 = 0
        message.attributes(after: ndmsg.self) { number, payload in
            switch Int(number) {
            case NDA_DST: address = IPAddress(bytes: payload.array)
            case NDA_LLADDR: mac = MAC(bytes: payload.array)
            case NDA_PROTOCOL: maker = payload.number()
            default: break
            }
        }
        guard let address, let mac, maker == Marks.routeProtocol else { return nil }
        self.address = address
        self.mac = mac
        index = InterfaceIndex(info.ndm_ifindex)
    }

    /// Hawser's entries for some addresses at a pod's interface. Each is asked for by itself: the kernel keeps those of all namespaces together, and
    /// goes through them all to list those of one.
    static func inside(
        _ addresses: [IPAddress], at interface: InterfaceIndex, through socket: inout NetlinkSocket
    ) throws(TransportError) -> [FoundNeighbor] {
        var batch = Batch()
        for address in addresses {
            batch.add(.getNeighbor) { message in
                message.put(
                    raw: ndmsg(
                        ndm_family: UInt8(address.family.number), ndm_pad1: 0, ndm_pad2: 0, ndm_ifindex: interface.value, ndm_state: 0,
                        ndm_flags: 0, ndm_type: 0))
                message.put(.neighborAddress, address.bytes)
            }
        }
        var found: [FoundNeighbor] = []
        try socket.ask(&batch, absences: Gone.neighbors) { _, header, message in
            if let neighbor = FoundNeighbor(header, message) { found.append(neighbor) }
        }
        return found
    }

    /// Hawser's entries at one interface, or at all. The kernel filters, where it can (`NETLINK_GET_STRICT_CHK`).
    static func all(at interface: InterfaceIndex? = nil, through socket: inout NetlinkSocket) throws(TransportError) -> [FoundNeighbor] {
        let entries = try socket.dump(
            .getNeighbor,
            { message in
                message.put(raw: ndmsg())
                if let interface { message.put(.neighborLink, UInt32(bitPattern: interface.value)) }
            }, FoundNeighbor.init)
        return entries.filter { interface == nil || $0.index == interface }
    }
}
