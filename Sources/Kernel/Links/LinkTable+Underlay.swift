import CLibMNL
package import HostNetwork
package import Netlink

extension LinkTable {
    /// An address, and the interface that has it.
    fileprivate struct Held: Equatable {
        var address: IPAddress
        var index: InterfaceIndex
    }

    /// The host's place on the underlay, as this namespace has it: an address of one of its interfaces, and that interface's MTU.
    ///
    /// - Parameter address: the host's own; nil: that which packets by the default route have as their source, of IPv4 if there is one.
    /// - Returns: nil when no interface has the address, or there is no default route.
    package mutating func underlay(at address: IPAddress?) throws(TransportError) -> Underlay? {
        if let address {
            let addresses = try socket.dump(.getAddress, { $0.put(raw: ifaddrmsg()) }, Self.held)
            guard let index = addresses.first(where: { $0.address == address })?.index else { return nil }
            return try underlay(address, at: index)
        }
        for family in Family.allCases {
            // Of several the kernel tells first the one that it prefers.
            guard let route = try FoundRoute.all(family, through: &socket).first(where: \.destination.isEverything) else { continue }
            // Any that is far away: of no use to anybody (RFC 5737, RFC 3849).
            let far: IPAddress = family == .v4 ? .v4(0xc633_6401) : .v6(0x2001_0db8 << 96 | 1)
            guard let source = try source(towards: route.gateway?.family == family ? route.gateway ?? far : far) else { continue }
            return try underlay(source.address, at: source.index)
        }
        return nil
    }

    private mutating func underlay(_ address: IPAddress, at index: InterfaceIndex) throws(TransportError) -> Underlay? {
        var batch = Batch()
        _ = batch.addFind(index)
        var mtu: Int?
        try socket.ask(&batch, absences: Gone.links) { _, header, message in mtu = FoundLink(header, message)?.mtu }
        return mtu.map { Underlay(address: address, mtu: $0) }
    }

    /// The source that the kernel chooses for a packet, and the interface that it leaves by.
    private mutating func source(towards address: IPAddress) throws(TransportError) -> Held? {
        var batch = Batch()
        batch.add(.getRoute) { message in
            var header = rtmsg()
            header.rtm_family = UInt8(address.family.number)
            header.rtm_dst_len = UInt8(address.bits)
            message.put(raw: header)
            message.put(.routeDestination, address.bytes)
        }
        var source: IPAddress?
        var index: InterfaceIndex?
        try socket.ask(&batch, absences: Gone.ways) { _, header, message in
            guard header.type == .newRoute else { return }
            message.attributes(after: rtmsg.self) { number, payload in
                switch UInt32(number) {
                case RTA_PREFSRC.rawValue: source = IPAddress(bytes: payload.array)
                case RTA_OIF.rawValue: index = InterfaceIndex(payload.number())
                default: break
                }
            }
        }
        guard let source, let index else { return nil }
        return Held(address: source, index: index)
    }

    /// An address of an interface, whoever made it.
    private static func held(_ header: MessageHeader, _ message: RawSpan) -> Held? {
        guard header.type == .newAddress, let info = message.structure(at: MessageHeader.size, as: ifaddrmsg.self) else { return nil }
        var local: IPAddress?
        message.attributes(after: ifaddrmsg.self) { number, payload in
            switch Int(number) {
            case IFA_LOCAL: local = IPAddress(bytes: payload.array)
            case IFA_ADDRESS: local = local ?? IPAddress(bytes: payload.array)
            default: break
            }
        }
        return local.map { Held(address: $0, index: InterfaceIndex(Int32(bitPattern: info.ifa_index))) }
    }
}
