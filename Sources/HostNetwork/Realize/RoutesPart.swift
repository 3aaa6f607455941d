/// Where the routes of a network's subnets lead, there while a pod of this host is attached to it: a table for each subnet that has routes,
/// and the rules by which packets are looked up there, before the main table.
///
/// What comes from another host is looked up by its source, too: it may be on its way to a next hop here. So a host has the tables of
/// all of a network's subnets.
struct RoutesPart {
    var network: Network
    /// Those next hops that can be reached.
    var hops: [IPAddress: NextHop]
    /// The next hops that are pods of this host and may send.
    var routers: Set<IPAddress>

    var entries: [Entry] {
        let objects = network.subnets.filter { !$0.routes.isEmpty }.flatMap { table(of: $0) + ways(of: $0) } + nextHopRules
        // Two destinations may ask for the same exception.
        var seen: Set<Object.Key> = []
        return objects.filter { seen.insert($0.key).inserted }.map { Entry($0, because: network.id.intent) }
    }

    /// The flows that routers of this host forward for a subnet: those to destinations that lead through them.
    private func ways(of subnet: Subnet) -> [Object] {
        let destinations = subnet.routesByDestination.compactMap { destination, routes in
            routes.first { network.isGateway($0.nextHop) || hops[$0.nextHop] != nil }.map { (destination, hop: $0.nextHop) }
        }
        let within = network.subnets.map { AddressRange($0.cidr) }
        var ranges: [LinkName: [AddressRange]] = [:]
        for (destination, hop) in destinations where routers.contains(hop) {
            guard case .pod(let link)? = hops[hop], !network.isGateway(hop) else { continue }
            // A narrower destination that leads elsewhere isn't on this way.
            let elsewhere = destinations.filter { $0.hop != hop && $0.0.length > destination.length }
            ranges[link, default: []] += AddressRange(destination).subtracting(within + elsewhere.map { AddressRange($0.0) })
        }
        let family = subnet.cidr.family
        return ranges.flatMap { link, ranges in
            AddressRange.disjointUnion(ranges.filter { $0.family == family }).map { range in
                func bound(_ source: IPAddress, _ destination: IPAddress) -> [UInt8] {
                    KeyBytes.of { key in
                        key.name(link)
                        key.address(source)
                        key.address(destination)
                    }
                }
                return .element(
                    Element(
                        BaseSet.way(family).id, bound(subnet.cidr.first, range.first), through: bound(subnet.cidr.last, range.last)))
            }
        }
    }

    private func table(of subnet: Subnet) -> [Object] {
        let table = RouteTable(of: subnet.id, in: network.id)
        // ip rule add from 10.1.0.0/24 lookup T priority 26743
        var objects: [Object] = [.tableRule(TableRule(.source(subnet.cidr), .look(table), priority: TableRule.subnet))]
        for (destination, routes) in subnet.routesByDestination {
            var way: Object?
            for route in routes where way == nil {
                if network.isGateway(route.nextHop) {
                    way = .route(Route(.exception, to: destination, in: table))
                } else {
                    way = hops[route.nextHop].map {
                        .route(Route($0.end, to: destination, through: $0.gateway(for: route)).placed(in: table))
                    }
                }
            }
            if let way { objects.append(way) }
            // ip route add unreachable 0.0.0.0/0 table T metric 4294967295: not by the main table's routes while the next hop is away.
            if routes.contains(where: { !network.isGateway($0.nextHop) }) {
                objects.append(.route(Route(.barrier, to: destination, in: table)))
            }
        }
        // ip route add throw 10.1.0.0/24 table T: pods of the network are reached by the main table's routes.
        let within = network.subnets.filter { $0.cidr.family == subnet.cidr.family }
        return objects + within.map { .route(Route(.exception, to: $0.cidr, in: table)) }
    }

    /// A pod that others' packets go through sends them on with their own sources, or with its own. They don't come back to it: they are
    /// looked up in its own subnet's table, unless that leads through it, and then in the main one.
    private var nextHopRules: [Object] {
        network.nextHops.sorted().flatMap { address -> [Object] in
            guard case .pod(let link)? = hops[address], let home = network.subnet(of: address) else { return [] }
            let match = TableRule.Match.link(link, address.family)
            var objects: [Object] = [.tableRule(TableRule(match, .main, priority: TableRule.past))]
            if !home.routes.isEmpty, !home.routes.contains(where: { $0.nextHop == address }) {
                let table = RouteTable(of: home.id, in: network.id)
                objects.append(.tableRule(TableRule(match, .look(table), priority: TableRule.own)))
            }
            return objects
        }
    }
}

extension Subnet {
    /// Those to each destination, the one that counts first at the beginning.
    package var routesByDestination: [(destination: Prefix, routes: [SubnetRoute])] {
        Dictionary(grouping: routes, by: \.destination).sorted { $0.key < $1.key }
            .map { ($0.key, $0.value.sorted { $0.priority < $1.priority }) }
    }
}

/// Where a next hop is.
enum NextHop: Hashable {
    /// Behind this link of this host.
    case pod(LinkName)
    /// On another host, behind a tunnel or through the host's address.
    case tunnel(TunnelID)
    case host(IPAddress)

    var end: End? {
        switch self {
        case .pod(let link): End(link, .host)
        case .tunnel(let id): End(LinkName(of: id), .host)
        case .host: nil
        }
    }

    func gateway(for route: SubnetRoute) -> IPAddress { if case .host(let address) = self { address } else { route.nextHop } }
}

extension Intents {
    /// The neighbor of a network through which packets can be sent, and how.
    func neighboringHop(_ address: IPAddress, in network: Network, over underlay: Underlay?) -> NextHop? {
        for neighbor in neighbors(at: address, in: network.id) {
            guard let host = neighbor.host, host != underlay?.address else { continue }
            switch network.reach(of: address, at: host, from: underlay) {
            case .tunnel(let id): return .tunnel(id)
            case .host: return .host(host)
            case .others, .nowhere: continue
            }
        }
        return nil
    }

    /// On what the routes of a network wait, as in "waits for …": their next hops.
    ///
    /// - Parameter missing: what an attached pod would have that this one hasn't.
    package func unmet(for id: ID<Network>, over underlay: Underlay?, missing: (Pod) -> String?) -> [String] {
        guard let network = networks[id] else { return [] }
        var waits: [String] = []
        for subnet in network.subnets {
            for (destination, routes) in subnet.routesByDestination {
                let reasons = routes.map { route in why(route.nextHop, isAwayFrom: network, over: underlay, missing) }
                guard !reasons.contains(nil), let first = reasons.first ?? nil else { continue }
                waits.append("\(first), the next hop of subnet \(subnet.id) to \(destination)")
            }
        }
        return waits
    }

    /// Nil for one that can be reached.
    private func why(_ hop: IPAddress, isAwayFrom network: Network, over underlay: Underlay?, _ missing: (Pod) -> String?) -> String? {
        if network.isGateway(hop) { return nil }
        if let pod = pod(at: hop, in: network.id) {
            if let missing = missing(pod) { return "\(missing) of pod \(pod.id) (\(hop))" }
            return pod.adminUp ? nil : "pod \(pod.id) (\(hop)) to be up"
        }
        if neighboringHop(hop, in: network, over: underlay) != nil { return nil }
        guard let neighbor = neighbors(at: hop, in: network.id).first else { return "a pod or neighbor that has \(hop)" }
        let waits = unmet(for: neighbor.id, over: underlay)
        let why = waits.isEmpty ? (network.fabricInForce == .none ? "a fabric that leads" : "a host") : waits.joined(separator: ", ")
        return "\(why) for neighbor \(neighbor.id) (\(hop))"
    }
}
