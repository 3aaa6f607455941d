import HostNetwork
import Netlink

/// What of Hawser's there is in one namespace besides the links themselves.
struct FoundEnds {
    private var addresses: [FoundAddress] = []
    private var routes: [FoundRoute] = []
    private var neighbors: [FoundNeighbor] = []

    /// - Parameter interface: the one to look at; nil: all.
    mutating func read(at interface: InterfaceIndex? = nil, through socket: inout NetlinkSocket) throws(TransportError) {
        addresses += try FoundAddress.all(at: interface, through: &socket)
        for family in Family.allCases {
            routes += try FoundRoute.own(family, at: interface, through: &socket)
        }
        neighbors += try FoundNeighbor.all(at: interface, through: &socket)
    }

    /// What there is at ends whose interfaces are known.
    ///
    /// - Parameter andElsewhere: whether routes out of other interfaces are answered, too: on the host those lead to other hosts.
    func objects(at ends: [InterfaceIndex: End], andElsewhere: Bool = false) -> [LinkObject] {
        var objects: [LinkObject] = []
        for address in addresses {
            if let end = ends[address.index] { objects.append(.address(InterfaceAddress(end, address.address))) }
        }
        for route in routes {
            let end = route.index.flatMap { ends[$0] }
            guard end != nil || andElsewhere else { continue }
            objects.append(.route(Route(route, at: end)))
        }
        for neighbor in neighbors {
            if let end = ends[neighbor.index] { objects.append(.neighbor(NeighborEntry(end, neighbor.address, at: neighbor.mac))) }
        }
        return objects
    }

    /// Routes out of interfaces other than these: those to other hosts, and those that lead nowhere.
    func elsewhere(besides ours: Set<InterfaceIndex>) -> [LinkObject] {
        routes.filter { $0.index.map { !ours.contains($0) } ?? true }.map { .route(Route($0, at: nil)) }
    }
}

extension Route {
    init(_ found: FoundRoute, at end: End?) {
        self = Route(end, to: found.destination, through: found.gateway).placed(in: RouteTable(reported: found.table))
        kind = found.kind
    }
}
