import CLibMNL
import HostNetwork
import Netlink
import SystemPackage

/// An address of an interface as the kernel reports it (`RTM_NEWADDR`).
struct FoundAddress: Hashable, Sendable {
    var address: IPAddress
    var index: InterfaceIndex

    /// Nil for one that isn't Hawser's: of another maker (`IFA_PROTO`), or with neighbors.
    init?(_ header: MessageHeader, _ message: RawSpan) {
        guard header.type == .newAddress || header.type == .deleteAddress,
            let info = message.structure(at: MessageHeader.size, as: ifaddrmsg.self),
            let family = Family(number: Int32(info.ifa_family)), Int(info.ifa_prefixlen) == family.bits
        else { return nil }
        var local: IPAddress?
        var maker: UInt8 = 0
        message.attributes(after: ifaddrmsg.self) { number, payload in
            switch Int(number) {
            // Of a link with two ends IFA_ADDRESS is the other's, and IFA_LOCAL is there as well.
            case IFA_LOCAL: local = IPAddress(bytes: payload.array)
            case IFA_ADDRESS: local = local ?? IPAddress(bytes: payload.array)
            case IFA_PROTO: maker = payload.number()
            default: break
            }
        }
        guard let local, maker == Marks.routeProtocol else { return nil }
        address = local
        index = InterfaceIndex(Int32(bitPattern: info.ifa_index))
    }

    /// Those with Hawser's mark at a pod's interface, which the pod may have put there; `besides` as many as are expected.
    static func inside(
        at interface: InterfaceIndex, besides expected: Int, through socket: inout NetlinkSocket
    ) throws(TransportError) -> [FoundAddress] {
        var header = ifaddrmsg()
        header.ifa_index = UInt32(bitPattern: interface.value)
        let addresses = try socket.list(.getAddress, atMost: FoundSides.most + expected, { $0.put(raw: header) }, FoundAddress.init)
        return addresses.filter { $0.index == interface }
    }

    /// Hawser's addresses on one interface, or on all. The kernel filters, where it can (`NETLINK_GET_STRICT_CHK`).
    static func all(at interface: InterfaceIndex? = nil, through socket: inout NetlinkSocket) throws(TransportError) -> [FoundAddress] {
        var header = ifaddrmsg()
        header.ifa_index = UInt32(bitPattern: interface?.value ?? 0)
        return try socket.dump(.getAddress, { $0.put(raw: header) }, FoundAddress.init).filter { interface == nil || $0.index == interface }
    }
}
