import HostNetwork
import Netlink

/// What of Hawser's there is in one namespace besides the links themselves.
struct FoundEnds {
    private var addresses: [FoundAddress]
    private var routes: [FoundRoute]
    private var neighbors: [FoundNeighbor]

    init(through socket: inout NetlinkSocket) throws(TransportError) {
        addresses = try FoundAddress.all(through: &socket)
        routes = []
        for family in Family.allCases { routes += try FoundRoute.all(family, by: Marks.routeProtocol, through: &socket) }
        neighbors = try FoundNeighbor.all(through: &socket)
    }

    /// What there is at ends whose interfaces are known.
    func objects(at ends: [InterfaceIndex: End]) -> [LinkObject] {
        var objects: [LinkObject] = []
        for address in addresses {
            if let end = ends[address.index] { objects.append(.address(InterfaceAddress(end, address.address))) }
        }
        for route in routes {
            guard let end = route.index.flatMap({ ends[$0] }) else { continue }
            objects.append(.route(Route(end, to: route.destination, through: route.gateway)))
        }
        for neighbor in neighbors {
            if let end = ends[neighbor.index] { objects.append(.neighbor(NeighborEntry(end, neighbor.address, at: neighbor.mac))) }
        }
        return objects
    }
}
