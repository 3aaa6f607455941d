import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("What leads to pods on other hosts", .ownThreads) struct FabricChangeTests {
    private func host(_ number: Int, in lab: FabricLab) throws -> FabricHost {
        let host = try lab.host(number)
        try host.apply { try $0.put("open", .in("all"), .out("all")) }
        return host
    }

    /// The routes to an address, as `ip` has them.
    private func routes(to address: String, on host: FabricHost) throws -> [[String: Any]] {
        try host.domain.json("ip", "-j", address.contains(":") ? "-6" : "-4", "route", "show", "exact", address)
    }

    @Test("follows a pod that moves from one to another of them", arguments: FabricLab.Way.all)
    func moves(way: FabricLab.Way) throws {
        let lab = try FabricLab(way)
        let hosts = try (1...3).map { try host($0, in: lab) }
        let web = try hosts[0].pod("web", 10, ["open"])
        let before = try hosts[1].pod("db", 20, ["open"])
        try hosts[0].apply { try $0.put(before.neighbor()) }
        for other in hosts.dropFirst() { try other.apply { try $0.put(web.neighbor()) } }
        try expect(web, to: before, passes: true)

        let after = try hosts[2].pod("db", 20, ["open"])
        try expect(web, to: before, passes: true)
        try expect(web, to: after, passes: false)
        let plan = try hosts[0].apply { try $0.put(after.neighbor()) }
        // At no moment is there no way: what there was is replaced.
        #expect(!plan.steps.contains { $0.action == .remove && $0.object.isRoute }, "\(plan.steps.map(\.text))")
        try expect(web, to: after, passes: true)
        try expect(web, to: before, passes: false)
    }

    @Test("follows it under traffic: every packet arrives once, first there and then here", arguments: FabricLab.Way.all)
    func movesUnderTraffic(way: FabricLab.Way) throws {
        let lab = try FabricLab(way)
        let hosts = try (1...3).map { try host($0, in: lab) }
        let web = try hosts[0].pod("web", 10, ["open"])
        let (before, after) = (try hosts[1].pod("db", 20, ["open"]), try hosts[2].pod("db", 20, ["open"]))
        for other in hosts.dropFirst() { try other.apply { try $0.put(web.neighbor()) } }
        for family in way.families {
            try hosts[0].apply { try $0.put(before.neighbor()) }
            let sender = try UDP(in: web.namespace, at: web.address(family))
            let there = try UDP(in: before.namespace, at: before.address(family))
            let here = try UDP(in: after.namespace, at: after.address(family), port: there.port)
            #expect(try sender.reaches(there, at: before.address(family), within: .seconds(5)))
            let flood = try Flood(from: sender, to: there, at: before.address(family), every: .milliseconds(10))
            flood.wait(for: 20)
            try hosts[0].apply { try $0.put(after.neighbor()) }
            flood.wait(for: 20)
            let report = flood.stop()
            var numbers: [Int] = []
            while let datagram = here.receive(within: .milliseconds(50)) { numbers.append(Int(datagram.text.filter(\.isNumber)) ?? -1) }
            let first = Set(0..<report.sent).subtracting(report.lost)
            #expect(Set(report.lost) == Set(numbers), "\(family): what didn't come to the one came to the other")
            #expect(report.duplicated == 0 && numbers.count == Set(numbers).count, "\(family)")
            let (last, next) = (try #require(first.max()), try #require(numbers.min()))
            #expect(last < next, "\(family): at no moment both")
        }
    }

    @Test("follows a pod that moves with all that it has, and its connections last", arguments: FabricLab.Way.all)
    func connection(way: FabricLab.Way) throws {
        for family in way.families {
            let lab = try FabricLab(way)
            let hosts = try (1...3).map { try host($0, in: lab) }
            let web = try hosts[0].pod("web", 10, ["open"])
            let db = try hosts[1].pod("db", 20, ["open"])
            try hosts[0].apply { try $0.put(db.neighbor()) }
            for other in hosts.dropFirst() { try other.apply { try $0.put(web.neighbor()) } }
            let listener = try TCPListener(in: db.namespace, at: db.address(family))
            let client = try #require(
                try TCP.connect(from: web.namespace, to: db.address(family), port: listener.port, within: .seconds(5)))
            let server = try #require(listener.accept(within: .seconds(5)))
            let conversation = Conversation(between: client, and: server, every: .milliseconds(5))
            #expect(conversation.wait(for: 20, within: .seconds(20)))
            // Its namespace stands for the machine's memory: the sockets go along.
            try hosts[1].apply { _ = try $0.remove(db.id.intent) }
            let moved = FabricPod(id: db.id, network: db.network, number: db.number, namespace: db.namespace, host: hosts[2])
            try hosts[2].apply { try $0.put(moved.intent(["open"])) }
            try hosts[0].apply { try $0.put(moved.neighbor()) }
            #expect(conversation.wait(for: 50, within: .seconds(30)), "\(family)")
            let (asked, answered) = conversation.stop(waiting: .seconds(20))
            #expect(asked.missing == 0 && answered.missing == 0, "\(family)")
        }
    }

    @Test("is there again when a host was gone for a while, without anything done", arguments: FabricLab.Way.all)
    func disappears(way: FabricLab.Way) throws {
        let lab = try FabricLab(way)
        let hosts = try (1...2).map { try host($0, in: lab) }
        let (web, db) = (try hosts[0].pod("web", 10, ["open"]), try hosts[1].pod("db", 20, ["open"]))
        try hosts[0].apply { try $0.put(db.neighbor()) }
        try hosts[1].apply { try $0.put(web.neighbor()) }
        try expect(web, to: db, passes: true)
        try lab.underlay.run("ip", "link", "set", "port2", "down")
        try expect(web, to: db, passes: false)
        try expect(db, to: web, passes: false)
        try lab.underlay.run("ip", "link", "set", "port2", "up")
        for family in way.families {
            for (sender, receiver) in [(web, db), (db, web)] {
                let client = try UDP(in: sender.namespace, at: sender.address(family))
                let server = try UDP(in: receiver.namespace, at: receiver.address(family), port: 7000)
                // The hosts look for each other again, which takes them a moment.
                let isBack = try (0..<40).contains { _ in
                    try client.reaches(server, at: receiver.address(family), within: .milliseconds(500))
                }
                #expect(isBack, "\(sender.id) to \(receiver.id), \(family)")
            }
        }
    }

    @Test("makes way for a pod that comes here, and is there again when it goes", arguments: FabricLab.Way.all)
    func migrates(way: FabricLab.Way) throws {
        let lab = try FabricLab(way)
        let hosts = try (1...2).map { try host($0, in: lab) }
        let web = try hosts[0].pod("web", 10, ["open"])
        let far = try hosts[1].pod("db", 20, ["open"])
        try hosts[1].apply { try $0.put(web.neighbor()) }
        try hosts[0].apply { try $0.put(far.neighbor()) }
        try expect(web, to: far, passes: true)

        // The neighbor stands still.
        let here = try hosts[0].pod("db", 20, ["open"])
        for address in way.families.map(here.address) {
            let there = try routes(to: address, on: hosts[0])
            #expect(there.map { $0["dev"] as? String } == [LinkName(of: here.id).value], "\(address)")
        }
        try expect(web, to: here, passes: true)
        try expect(web, to: far, passes: false)
        // It comes as one replacement, and goes with the pod.
        try hosts[0].apply { _ = try $0.remove(here.id.intent) }
        try expect(web, to: far, passes: true)
        let plan = try hosts[0].apply { try $0.put(here.intent(["open"])) }
        let ways = Set(way.families.map { Object.Key.route(.host, nil, Prefix(IPAddress(here.address($0)))) })
        let steps = plan.steps.filter { ways.contains($0.object.key) }
        #expect(steps.count == ways.count && steps.allSatisfy { if case .change = $0.action { true } else { false } })
    }

    @Test("is found by a daemon that starts, which writes nothing", arguments: FabricLab.Way.all)
    func restarts(way: FabricLab.Way) throws {
        let lab = try FabricLab(way)
        let hosts = try (1...2).map { try host($0, in: lab) }
        let web = try hosts[0].pod("web", 10, ["open"])
        let db = try hosts[1].pod("db", 20, ["open"])
        try hosts[0].apply { try $0.put(db.neighbor()) }
        try hosts[1].apply { try $0.put(web.neighbor()) }
        let there = try hosts[0].another().observe(expecting: hosts[0].desired.state)
        #expect(there == hosts[0].desired.state)
        #expect(Plan(from: there, to: hosts[0].desired.state).isEmpty)
        try expect(web, to: db, passes: true)
    }

    @Test("is repaired when somebody takes a piece of it away, and what is Hawser's no more is swept", arguments: FabricLab.Way.all)
    func repairs(way: FabricLab.Way) throws {
        let lab = try FabricLab(way)
        let hosts = try (1...2).map { try host($0, in: lab) }
        let web = try hosts[0].pod("web", 10, ["open"])
        let db = try hosts[1].pod("db", 20, ["open"])
        try hosts[0].apply { try $0.put(db.neighbor()) }
        try hosts[1].apply { try $0.put(web.neighbor()) }
        let address = db.address(.v4)
        var damages: [[String]] = [["ip", "route", "del", address]]
        if way.fabric == .vxlan {
            let mac = MAC(ofHost: hosts[1].underlay.address).description
            damages += [
                ["ip", "link", "del", "hx4242"], ["ip", "link", "set", "hx4242", "down"], ["ip", "link", "set", "hx4242", "mtu", "1300"],
                ["ip", "neigh", "del", address, "dev", "hx4242"], ["bridge", "fdb", "del", mac, "dev", "hx4242"],
                ["ip", "link", "set", "hx4242", "type", "vxlan", "learning"],
            ]
        }
        for damage in damages {
            try hosts[0].domain.run(damage)
            #expect(try !hosts[0].repair().isEmpty, "\(damage)")
            try hosts[0].observe()
            try expect(web, to: db, passes: true)
        }
        // What somebody left behind under Hawser's mark.
        try hosts[0].domain.run(
            "ip", "route", "add", "10.1.0.99", "via", way.isolated ? "10.1.0.10" : "192.0.2.9", "proto", "\(Marks.routeProtocol)",
            "dev", way.isolated ? web.id.hostSide : "uplink", "onlink")
        #expect(try hosts[0].repair().count == 1)
        #expect(try routes(to: "10.1.0.99", on: hosts[0]).isEmpty)
    }

    @Test("is gone when the last pod of the network goes, with its tunnels, and comes again with the next", arguments: FabricLab.Way.all)
    func ends(way: FabricLab.Way) throws {
        let lab = try FabricLab(way)
        let hosts = try (1...2).map { try host($0, in: lab) }
        let db = try hosts[1].pod("db", 20, ["open"])
        try hosts[0].apply { try $0.put(db.neighbor()) }
        func traces() throws -> [String] {
            let links = try hosts[0].domain.json("ip", "-j", "link", "show", "type", "vxlan").compactMap { $0["ifname"] as? String }
            let routes = try ["-4", "-6"].flatMap {
                try hosts[0].domain.json("ip", "-j", $0, "route", "show", "proto", "\(Marks.routeProtocol)")
            }
            return links + routes.compactMap { $0["dst"] as? String }
        }
        #expect(try traces() == [])
        let web = try hosts[0].pod("web", 10, ["open"])
        #expect(try traces().count == (way.fabric == .vxlan ? 1 : 0) + way.families.count + 2)
        try hosts[0].apply { _ = try $0.remove(web.id.intent) }
        #expect(try traces() == [])
    }

    @Test("is in the way of no other: a name that is taken is refused, and pods of this host reach each other nevertheless")
    func occupied() throws {
        let lab = try FabricLab(FabricLab.Way(fabric: .vxlan, underlay: .v4))
        let host = try host(1, in: lab)
        try host.domain.run("ip", "link", "add", "hx4242", "type", "bridge")
        let names = ["web", "db"]
        let spaces = try names.map { try lab.lab.namespace("1-\($0)") }
        let pods = zip(names, spaces).enumerated().map { index, item in
            FabricPod(id: ID(item.0), network: "blue", number: UInt8(10 + index), namespace: item.1, host: host)
        }
        let outcome = try host.carryOut { for pod in pods { try $0.put(pod.intent(["open"])) } }
        #expect(outcome.applied.refusals.map(\.because) == [IntentID(.network, "blue")])
        #expect(outcome.applied.refusals.first?.explanation.contains("hx4242 is taken by a link that isn't Hawser's") == true)
        try expect(pods[0], to: pods[1], passes: true)
        try host.domain.run("ip", "link", "del", "hx4242")
        #expect(try host.repair().count == 1)
    }

    @Test("takes a handful of messages for each of ten thousand, and one of them costs what one alone costs")
    func scale() throws {
        let lab = try FabricLab(FabricLab.Way(fabric: .vxlan, underlay: .v4, isolated: true))
        let host = try host(1, in: lab)
        try host.apply { intents in
            try intents.put(lab.network { $0.subnets = [Subnet(id: "wide", cidr: Prefix("10.0.0.0/8"), gateway: IPAddress("10.1.0.1"))] })
        }
        let namespace = try lab.lab.namespace("1-web")
        let addresses = [IPAddress("10.1.0.10")]
        try host.apply {
            try $0.put(Pod(id: "web", network: "blue", namespace: namespace.path, addresses: addresses, securityGroups: ["open"]))
        }
        func neighbor(_ number: Int, host: Int) -> Neighbor {
            Neighbor(
                id: ID("n-\(number)"), network: "blue", addresses: [.v4(0x0a02_0000 + UInt32(number))],
                host: .v4(0xc612_0000 + UInt32(host)))
        }
        let clock = ContinuousClock()
        let start = clock.now
        let plan = try host.carryOut { intents in for number in 1...10_000 { try intents.put(neighbor(number, host: number % 100)) } }
        let time = clock.now - start
        #expect(plan.applied.refusals == [])
        #expect(plan.plan.steps.count == 20_100)
        print("10,000 neighbors of 100 hosts: \(time), in the kernel's hands \(plan.applied.kernel)")
        let watch = clock.now
        try host.observe()
        print("read back and compared: \(clock.now - watch)")
        #expect(try host.apply { try $0.put(neighbor(10_001, host: 1)) }.steps.count == 2)
        #expect(try host.apply { try $0.put(neighbor(10_001, host: 2)) }.steps.count == 1)
        #expect(try host.apply { _ = try $0.remove(neighbor(10_001, host: 2).id.intent) }.steps.count == 2)
    }

    @Test("goes by the host's own address: one that is said, or that of the default route")
    func underlay() throws {
        let lab = try FabricLab(FabricLab.Way(fabric: .vxlan, underlay: .v4))
        let host = try lab.host(7)
        func found(_ address: String?) throws -> Underlay? {
            try host.outside.inside {
                var table = try LinkTable()
                return try table.underlay(at: address.map { IPAddress($0) })
            }
        }
        try host.outside.run("ip", "link", "set", "uplink", "mtu", "1400")
        #expect(try found("192.0.2.7") == Underlay(address: IPAddress("192.0.2.7"), mtu: 1400))
        #expect(try found("2001:db8:ff::7") == Underlay(address: IPAddress("2001:db8:ff::7"), mtu: 1400))
        #expect(try found("192.0.2.8") == nil)
        #expect(try found(nil) == nil)
        try host.outside.run("ip", "-6", "route", "add", "default", "via", "2001:db8:ff::1")
        #expect(try found(nil)?.address == IPAddress("2001:db8:ff::7"))
        try host.outside.run("ip", "route", "add", "default", "via", "192.0.2.1")
        #expect(try found(nil) == Underlay(address: IPAddress("192.0.2.7"), mtu: 1400))
    }
}

extension Object {
    fileprivate var isRoute: Bool { if case .route = self { true } else { false } }
}

extension ID<Pod> {
    fileprivate var hostSide: String { LinkName(of: self).value }
}
