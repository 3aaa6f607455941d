import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("A pod that routes for others", .ownThreads) struct FabricRouteTests {
    /// How the hosts are joined, and whether the router is on the same host as those that it routes for.
    struct Place: Hashable, Sendable, CustomTestStringConvertible {
        var way: FabricLab.Way
        var isHere: Bool
        var testDescription: String { "\(way.testDescription), \(isHere ? "on this host" : "on another host")" }

        static let all = FabricLab.Way.all.flatMap { way in [true, false].map { Place(way: way, isHere: $0) } }
    }

    /// What is behind the router, in both families: the addresses are on its loopback interface.
    private static let behind = ["198.51.100.7", "2001:db8:99::7"]
    private static let prefixes = ["198.51.100.0/24", "2001:db8:99::/64"].map { Prefix($0) }

    private struct World {
        var lab: FabricLab
        var hosts: [FabricHost]
        var web: FabricPod
        var router: FabricPod

        /// Puts routes through the router into the network of every host; none takes them away.
        func route(_ destinations: [Prefix]) throws {
            for host in hosts {
                try host.apply { intents in
                    try intents.put(
                        lab.network { network in
                            for destination in destinations {
                                let place = destination.family == .v4 ? 0 : 1
                                let hop = IPAddress(router.address(destination.family))
                                network.subnets[place].routes.append(SubnetRoute(destination, through: hop))
                            }
                        })
                }
            }
        }

        /// The router's own host is told.
        func bind(_ groups: [ID<SecurityGroup>] = ["open"], pairs: [Prefix] = []) throws {
            var pod = router.intent(groups)
            pod.allowedAddressPairs = pairs.map { AddressPair(address: $0) }
            try router.host.apply { try $0.put(pod) }
        }
    }

    private func world(_ place: Place) throws -> World {
        let lab = try FabricLab(place.way)
        let hosts = try (1...2).map { try lab.host($0) }
        for host in hosts { try host.apply { try $0.put("open", .in("all"), .out("all")) } }
        let web = try hosts[0].pod("web", 10, ["open"])
        let router = try hosts[place.isHere ? 0 : 1].pod("router", 30, ["open"])
        if !place.isHere {
            try hosts[0].apply { try $0.put(router.neighbor()) }
            try hosts[1].apply { try $0.put(web.neighbor()) }
        }
        for (address, length) in zip(Self.behind, [32, 128]) { try router.namespace.add(address: address, length: length, to: "lo") }
        return World(lab: lab, hosts: hosts, web: web, router: router)
    }

    /// Whether a datagram of the pod's arrives behind the router.
    private func arrives(_ world: World, _ family: Family, port: UInt16 = 7000, _ passes: Bool) throws -> Bool {
        let address = Self.behind[family == .v4 ? 0 : 1]
        let sender = try UDP(in: world.web.namespace, at: world.web.address(family))
        let receiver = try UDP(in: world.router.namespace, at: address, port: port)
        return try sender.reaches(receiver, at: address, within: passes ? .seconds(5) : .milliseconds(80))
    }

    /// Whether what is behind the router reaches the pod.
    private func returns(_ world: World, _ family: Family, _ passes: Bool) throws -> Bool {
        let sender = try UDP(in: world.router.namespace, at: Self.behind[family == .v4 ? 0 : 1])
        let receiver = try UDP(in: world.web.namespace, at: world.web.address(family), port: 7000)
        return try sender.reaches(receiver, at: world.web.address(family), within: passes ? .seconds(5) : .milliseconds(80))
    }

    @Test(
        "gets what the routes of their subnet send through it, and may answer from where it leads to if it is allowed", arguments: Place.all
    )
    func routes(place: Place) throws {
        let world = try world(place)
        for family in place.way.families { #expect(try !arrives(world, family, false), "\(family), without a route") }
        try world.route(Self.prefixes.filter { place.way.families.contains($0.family) })
        for family in place.way.families {
            #expect(try arrives(world, family, true), "\(family)")
            #expect(try !returns(world, family, false), "\(family), from an address that isn't its own")
        }
        try world.bind(pairs: Self.prefixes)
        for family in place.way.families { #expect(try returns(world, family, true), "\(family)") }
        // Its groups judge what passes there, as they judge all that it receives.
        try world.router.host.apply { try $0.put("router", .out("all"), .in("one", .udp, 7001...7001)) }
        try world.bind(["router"], pairs: Self.prefixes)
        for family in place.way.families {
            #expect(try arrives(world, family, port: 7001, true), "\(family)")
            #expect(try !arrives(world, family, port: 7002, false), "\(family)")
        }
        try world.route([])
        for family in place.way.families { #expect(try !arrives(world, family, port: 7001, false), "\(family), without a route again") }
    }

    @Test(
        "leaves a hole that nothing else fills when it goes, and gets it all again when it comes",
        arguments: Place.all.filter { !$0.way.isolated })
    func barrier(place: Place) throws {
        let world = try world(place)
        let (host, text) = (world.hosts[0], "to whom it may concern")
        try host.outside.run("ip", "route", "add", "default", "via", "192.0.2.9", "dev", "uplink")
        try host.outside.run("ip", "neigh", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "uplink")
        let sender = try UDP(in: world.web.namespace, at: world.web.address(.v4))
        /// Whether what is for there goes out by the host's own default route.
        func escapes() throws -> Bool {
            let wire = try RawLink(in: world.lab.underlay, interface: "port1")
            try sender.send(text, to: Self.behind[0], port: 7000)
            try sender.send("the last", to: "203.0.113.1", port: 7000)
            var seen = false
            _ = wire.receive(within: .seconds(5)) { frame in
                seen = seen || (frame.contains(text) && frame.contains([198, 51, 100, 7]))
                return frame.contains("the last")
            }
            return seen
        }
        #expect(try escapes(), "without a route")
        try world.route([Self.prefixes[0]])
        #expect(try arrives(world, .v4, true))
        let router: IntentID = place.isHere ? world.router.id.intent : world.router.neighbor().id.intent
        try host.apply { _ = try $0.remove(router) }
        #expect(try !escapes())
        #expect(host.desired.intents.unmet(for: "blue", over: host.underlay) { _ in nil }.count == 1)
        if place.isHere {
            try host.apply { try $0.put(world.router.intent(["open"])) }
        } else {
            try host.apply { try $0.put(world.router.neighbor()) }
        }
        #expect(try arrives(world, .v4, true))
    }

    @Test("is on the way that an explanation says, and that the kernel takes", arguments: Place.all)
    func explained(place: Place) throws {
        let world = try world(place)
        try world.route(Self.prefixes.filter { place.way.families.contains($0.family) } + [Prefix("203.0.113.0/24")])
        try world.hosts[0].apply { intents in
            // One that is never there.
            var network = try #require(intents.networks["blue"])
            network.subnets[0].routes.append(SubnetRoute(Prefix("192.0.2.128/25"), through: IPAddress("10.1.0.99")))
            try intents.put(network)
        }
        let host = world.hosts[0]
        let senders = place.isHere ? [world.web, world.router] : [world.web]
        for sender in senders {
            for address in Self.behind + ["203.0.113.9", "192.0.2.200", world.web.address(.v4), world.router.address(.v4), "10.1.0.77"] {
                let family: Family = address.contains(":") ? .v6 : .v4
                guard place.way.families.contains(family), !sender.addresses.contains(address) else { continue }
                var question = Question(pod: sender.id, direction: .egress, remote: IPAddress(address))
                question.hostRoute = try host.plane.route(to: question.remote)
                let route = try host.desired.explain(question).route
                let link = LinkName(of: sender.id).value
                let kernel = try? host.domain.json("ip", "-j", "route", "get", address, "from", sender.address(family), "iif", link).first
                // By what a next hop's host is reached is the host's own routing.
                let isFarHop = route.fabric == .routed && route.nextHop != nil
                if !isFarHop { #expect(route.device == kernel?["dev"] as? String, "\(sender.id) to \(address): \(route)") }
                let gateway = (route.gateway ?? route.nextHop)?.description
                let via = kernel?["via"] as? [String: Any]  // of the other family
                #expect(gateway == (kernel?["gateway"] ?? via?["host"]) as? String, "\(sender.id) to \(address): \(route)")
            }
        }
    }

    @Test(
        "is found on its way by a daemon that starts, which writes nothing; what somebody takes away is put back, and all goes at the end",
        arguments: Place.all)
    func restarts(place: Place) throws {
        let world = try world(place)
        let families = place.way.families
        try world.route(Self.prefixes.filter { families.contains($0.family) })
        let host = world.hosts[0]
        let there = try host.another().observe(expecting: host.desired.state)
        #expect(Plan(from: there, to: host.desired.state).steps.map(\.text) == [])
        let table = "\(RouteTable(of: host.desired.intents.networks["blue"]?.subnets[0].id ?? "", in: "blue").number)"
        for damage in [["ip", "route", "flush", "table", table], ["ip", "rule", "del", "priority", "\(TableRule.subnet)"]] {
            try host.domain.run(damage)
            #expect(try !host.repair().isEmpty, "\(damage)")
            try host.observe()
            #expect(try arrives(world, .v4, true))
        }
        // What others have of the kind stays.
        try host.domain.run("ip", "rule", "add", "from", "192.0.2.0/24", "lookup", "77", "priority", "100")
        #expect(try host.repair() == [])
        for pod in [world.web, world.router] where pod.host === host { try host.apply { _ = try $0.remove(pod.id.intent) } }
        for family in ["-4", "-6"] {
            let rules = try host.domain.json("ip", "-j", family, "rule", "show").compactMap { $0["priority"] as? Int }
            #expect(rules == (family == "-4" ? [0, 100, 32766, 32767] : [0, 32766]))
            let routes = try host.domain.json("ip", "-j", family, "route", "show", "table", "all", "proto", "\(Marks.routeProtocol)")
            #expect(routes.isEmpty, "\(routes)")
        }
    }

    @Test("may send from an allowed address that no route leads to, as any pod may", arguments: FabricLab.Way.all)
    func pairs(way: FabricLab.Way) throws {
        let world = try world(Place(way: way, isHere: true))
        try world.router.namespace.add(address: "10.1.0.200", length: 32, to: "lo")
        let receiver = try UDP(in: world.web.namespace, at: world.web.address(.v4), port: 7000)
        let sender = try UDP(in: world.router.namespace, at: "10.1.0.200")
        #expect(try !sender.reaches(receiver, at: world.web.address(.v4), within: .milliseconds(80)))
        try world.bind(pairs: [Prefix("10.1.0.200")])
        #expect(try sender.reaches(receiver, at: world.web.address(.v4), within: .seconds(5)))
    }

    @Test(
        "and every other knows its gateway by the MAC that the subnet says, and goes on when that changes", arguments: FabricLab.Way.tunnels
    )
    func gatewayMAC(way: FabricLab.Way) throws {
        let world = try world(Place(way: way, isHere: false))
        let mac = "02:aa:bb:cc:dd:ee"
        let parsed = try MAC(parsing: mac)
        for host in world.hosts {
            try host.apply { intents in
                try intents.put(world.lab.network { network in for place in 0...1 { network.subnets[place].gatewayMAC = parsed } })
            }
        }
        for family in way.families {
            let gateway = LabHost.gateways[family == .v4 ? 0 : 1]
            let entry = try world.web.namespace.json("ip", "-j", "neigh", "show", gateway).first
            #expect(entry?["lladdr"] as? String == mac)
        }
        let link = try world.hosts[0].domain.json("ip", "-j", "link", "show", LinkName(of: world.web.id).value).first
        #expect(link?["address"] as? String == mac)
        try expect(world.web, to: world.router, passes: true)
        try expect(world.router, to: world.web, passes: true)
    }
}

extension Frame {
    fileprivate func contains(_ bytes: [UInt8]) -> Bool {
        guard self.bytes.count >= bytes.count else { return false }
        return (0...(self.bytes.count - bytes.count)).contains { Array(self.bytes[$0..<($0 + bytes.count)]) == bytes }
    }
}
