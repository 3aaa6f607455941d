import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("Pods on different hosts", .ownThreads) struct FabricTests {
    /// Two hosts with a pod each, open to everybody; neither knows of the other's yet.
    private func world(_ way: FabricLab.Way) throws -> (lab: FabricLab, web: FabricPod, db: FabricPod) {
        let lab = try FabricLab(way)
        let hosts = try (lab.host(1), lab.host(2))
        for host in [hosts.0, hosts.1] { try host.apply { try $0.put("open", .in("all"), .out("all")) } }
        return (lab, try hosts.0.pod("web", 10, ["open"]), try hosts.1.pod("db", 20, ["open"]))
    }

    private func introduce(_ one: FabricPod, _ other: FabricPod) throws {
        try one.host.apply { try $0.put(other.neighbor()) }
        try other.host.apply { try $0.put(one.neighbor()) }
    }

    @Test("reach each other while their hosts are told of them", arguments: FabricLab.Way.all)
    func reach(way: FabricLab.Way) throws {
        let (_, web, db) = try world(way)
        try expect(web, to: db, passes: false)
        try introduce(web, db)
        try expect(web, to: db, passes: true)
        try expect(db, to: web, passes: true)
        try web.host.apply { _ = try $0.remove(db.neighbor().id.intent) }
        try expect(web, to: db, passes: false)
    }

    @Test("reach each other by the tunnels of their subnets, each of which may have its own", arguments: FabricLab.Way.tunnels)
    func subnets(way: FabricLab.Way) throws {
        let (_, web, db) = try world(way)
        for host in [web.host, db.host] {
            try host.apply { intents in
                try intents.put(
                    host.lab.network {
                        $0.tunnelID = nil
                        $0.subnets[0].tunnelID = 100
                        $0.subnets[1].tunnelID = 16_777_215
                    })
            }
        }
        try introduce(web, db)
        try expect(web, to: db, passes: true)
        let names = try web.host.domain.json("ip", "-j", "link", "show", "type", "vxlan").compactMap { $0["ifname"] as? String }
        #expect(Set(names) == ["hx100", "hx16777215"])
    }

    @Test("are judged by the sender's groups on its host, and by the receiver's on its own", arguments: FabricLab.Way.all)
    func groups(way: FabricLab.Way) throws {
        let (_, web, db) = try world(way)
        for host in [web.host, db.host] {
            try host.apply {
                try $0.put("web", .out("to-db", .udp, 7000...7001), .in("nothing", .tcp, 1...1))
                try $0.put("db", .in("from-web", .udp, 7000...7000, .group("web")), .in("from-all", .udp, 7002...7002))
            }
        }
        try web.host.apply { try $0.put(web.intent(["web"])) }
        try db.host.apply { try $0.put(db.intent(["db"])) }
        try web.host.apply { try $0.put(db.neighbor(["db"])) }
        try db.host.apply { try $0.put(web.neighbor(["web"])) }
        try expect(web, to: db, port: 7000, passes: true)
        // Its own group lets it, the other's doesn't.
        try expect(web, to: db, port: 7001, passes: false)
        // The other way round.
        try expect(web, to: db, port: 7002, passes: false)
        try expect(db, to: web, port: 7000, passes: false)
        // A member no more.
        try db.host.apply { try $0.put(web.neighbor([])) }
        try expect(web, to: db, port: 7000, passes: false)
        try db.host.apply { try $0.put(web.neighbor(["web"])) }
        try expect(web, to: db, port: 7000, passes: true)
    }

    @Test("send the largest packet that fits, and are told of one that doesn't", arguments: FabricLab.Way.all)
    func edges(way: FabricLab.Way) throws {
        let (_, web, db) = try world(way)
        try introduce(web, db)
        #expect(web.host.desired.mtu(of: web.intent()) == way.mtu)
        // As a guest does that was told of 1500 bytes.
        try web.host.apply { try $0.put(web.intent(["open"], mtu: 1500)) }
        for family in way.families {
            let link = try RawLink(in: web.namespace, interface: "eth0")
            let sockets = try (UDP(in: web.namespace, at: web.address(family)), UDP(in: db.namespace, at: db.address(family), port: 53))
            /// Sends a packet of that many bytes, which mustn't be divided; whether it arrives.
            func arrives(_ size: Int, within time: Duration) throws -> Bool {
                let text = String(repeating: "x", count: size - (family == .v4 ? 28 : 48))
                try sockets.0.send(text, to: db.address(family), port: 53)
                return sockets.1.receive(within: time)?.text == text
            }
            #expect(try arrives(way.mtu, within: .seconds(5)), "\(family) of \(way.mtu) bytes")
            guard way.fabric == .vxlan else { continue }
            #expect(try !arrives(way.mtu + 1, within: .milliseconds(80)), "\(family) of \(way.mtu + 1) bytes")
            let told = link.receive(within: .seconds(2)) { family == .v4 ? $0.icmp(at: 20) == [3, 4] : $0.icmp(at: 40) == [2, 0] }
            let size = told.map { family == .v4 ? $0.payload[26...27] : $0.payload[46...47] }.map { $0.reduce(0) { $0 << 8 | Int($1) } }
            #expect(size == way.mtu, "\(family): what the pod is told")
        }
    }

    @Test("hear from the other host that a packet is too big for the pod there", arguments: FabricLab.Way.all)
    func tooBigThere(way: FabricLab.Way) throws {
        let (_, web, db) = try world(way)
        try introduce(web, db)
        try db.host.apply { try $0.put(db.intent(["open"], mtu: 1300)) }
        for family in way.families {
            let link = try RawLink(in: web.namespace, interface: "eth0")
            let sockets = try (UDP(in: web.namespace, at: web.address(family)), UDP(in: db.namespace, at: db.address(family), port: 53))
            let text = String(repeating: "x", count: 1350)
            try sockets.0.send(text, to: db.address(family), port: 53)
            let told = link.receive(within: .seconds(2)) { family == .v4 ? $0.icmp(at: 20) == [3, 4] : $0.icmp(at: 40) == [2, 0] }
            #expect(told != nil, "\(family)")
            try sockets.0.send(text, to: db.address(family), port: 53)
            #expect(sockets.1.receive(within: .seconds(2))?.text == text, "\(family), in smaller ones")
        }
    }

    @Test("of two networks with the same addresses never meet", arguments: FabricLab.Way.tunnels.filter(\.isolated))
    func overlap(way: FabricLab.Way) throws {
        let (_, web, db) = try world(way)
        try introduce(web, db)
        let red = try (
            FabricHost(another: "red", tunnel: 4243, on: web.host), FabricHost(another: "red", tunnel: 4243, on: db.host)
        )
        for host in [red.0, red.1] {
            try host.apply { try $0.put(SecurityGroup(id: "open", network: "red", rules: [.in("all"), .out("all")])) }
        }
        let (redWeb, redDB) = (try red.0.pod("web", 10, ["open"]), try red.1.pod("db", 20, ["open"]))
        try introduce(redWeb, redDB)
        try expect(web, to: db, passes: true)
        try expect(redWeb, to: redDB, passes: true)
        // Each has listened at the same address and port all the while.
        for family in way.families {
            let sender = try UDP(in: web.namespace, at: web.address(family))
            let receivers = try [db, redDB].map { try UDP(in: $0.namespace, at: $0.address(family), port: 7000) }
            #expect(try sender.reaches(receivers[0], at: db.address(family), within: .seconds(5)))
            #expect(receivers[1].receive(within: .milliseconds(80)) == nil)
        }
        try web.host.apply { try $0.put("open", .in("all")) }
        try expect(web, to: db, passes: false)
        try expect(redWeb, to: redDB, passes: true)
    }

    @Test("are reached by the way that an explanation says, and that the kernel takes", arguments: FabricLab.Way.all)
    func explained(way: FabricLab.Way) throws {
        let (_, web, db) = try world(way)
        try introduce(web, db)
        let here = try web.host.pod("here", 30, ["open"])
        for family in way.families {
            let strangers = family == .v4 ? ["10.1.0.99", "198.51.100.1"] : ["fd00:1::99", "2001:db8:99::1"]
            for address in [db.address(family), here.address(family)] + strangers {
                var question = Question(pod: web.id, direction: .egress, remote: IPAddress(address))
                question.hostRoute = try web.host.plane.route(to: question.remote)
                let route = try web.host.desired.explain(question).route
                // As the kernel would forward what comes from the pod.
                let link = LinkName(of: web.id).value
                let kernel = try? web.host.domain.json("ip", "-j", "route", "get", address, "from", web.address(family), "iif", link).first
                #expect(route.device == kernel?["dev"] as? String, "\(address): \(route)")
                let via = kernel?["via"] as? [String: Any]  // of the other family
                #expect(route.gateway?.description == (kernel?["gateway"] ?? via?["host"]) as? String, "\(address): \(route)")
                switch address {
                case db.address(family):
                    #expect(route.end == .neighbor(db.neighbor().id, at: FabricHost.address(2, way.underlay)))
                    #expect(route.fabric == way.fabric && route.tunnel?.value == (way.fabric == .vxlan ? 4242 : nil))
                case here.address(family): #expect(route.end == .pod("here"))
                default: #expect(route.end == .nowhere, "\(route)")
                }
            }
        }
    }

    @Test("are told apart from what can't be reached, with the reason")
    func unreachable() throws {
        let way = FabricLab.Way(fabric: .routed, underlay: .v4)
        let (lab, web, db) = try world(way)
        var neighbor = db.neighbor()
        neighbor.addresses = db.addresses.map { IPAddress($0) }
        try web.host.apply { try $0.put(neighbor) }
        #expect(
            web.host.desired.unmet(for: neighbor.id) == ["an IPv6 address of its host, for fd00:1::14 can't be routed through 192.0.2.2"])
        try expect(web, to: db, [.v6], passes: false)
        // The way back is routed, too.
        try db.host.apply { try $0.put(web.neighbor()) }
        try expect(web, to: db, [.v4], passes: true)
        _ = lab
    }
}
