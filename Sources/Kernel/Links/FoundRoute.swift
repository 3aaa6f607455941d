import CLibMNL
import HostNetwork
import Netlink
import SystemPackage

/// A route as the kernel reports it (`RTM_NEWROUTE`).
struct FoundRoute: Hashable, Sendable {
    var kind: Route.Kind
    var destination: Prefix
    var gateway: IPAddress?
    var index: InterfaceIndex?
    /// Who made it: `RTPROT_…`, linux/rtnetlink.h.
    var maker: UInt8
    var table: UInt32

    init?(_ header: MessageHeader, _ message: RawSpan) {
        guard header.type == .newRoute || header.type == .deleteRoute,
            let info = message.structure(at: MessageHeader.size, as: rtmsg.self),
            let family = Family(number: Int32(info.rtm_family)), let kind = Route.Kind(type: info.rtm_type)
        else { return nil }
        self.kind = kind
        maker = info.rtm_protocol
        table = UInt32(info.rtm_table)
        destination = .everything(family)
        message.attributes(after: rtmsg.self) { number, payload in
            switch UInt32(number) {
            case RTA_DST.rawValue:
                let prefix = IPAddress(bytes: payload.array).flatMap { Prefix($0, length: Int(info.rtm_dst_len)) }
                destination = prefix ?? destination
            case RTA_GATEWAY.rawValue: gateway = IPAddress(bytes: payload.array)
            // struct rtvia: the family, two bytes in the host's order, and the address.
            case RTA_VIA.rawValue: gateway = IPAddress(bytes: Array(payload.array.dropFirst(2)))
            case RTA_OIF.rawValue: index = InterfaceIndex(payload.number())
            case RTA_TABLE.rawValue: table = payload.number()
            default: break
            }
        }
    }

    /// The main table's routes of a family; of one maker, and out of one interface, when that is given.
    static func all(
        _ family: Family, by maker: UInt8 = 0, at interface: InterfaceIndex? = nil, through socket: inout NetlinkSocket
    ) throws(TransportError) -> [FoundRoute] {
        let routes = try dump(family, in: .main, by: maker, at: interface, through: &socket)
        return routes.filter { route in
            route.table == RouteTable.main.number && route.kind == .way && (maker == 0 || route.maker == maker)
                && (interface == nil || route.index == interface)
        }
    }

    /// Hawser's routes of a family in every table; out of one interface, when that is given.
    static func own(
        _ family: Family, at interface: InterfaceIndex? = nil, through socket: inout NetlinkSocket
    ) throws(TransportError) -> [FoundRoute] {
        try dump(family, in: nil, by: Marks.routeProtocol, at: interface, through: &socket).filter { route in
            route.maker == Marks.routeProtocol && (interface == nil || route.index == interface)
        }
    }

    /// Of a pod's interface, Hawser's way out by it: the only route that is put there.
    static func defaults(
        _ family: Family, at interface: InterfaceIndex, through socket: inout NetlinkSocket
    ) throws(TransportError) -> [FoundRoute] {
        do throws(TransportError) {
            let routes = try socket.list(
                .getRoute, atMost: FoundSides.most,
                { $0.put(routesOf: family, in: .main, by: Marks.routeProtocol, at: interface) }, FoundRoute.init)
            return routes.filter { route in
                route.destination.isEverything && route.kind == .way && route.table == RouteTable.main.number
                    && route.maker == Marks.routeProtocol && route.index == interface
            }
        } catch .refused(let error) where error.errno == .noSuchFileOrDirectory {
            return []
        }
    }

    /// What the kernel lists; nothing in a namespace that never had a route, and so has no table yet.
    private static func dump(
        _ family: Family, in table: RouteTable?, by maker: UInt8, at interface: InterfaceIndex?, through socket: inout NetlinkSocket
    ) throws(TransportError) -> [FoundRoute] {
        do throws(TransportError) {
            return try socket.dump(.getRoute, { $0.put(routesOf: family, in: table, by: maker, at: interface) }, FoundRoute.init)
        } catch .refused(let error) where error.errno == .noSuchFileOrDirectory {
            return []
        }
    }
}

extension MessageWriter {
    /// The kernel filters, where it can (`NETLINK_GET_STRICT_CHK`); hence the same filter in those who read.
    fileprivate mutating func put(routesOf family: Family, in table: RouteTable?, by maker: UInt8, at interface: InterfaceIndex?) {
        put(
            raw: rtmsg(
                rtm_family: UInt8(family.number), rtm_dst_len: 0, rtm_src_len: 0, rtm_tos: 0,
                rtm_table: UInt8(truncatingIfNeeded: table?.number ?? 0), rtm_protocol: maker, rtm_scope: 0, rtm_type: 0, rtm_flags: 0))
        if let interface { put(.routeLink, UInt32(bitPattern: interface.value)) }
    }
}

extension Family {
    /// `AF_INET` or `AF_INET6`, or none of Hawser's.
    init?(number: Int32) {
        switch number {
        case AF_INET: self = .v4
        case AF_INET6: self = .v6
        default: return nil
        }
    }
}
