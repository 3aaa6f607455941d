import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("A pod's interface", .ownThreads) struct LinksTests {
    let place: LinksLab

    init() throws { place = try LinksLab() }

    @Test("is exactly what was asked for, and carries packets in both families")
    func isMade() throws {
        let pods = try place.pods(10...11)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        #expect(try Set(table.observe(pods.places)) == pods.objects)
        for (from, to) in zip(pods[0].texts + pods[0].texts, pods[1].texts + ["10.1.0.1", "fd00:1::1"]) {
            #expect(try Echo(in: pods[0].namespace, at: from).reaches(to, within: .seconds(2)), "from \(from) to \(to)")
        }
    }

    @Test("says to everybody whose it is, and how it is treated")
    func isMarked() throws {
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        let link = try #require(try place.link(pod.name.value))
        #expect(link["group"] as? String == "\(Marks.linkGroup)")
        #expect(link["ifalias"] as? String == "web-10")
        #expect(link["altnames"] as? [String] == ["pod-web-10"])
        #expect(link["mtu"] as? Int == 1450)
        #expect(link["address"] as? String == Marks.hostMAC.description)
        #expect(link["inet6_addr_gen_mode"] as? String == "none")
        let routes = try place.host.json("ip", "-j", "route", "show", "proto", "\(Marks.routeProtocol)")
        #expect(routes.map { $0["dst"] as? String } == [pod.ipv4])
        let neighbors = try place.host.json("ip", "-j", "neigh", "show", "nud", "permanent", "dev", pod.name.value)
        #expect(Set(neighbors.compactMap { $0["dst"] as? String }) == Set(pod.texts))
        #expect(neighbors.allSatisfy { $0["lladdr"] as? String == pod.mac.description })
        for (setting, value) in [("forwarding", "1"), ("rp_filter", "1"), ("send_redirects", "0"), ("accept_redirects", "0")] {
            #expect(try place.host.inside { try Setting("ipv4/conf/\(pod.name)/\(setting)").read() } == value, "\(setting)")
        }
    }

    @Test(
        "takes no router's advertisement at the host's side, whatever new interfaces begin with"
    )
    func isNoUplink() throws {
        let setting = { (name: String) in Setting("ipv6/conf/\(name)/accept_ra") }
        try place.host.inside { try setting("default").write("2") }
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        #expect(try place.host.inside { try setting(pod.name.value).read() } == "0")
        // Others do as they are told.
        try place.host.run("ip", "link", "add", "stranger", "type", "veth")
        #expect(try place.host.inside { try setting("stranger").read() } == "2")

        let (up, down) = (LinkObject.link(pod.link()), LinkObject.link(pod.link(isUp: false)))
        #expect(table.apply([.change(from: up, to: down)]) == [])
        try place.host.inside { try setting(pod.name.value).write("1") }
        #expect(table.apply([.change(from: down, to: up)]) == [])
        #expect(try place.host.inside { try setting(pod.name.value).read() } == "0")
    }

    @Test("is quiet inside the pod: one default route per family, no router listened to, nothing asked for")
    func isQuiet() throws {
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        for setting in ["accept_ra", "accept_dad"] {
            #expect(try pod.namespace.inside { try Setting("ipv6/conf/eth0/\(setting)").read() } == "0", "\(setting)")
        }
        #expect(try Set(pod.namespace.addresses(of: "eth0")) == Set(pod.texts))
        let kinds = try pod.namespace.json("ip", "-j", "addr", "show", "dev", "eth0", "scope", "global")
            .flatMap { $0["addr_info"] as? [[String: Any]] ?? [] }
        #expect(Set(kinds.compactMap { $0["prefixlen"] as? Int }) == [32, 128])
        #expect(kinds.allSatisfy { $0["tentative"] == nil })
        for family in ["-4", "-6"] {
            let routes = try pod.namespace.json("ip", family, "-j", "route", "show", "default")
            #expect(routes.count == 1)
            #expect(routes.allSatisfy { ($0["flags"] as? [String])?.contains("onlink") == true })
        }
        #expect(try pod.namespace.json("ip", "-j", "link", "show", "up").count == 2, "loopback and eth0")
    }

    @Test("has no alternative name where the pod's id isn't a legal one")
    func hasLegalNames() throws {
        var pod = try place.pod(10)
        pod.id = "default/web-10"
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        let link = try #require(try place.link(pod.name.value))
        #expect(link["ifalias"] as? String == "default/web-10")
        #expect(link["altnames"] == nil)
        #expect(try Set(table.observe([pod].places)) == [pod].objects)
    }

    @Test("becomes what is asked for later, both ends of it", arguments: [true, false])
    func changes(isUp: Bool) throws {
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply([.add(.link(pod.link(isUp: isUp)))]) == [])
        var other = pod.link(isUp: !isUp, mtu: 1400)
        other.mac = MAC(0x0200_0000_0099)
        other.hostMAC = MAC(0x0200_0000_0098)
        other.reversePath = .loose
        #expect(try table.observe([pod].places) == [.link(pod.link(isUp: isUp))])
        #expect(table.apply([.change(from: .link(pod.link(isUp: isUp)), to: .link(other))]) == [])
        #expect(try table.observe([pod].places) == [.link(other)])
        let inside = try pod.namespace.json("ip", "-j", "link", "show", "eth0")
        #expect(inside.map { $0["mtu"] as? Int } == [1400])
        #expect(inside.map { $0["address"] as? String } == ["02:00:00:00:00:99"])
    }

    @Test("loses one thing without losing another")
    func losesParts() throws {
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        for object in pod.rest.reversed() {
            let before = try Set(table.observe([pod].places))
            #expect(table.apply([.remove(object)]) == [])
            #expect(try Set(table.observe([pod].places)) == before.subtracting([object]))
            #expect(table.apply([.remove(object)]) == [], "what is gone already is gone")
        }
        #expect(try table.observe([pod].places) == [.link(pod.link())])
    }

    @Test("can have its neighbors and routes changed in place")
    func changesParts() throws {
        let pods = try place.pods(10...11)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        let (old, new) = (End(pods[0].name, .host), End(pods[1].name, .host))
        let prefix = Prefix(pods[0].addresses[0])
        let neighbor = NeighborEntry(old, pods[0].addresses[0], at: pods[0].mac)
        let moved = NeighborEntry(old, pods[0].addresses[0], at: pods[1].mac)
        let steps: [LinkStep] = [
            .change(from: .route(Route(old, to: prefix)), to: .route(Route(new, to: prefix))),
            .change(from: .neighbor(neighbor), to: .neighbor(moved)),
        ]
        #expect(table.apply(steps) == [])
        let expected = pods.objects.subtracting([.route(Route(old, to: prefix)), .neighbor(neighbor)])
        #expect(try Set(table.observe(pods.places)) == expected.union([.route(Route(new, to: prefix)), .neighbor(moved)]))
    }

    @Test("goes away with all that it has, alone or with others, and nothing else does", arguments: [1, 2, 20])
    func isRemoved(count: Int) throws {
        let pods = try place.pods(10...(9 + count))
        let stays = try place.pod(200)
        try place.host.run("ip", "link", "add", "stranger", "type", "veth")
        var table = try place.table()
        #expect(table.apply(pods.attach + stays.attach) == [])
        #expect(table.apply(pods.map { .remove(.link($0.link())) }) == [])
        #expect(try Set(table.observe((pods + [stays]).places)) == [stays].objects)
        #expect(try place.link("stranger") != nil)
        #expect(try pods[0].namespace.json("ip", "-j", "link", "show").count == 1, "loopback")
        #expect(table.apply(pods.map { .remove(.link($0.link())) }) == [], "what is gone already is gone")
    }

    @Test("is made anew in the place of an old one, in one go")
    func isReplaced() throws {
        let pod = try place.pod(10)
        var moved = pod
        moved.interface = "net0"
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        #expect(table.apply(pod.rest.reversed().map { .remove($0) } + [.remove(.link(pod.link()))] + moved.attach) == [])
        #expect(try Set(table.observe([moved].places)) == [moved].objects)
    }
}
