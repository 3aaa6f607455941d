import CLibMNL
import HostNetwork
import Netlink
import SystemPackage

/// Makes events of multicast messages.
struct LinkEventReader: Sendable {
    private let ports: Set<UInt32>
    /// Hawser's links, as last told.
    private var links: [InterfaceIndex: FoundLink] = [:]
    /// Destinations of Hawser's routes.
    private var destinations: [Prefix: LinkName] = [:]
    /// Interfaces that aren't Hawser's and that routes of its leave by; whether each is up, where that was told.
    private var gatewayLinks: [InterfaceIndex: Bool?] = [:]

    init(except ports: Set<UInt32>) { self.ports = ports }

    /// Reads what there is. Messages that come meanwhile are lost, so that whoever listens has to look afterwards.
    mutating func start(through socket: inout NetlinkSocket) throws(TransportError) {
        let ours = try FoundLink.all(through: &socket) + FoundLink.tunnels(through: &socket)
        links = Dictionary(ours.map { ($0.index, $0) }) { $1 }
        destinations = [:]
        gatewayLinks = [:]
        for family in Family.allCases {
            for route in try FoundRoute.all(family, by: Marks.routeProtocol, through: &socket) { remember(route) }
        }
    }

    mutating func event(_ header: MessageHeader, _ message: RawSpan) -> LinkEvent? {
        let event: LinkEvent? =
            switch header.type {
            case .newLink, .deleteLink: linkEvent(header, message)
            // An address that somebody adds isn't ours to mind.
            case .deleteAddress:
                message.structure(at: MessageHeader.size, as: ifaddrmsg.self).flatMap { changed(Int32(bitPattern: $0.ifa_index)) }
            case .newRoute, .deleteRoute: routeEvent(header, message)
            case .newNeighbor, .deleteNeighbor: neighborEvent(message)
            default: nil
            }
        return ports.contains(header.port) ? nil : event
    }

    private func changed(_ index: Int32) -> LinkEvent? {
        links[InterfaceIndex(index)].map { .changed(LinkName(reported: $0.name)) }
    }

    private mutating func linkEvent(_ header: MessageHeader, _ message: RawSpan) -> LinkEvent? {
        // Bridges and IPv6 tell of links in their own families, and not all of it.
        guard let info = message.structure(at: MessageHeader.size, as: ifinfomsg.self), Int32(info.ifi_family) == AF_UNSPEC,
            let link = FoundLink(header, message)
        else { return nil }
        let name = LinkName(reported: link.name)
        if let wasUp = gatewayLinks[link.index] {
            let isUp = header.type == .newLink && link.isUp
            gatewayLinks[link.index] = isUp
            // With it go the routes by it, of which the kernel says nothing.
            return wasUp == isUp || (wasUp == nil && isUp) ? nil : .missed
        }
        guard header.type == .newLink else { return links.removeValue(forKey: link.index).map { $0.isTunnel ? .missed : .gone(name) } }
        let last = links[link.index]
        guard link.isOurs || last != nil else { return nil }
        links[link.index] = link.isOurs ? link : nil
        // One that is new is Hawser's own doing; and much is told of a link that doesn't matter here: that its carrier comes, for one.
        guard let last else { return nil }
        guard link.isOurs, link.name == last.name else { return last.isTunnel ? .missed : .gone(LinkName(reported: last.name)) }
        let side = LinkEvent.HostSide(isUp: link.isUp, mtu: link.mtu, mac: link.mac)
        if side == LinkEvent.HostSide(isUp: last.isUp, mtu: last.mtu, mac: last.mac) { return nil }
        // Of a tunnel that goes down all is gone that led to other hosts.
        return link.isTunnel ? .missed : .became(name, side)
    }

    private mutating func routeEvent(_ header: MessageHeader, _ message: RawSpan) -> LinkEvent? {
        guard let route = FoundRoute(header, message), route.table == UInt32(RT_TABLE_MAIN.rawValue) else { return nil }
        if route.maker == Marks.routeProtocol {
            if header.type == .newRoute { remember(route) }
            return route.index.flatMap { changed($0.value) }
        }
        // Somebody's route in the place of ours; of ours nothing is said then.
        guard header.type == .newRoute, header.flags.contains(.replace) else { return nil }
        return destinations.removeValue(forKey: route.destination).map { .changed($0) }
    }

    private func neighborEvent(_ message: RawSpan) -> LinkEvent? {
        guard let info = message.structure(at: MessageHeader.size, as: ndmsg.self) else { return nil }
        var maker: UInt8 = 0
        message.attributes(after: ndmsg.self) { number, payload in
            if Int(number) == NDA_PROTOCOL { maker = payload.number() }
        }
        return maker == Marks.routeProtocol ? changed(info.ndm_ifindex) : nil
    }

    private mutating func remember(_ route: FoundRoute) {
        guard let index = route.index else { return }
        guard let link = links[index] else {
            if gatewayLinks[index] == nil { gatewayLinks[index] = .some(nil) }
            return
        }
        destinations[route.destination] = LinkName(reported: link.name)
    }
}
