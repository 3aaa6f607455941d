import CLibMNL
import HostNetwork
import Netlink
import SystemPackage

/// Makes events of multicast messages.
struct LinkEventReader: Sendable {
    private let ports: Set<UInt32>
    /// Hawser's links, as last told; also one that has lost its mark.
    private var links: [InterfaceIndex: FoundLink] = [:]
    /// Destinations of Hawser's routes; no link: by an interface that isn't Hawser's.
    private var destinations: [Prefix: LinkName?] = [:]
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
            case .newAddress, .deleteAddress: addressEvent(header, message)
            case .newRoute, .deleteRoute: routeEvent(header, message)
            case .newNeighbor, .deleteNeighbor: neighborEvent(header, message)
            case .newTableRule, .deleteTableRule: tableRuleEvent(header, message)
            default: nil
            }
        return ports.contains(header.port) ? nil : event
    }

    private func name(_ index: InterfaceIndex) -> LinkName? { links[index].map { LinkName(reported: $0.name) } }

    private mutating func linkEvent(_ header: MessageHeader, _ message: RawSpan) -> LinkEvent? {
        // Bridges and IPv6 tell of links in their own families, and not all of it.
        guard let info = message.structure(at: MessageHeader.size, as: ifinfomsg.self), Int32(info.ifi_family) == AF_UNSPEC,
            let link = FoundLink(header, message)
        else { return nil }
        if let wasUp = gatewayLinks[link.index] {
            let isUp = header.type == .newLink && link.isUp
            gatewayLinks[link.index] = isUp
            // With it go the routes by it, of which the kernel says nothing; when it comes back they can, too.
            return wasUp == isUp || (wasUp == nil && isUp) ? nil : .elsewhere
        }
        guard header.type == .newLink else { return links.removeValue(forKey: link.index).map { .gone(LinkName(reported: $0.name)) } }
        let last = links[link.index]
        guard link.isOurs || last != nil else { return nil }
        links[link.index] = link
        // One that is new is Hawser's own doing; and much is told of a link that doesn't matter here: that its carrier comes, for one.
        guard let last else { return nil }
        let name = LinkName(reported: link.name)
        if link.name != last.name { return .renamed(LinkName(reported: last.name), to: name) }
        if !link.isMarked { return .unmarked(name, link.index.value) }
        if !last.alternativeNames.isSubset(of: link.alternativeNames) { return .changed(name) }
        return link.hostSide == last.hostSide ? nil : .became(name, link.hostSide)
    }

    private func addressEvent(_ header: MessageHeader, _ message: RawSpan) -> LinkEvent? {
        guard let address = FoundAddress(header, message), let name = name(address.index) else { return nil }
        let object = Object.address(InterfaceAddress(End(name, .host), address.address))
        return header.type == .newAddress ? .has(object) : .lacks(object.key)
    }

    private mutating func routeEvent(_ header: MessageHeader, _ message: RawSpan) -> LinkEvent? {
        guard let route = FoundRoute(header, message) else { return nil }
        let isMain = route.table == RouteTable.main.number
        guard route.maker == Marks.routeProtocol else {
            // Somebody's route in the place of ours; of ours nothing is said then.
            guard isMain, header.type == .newRoute, header.flags.contains(.replace) else { return nil }
            return destinations.removeValue(forKey: route.destination).map { .usurped(route.destination, $0) }
        }
        if header.type == .newRoute { remember(route) }
        let object = Object.route(Route(route, at: route.index.flatMap(name).map { End($0, .host) }))
        return header.type == .newRoute ? .has(object) : .lacks(object.key)
    }

    private func tableRuleEvent(_ header: MessageHeader, _ message: RawSpan) -> LinkEvent? {
        guard let rule = TableRule(header: header, message: message) else { return nil }
        let object = Object.tableRule(rule)
        return header.type == .newTableRule ? .has(object) : .lacks(object.key)
    }

    private func neighborEvent(_ header: MessageHeader, _ message: RawSpan) -> LinkEvent? {
        if let entry = FoundForwarding(header, message), let name = name(entry.index), links[entry.index]?.isTunnel ?? false {
            let object = Object.forwarding(ForwardingEntry(name, entry.mac, to: entry.host))
            return header.type == .newNeighbor ? .has(object) : .lacks(object.key)
        }
        guard let entry = NeighborNews(message), let name = name(entry.index) else { return nil }
        let end = End(name, .host)
        guard header.type == .newNeighbor, let mac = entry.mac else { return .lacks(.neighbor(end, entry.address)) }
        return .has(.neighbor(NeighborEntry(end, entry.address, at: mac)))
    }

    private mutating func remember(_ route: FoundRoute) {
        guard let index = route.index else { return }
        if route.table == RouteTable.main.number { destinations[route.destination] = .some(name(index)) }
        if links[index] == nil, gatewayLinks[index] == nil { gatewayLinks[index] = .some(nil) }
    }
}

extension FoundLink {
    fileprivate var hostSide: LinkEvent.HostSide { .init(isUp: isUp, mtu: mtu, mac: mac, alias: alias) }
}

/// An entry of a neighbor table with Hawser's protocol number, as an event tells of it.
private struct NeighborNews {
    var index: InterfaceIndex
    var address: IPAddress
    /// Nil when it isn't permanent any more, as when it is about to go.
    var mac: MAC?

    init?(_ message: RawSpan) {
        guard let info = message.structure(at: MessageHeader.size, as: ndmsg.self), Int32(info.ndm_family) != AF_BRIDGE else { return nil }
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
        guard maker == Marks.routeProtocol, let address else { return nil }
        index = InterfaceIndex(info.ndm_ifindex)
        self.address = address
        self.mac = info.ndm_state & UInt16(NUD_PERMANENT) != 0 ? mac : nil
    }
}
