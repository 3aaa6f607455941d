/// Where what a subnet's pods send to a destination goes, if to no pod of the network: through one of them, or through the gateway.
package struct SubnetRoute: Hashable, Sendable {
    package var destination: Prefix
    /// Of the same family: a pod's or neighbor's address of the same network, or a gateway's, which stands for the host's own routing.
    package var nextHop: IPAddress
    /// Of several routes to one destination the lowest counts whose next hop can be reached.
    package var priority: UInt32

    package init(_ destination: Prefix, through nextHop: IPAddress, priority: UInt32 = 0) {
        self.destination = destination
        self.nextHop = nextHop
        self.priority = priority
    }
}

extension Network {
    /// Whether it stands for the host's own routing.
    package func isGateway(_ address: IPAddress) -> Bool { subnets.contains { $0.gateway == address } }

    /// The pods and neighbors that routes lead through.
    package var nextHops: Set<IPAddress> {
        var hops: Set<IPAddress> = []
        for subnet in subnets { for route in subnet.routes where !isGateway(route.nextHop) { hops.insert(route.nextHop) } }
        return hops
    }

    /// Throws where a route can't be: `field` is the path of a route's field.
    package func judgeRoutes(_ rejected: (_ subnet: Int, _ route: Int, _ part: String, _ reason: String, _ valid: String) -> Rejected)
        throws(Rejected)
    {
        for (place, subnet) in subnets.enumerated() {
            for (position, route) in subnet.routes.enumerated() {
                let family = subnet.cidr.family
                guard route.destination.family == family else {
                    throw rejected(place, position, "destination", "of another family than the subnet", "a prefix of \(family)")
                }
                let prefixes = subnets.map(\.cidr).filter { $0.family == family }
                guard let home = self.subnet(of: route.nextHop), home.cidr.family == family else {
                    let valid = "an address of " + prefixes.map(\.description).joined(separator: " or ")
                    throw rejected(place, position, "nextHop", "no pod of network \(id) can have it", valid)
                }
                if let reserved = home.reserved(route.nextHop) {
                    throw rejected(place, position, "nextHop", reserved, "another address of \(home.cidr)")
                }
                if !isGateway(route.nextHop), let inner = subnets.first(where: { $0.cidr.contains(route.destination) }) {
                    throw rejected(
                        place, position, "destination", "inside of subnet \(inner.id), whose pods are reached without a route",
                        "a prefix outside of the network's subnets, or one that holds them")
                }
                let twin = subnet.routes[..<position].contains { $0.destination == route.destination && $0.priority == route.priority }
                if twin {
                    throw rejected(
                        place, position, "priority", "another route to \(route.destination) has this priority", "one for each of them")
                }
            }
        }
    }
}
