/// Where the host's own routing sends what is for an address, as only the kernel knows.
package enum HostRoute: Hashable, Sendable {
    /// It wasn't asked.
    case unknown
    /// Nowhere else: an address of the host's own, or a broadcast of its networks.
    case local
    /// Out of one of its interfaces, through a router where there is one.
    case out(of: String, through: IPAddress?)
    case none
}

/// Where a packet goes that its sender's policy lets, and by which way.
package struct TakenRoute: Hashable, Sendable {
    package enum End: Hashable, Sendable {
        /// A pod of this host.
        case pod(ID<Pod>)
        /// The host itself.
        case host
        /// Another host, for a pod of its.
        case neighbor(ID<Neighbor>, at: IPAddress)
        /// Out by the host's own routing, which isn't Hawser's.
        case outside
        case nowhere
    }

    package var end: End
    /// A sentence.
    package var reason: String
    /// Of the pod's network, where another host is reached by it.
    package var fabric: Fabric?
    package var tunnel: TunnelID?
    /// The interface that it leaves this host, or goes to a pod, by.
    package var device: String?
    /// The next hop on the underlay.
    package var gateway: IPAddress?
    /// What of the route decides: the destination that it is for.
    package var destination: Prefix?
    /// Of a subnet's route: whose table it is in, and the pod or neighbor that it leads through, which `end` tells then.
    package var subnet: String?
    package var nextHop: IPAddress?

    init(_ end: End, _ reason: String) {
        self.end = end
        self.reason = reason
    }
}

extension HostState {
    /// The host's route for a packet that a pod sends: rule by rule, as the kernel looks (`fib_rules_lookup`, net/core/fib_rules.c).
    func route(to address: IPAddress, from source: IPAddress, by link: LinkName) -> (route: Route, entry: Entry)? {
        let rules = entries.values.lazy.compactMap { if case .tableRule(let rule) = $0.object { rule } else { nil } }
        for rule in rules.filter({ $0.matches(source, link) }).sorted(by: { $0.priority < $1.priority }) {
            guard case .look(let table) = rule.action else { break }
            if let found = route(to: address, in: table), found.route.kind != .exception { return found }
        }
        return route(to: address, in: .main)
    }

    /// Of all that lead there the one that says most of the address.
    private func route(to address: IPAddress, in table: RouteTable) -> (route: Route, entry: Entry)? {
        for length in stride(from: address.bits, through: 0, by: -1) {
            guard let prefix = Prefix(address, length: length) else { continue }
            let keys: [Object.Key] =
                table == .main
                ? [.route(.host, nil, prefix)] : [false, true].map { .tableRoute(table, prefix, isBarrier: $0) }
            for case .route(let route) in keys.compactMap({ self[$0] }) {
                if let entry = entries[Object.route(route).key] { return (route, entry) }
            }
        }
        return nil
    }
}

extension TableRule {
    fileprivate func matches(_ source: IPAddress, _ link: LinkName) -> Bool {
        switch match {
        case .source(let prefix): prefix.contains(source)
        case .link(let name, let family): name == link && family == source.family
        }
    }
}

extension Desired {
    /// Where what is for the remote goes, when it is in the routing domain of this pod.
    func route(for question: Question, of pod: Pod, at own: IPAddress) -> TakenRoute {
        if isHost(question) { return TakenRoute(.host, "\(question.remote) is the host itself") }
        let found = state.route(to: question.remote, from: own, by: LinkName(of: pod.id))
        guard let (route, entry) = found else { return routeOfOthers(for: question, of: pod) }
        var taken = route.table == .main ? taken(route, because: entry.because, question) : taken(route, question, pod)
        taken.destination = route.destination
        return taken
    }

    /// By a subnet's route.
    private func taken(_ route: Route, _ question: Question, _ pod: Pod) -> TakenRoute {
        let network = intents.networks[pod.network]
        let subnet = network?.subnets.first { RouteTable(of: $0.id, in: pod.network) == route.table }
        let routes = subnet?.routes.filter { $0.destination == route.destination } ?? []
        let name = "the route of subnet \(subnet?.id ?? "") to \(route.destination)"
        guard route.kind == .way, let hop = routes.first(where: { leads(route, through: $0.nextHop, in: network) })?.nextHop else {
            var taken = TakenRoute(
                .nowhere, "\(name) leads through \(routes.map(\.nextHop.description).joined(separator: " or ")), which can't be reached")
            taken.subnet = subnet?.id
            return taken
        }
        let there = state[.route(.host, nil, Prefix(hop))]
        let because = state.entries[.route(.host, nil, Prefix(hop))]?.because
        var taken = TakenRoute(.nowhere, "")
        if case .route(let way)? = there, let because { taken = self.taken(way, to: hop, because: because, question) }
        taken.reason = "\(name) leads through \(hop): \(taken.reason)"
        (taken.subnet, taken.nextHop) = (subnet?.id, hop)
        return taken
    }

    private func leads(_ route: Route, through hop: IPAddress, in network: Network?) -> Bool {
        if route.end != nil { return route.gateway == hop }
        return network.map { intents.neighboringHop(hop, in: $0, over: layout.underlay)?.end == nil } ?? false
    }

    private func taken(_ route: Route, because: IntentID, _ question: Question) -> TakenRoute {
        taken(route, to: question.remote, because: because, question)
    }

    private func taken(_ route: Route, to address: IPAddress, because: IntentID, _ question: Question) -> TakenRoute {
        if let name = route.end?.link, case .link(let link)? = state[.link(name)] {
            var taken = TakenRoute(.pod(link.pod), "pod \(link.pod) of this host has \(address), behind \(name)")
            taken.device = name.value
            return taken
        }
        let id = ID<Neighbor>(because.id)
        guard let host = intents.neighbors[id]?.host else { return TakenRoute(.nowhere, "the host of neighbor \(id) isn't known") }
        var taken = TakenRoute(.neighbor(id, at: host), "neighbor \(id) is on host \(host)")
        if let name = route.end?.link, case .tunnel(let tunnel)? = state[.link(name)] {
            (taken.fabric, taken.tunnel, taken.device) = (.vxlan, tunnel.id, name.value)
            taken.reason += ": it leaves by \(name), in VXLAN with identifier \(tunnel.id)"
        } else {
            (taken.fabric, taken.gateway) = (.routed, route.gateway)
            taken.reason += ": it leaves through that host"
            if case .out(let device, _) = question.hostRoute, !device.isEmpty {
                taken.device = device
                taken.reason += ", by \(device)"
            }
        }
        return taken
    }

    /// Where Hawser has no route.
    private func routeOfOthers(for question: Question, of pod: Pod) -> TakenRoute {
        let remote = question.remote
        if let other = intents.pod(at: remote, seenFrom: pod.network) {
            let state = other.adminUp ? "isn't attached" : "is down (adminUp is false)"
            return TakenRoute(.nowhere, "pod \(other.id) has \(remote), and \(state)")
        }
        let neighbors = intents.neighbors(at: remote, seenFrom: pod.network)
        for neighbor in neighbors {
            let waits = unmet(for: neighbor.id)
            if !waits.isEmpty {
                return TakenRoute(.nowhere, "neighbor \(neighbor.id) has \(remote), and waits for \(waits.joined(separator: ", "))")
            }
            if neighbor.host == layout.underlay?.address, neighbor.host != nil {
                return TakenRoute(.nowhere, "neighbor \(neighbor.id) is said to be on this host, where no pod has \(remote)")
            }
        }
        guard intents.networks[pod.network]?.isolated != true else {
            let why =
                neighbors.first.map { "neighbor \($0.id) has \(remote), and the network's fabric is none" }
                ?? "no pod and no neighbor of it has \(remote)"
            return TakenRoute(.nowhere, "network \(pod.network) is isolated: \(why)")
        }
        let who = neighbors.first.map { "neighbor \($0.id) has \(remote), and the fabric of network \($0.network) is none: " } ?? ""
        switch question.hostRoute {
        case .local: return TakenRoute(.host, "\(remote) is the host itself")
        case .none: return TakenRoute(.nowhere, who + "the host has no route to \(remote)")
        case .unknown: return TakenRoute(.outside, who + "by the host's own routing")
        case .out(let device, let gateway):
            let through = gateway.map { ", through \($0)" } ?? ""
            var taken = TakenRoute(.outside, who + "by the host's own routing" + through + ", by \(device)")
            (taken.device, taken.gateway) = (device, gateway)
            return taken
        }
    }
}
