import HostNetwork
import Kernel
import Lab
import SystemPackage
import OwnThreads
import Testing

@Suite("The kernel's links, when something is in the way,", .ownThreads) struct LinksRefusalTests {
    let place: LinksLab

    init() throws { place = try LinksLab() }

    @Test("leave a stranger with the name of a pod's alone, and name it")
    func nameIsTaken() throws {
        let pods = try place.pods(10...11)
        try place.host.run("ip", "link", "add", pods[0].name.value, "group", "7", "type", "veth")
        var table = try place.table()
        let refusals = table.apply(pods.attach)
        let first = try #require(refusals.first)
        #expect(first.errno == .fileExists)
        #expect(first.step == pods[0].attach[0])
        #expect(first.explanation.hasPrefix("\(pods[0].name) is taken by a link that isn't Hawser's: a veth link with index"))
        #expect(first.explanation.hasSuffix("group 7"))
        #expect(refusals.dropFirst().allSatisfy { $0.errno == .canceled && $0.explanation == "skipped: its link was refused" })
        #expect(refusals.count == pods[0].attach.count, "every step of the one, none of the other")
        #expect(try Set(table.observe(pods.places)) == [pods[1]].objects)

        #expect(table.apply([.remove(.link(pods[0].link()))]) == [], "it isn't Hawser's to take away")
        let stranger = try #require(try place.link(pods[0].name.value))
        #expect(stranger["group"] as? String == "7")
        #expect(stranger["ifalias"] == nil)
        #expect(stranger["altnames"] == nil)
    }

    @Test("leave a stranger alone that took a pair's place")
    func placeIsTaken() throws {
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        try place.host.run("ip", "link", "del", pod.name.value)
        try place.host.run("ip", "link", "add", pod.name.value, "type", "veth")
        let refusals = table.apply(pod.rest.map { .add($0) } + [.change(from: .link(pod.link()), to: .link(pod.link(mtu: 1300)))])
        #expect(refusals.count == pod.rest.count + 1)
        #expect(refusals.allSatisfy { $0.errno.rawValue == 19 && $0.explanation.contains("isn't Hawser's") }, "ENODEV")
        let stranger = try #require(try place.link(pod.name.value))
        #expect(stranger["mtu"] as? Int == 1500)
        #expect(try place.host.addresses(of: pod.name.value) == [])
        #expect(try table.observe([pod].places) == [])
    }

    @Test("say so when there is no namespace, and make the others")
    func namespaceIsMissing() throws {
        let pods = try place.pods(10...11)
        var missing = pods[0].link(isUp: false)
        missing.namespace = "/run/netns/not-there"
        var plain = pods[0].link(isUp: false)
        plain.namespace = "/etc/hostname"
        var table = try place.table()
        for (link, errno) in [(missing, Errno.noSuchFileOrDirectory), (plain, .invalidArgument)] {
            let refusals = table.apply([.add(.link(link))])
            #expect(refusals.map(\.errno) == [errno])
            #expect(refusals.allSatisfy { $0.explanation.hasPrefix("the pod's network namespace \(link.namespace) ") })
        }
        #expect(table.apply([.add(.link(missing))] + pods[1].attach).map(\.index) == [0])
        #expect(try Set(table.observe(pods.places)) == [pods[1]].objects)
    }

    @Test("don't make a pod of the host itself")
    func namespaceIsTheHosts() throws {
        let pod = try place.pod(10)
        var link = pod.link()
        link.namespace = place.host.path
        var table = try place.table()
        let refusals = table.apply([.add(.link(link))])
        #expect(refusals.map(\.explanation) == ["\(place.host.path) is the host's own network namespace, not a pod's"])
        #expect(try place.host.json("ip", "-j", "link", "show").count == 1, "nothing is left")
    }

    @Test("say so when the pod has an interface of that name already")
    func interfaceIsTaken() throws {
        let pod = try place.pod(10)
        try pod.namespace.run("ip", "link", "add", "eth0", "type", "veth")
        var table = try place.table()
        let refusals = table.apply([.add(.link(pod.link()))])
        #expect(refusals.map(\.errno) == [.fileExists])
        #expect(refusals.map(\.explanation) == ["\(pod.namespace.path) has an interface eth0 already"])
        #expect(try place.host.json("ip", "-j", "link", "show").count == 1, "nothing is left")
    }

    @Test("keep a route of somebody else's, and name it; one of Hawser's makes way")
    func routeIsTaken() throws {
        let pods = try place.pods(10...11)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        let there = try Set(table.observe(pods.places))
        let (ours, theirs) = (Prefix(pods[1].addresses[0]), try Prefix(parsing: "10.9.0.9/32"))
        try place.host.run("ip", "link", "add", "uplink", "up", "type", "veth")
        try place.host.run("ip", "route", "add", "10.9.0.9/32", "dev", "uplink", "proto", "static")
        let end = End(pods[0].name, .host)
        let refusals = table.apply([.add(.route(Route(end, to: theirs))), .add(.route(Route(end, to: ours)))])
        #expect(refusals.map(\.index) == [0])
        #expect(refusals.allSatisfy { $0.explanation.hasPrefix("10.9.0.9/32 has a route that isn't Hawser's: of protocol 4") })
        let moved = there.subtracting([.route(Route(End(pods[1].name, .host), to: ours))]).union([.route(Route(end, to: ours))])
        #expect(try Set(table.observe(pods.places)) == moved)

        #expect(table.apply([.remove(.route(Route(end, to: theirs)))]) == [])
        #expect(try place.host.json("ip", "-j", "route", "show", "10.9.0.9/32").map { $0["dev"] as? String } == ["uplink"])
    }

    @Test("tell what the pod itself did from what is Hawser's")
    func podsOwn() throws {
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        try pod.namespace.run("ip", "addr", "add", "192.0.2.1/32", "dev", "eth0")
        try pod.namespace.run("ip", "route", "add", "198.51.100.0/24", "dev", "eth0")
        try pod.namespace.run("ip", "neigh", "add", "192.0.2.2", "lladdr", "02:00:00:00:00:02", "dev", "eth0", "nud", "permanent")
        #expect(try Set(table.observe([pod].places)) == [pod].objects)
    }

    @Test("tell nothing of what is inside of a pod that has more than it should, and all of the others")
    func tooMany() throws {
        let pods = try place.pods(10...11)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        let routes = "seq 0 9999 | awk '{ printf \"route add 198.18.%d.%d/32 dev eth0 proto 104\\n\", $1 / 256, $1 % 256 }' | ip -batch -"
        try pods[0].namespace.run("sh", "-c", routes)
        let inside = pods[0].rest.filter(\.isInside)
        let seen = try Set(table.observe(pods.places))
        #expect(table.untold.keys.map(\.self) == [pods[0].name] && table.untold.values.allSatisfy(\.isTooMuch))
        #expect(seen.contains(.link(pods[0].link())) && seen.isSuperset(of: Set(pods[0].objects).subtracting(inside)))
        #expect(seen.isSuperset(of: pods[1].objects))
        // What bears the mark elsewhere, or isn't a way out, isn't looked at.
        let elsewhere = "ip link add own up type veth; ip route flush proto 104 root 198.18.0.0/15; "
        try pods[0].namespace.run("sh", "-c", elsewhere + routes.replacing("eth0", with: "own"))
        #expect(try Set(table.observe(pods.places)) == pods.objects && table.untold.isEmpty)
    }

    @Test("show what the pod broke, and can be mended")
    func isMended() throws {
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        try pod.namespace.run("ip", "link", "set", "eth0", "down", "mtu", "1280")
        let broken = try Set(table.observe([pod].places))
        var link = pod.link(isUp: false)
        link.mtu = 0  // The ends differ.
        #expect(broken.contains(.link(link)))
        let missing = pod.rest.filter { !broken.contains($0) }
        #expect(!missing.isEmpty, "a side that goes down loses routes")
        #expect(table.apply([.change(from: .link(link), to: .link(pod.link()))] + missing.map { .add($0) }) == [])
        #expect(try Set(table.observe([pod].places)) == [pod].objects)
    }

    @Test("aren't fooled by another namespace at the same path")
    func namespaceIsAnother() throws {
        let pod = try place.pod(10)
        var other = try place.pod(11)
        other.id = pod.id
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        // The same interface, in a namespace that the pair isn't in.
        try other.namespace.run("ip", "link", "add", "eth0", "type", "veth")
        let seen = try table.observe([other].places)
        let links = seen.compactMap { if case .link(let link) = $0 { link } else { nil } }
        #expect(links.map(\.namespace) == [""])
        #expect(links.map(\.interface) == [""])
        #expect(links.map(\.pod) == [ID(pod.id)])
        let refusals = table.apply([.add(.address(InterfaceAddress(End(pod.name, .pod), other.addresses[0])))])
        #expect(refusals.count == 1)
        #expect(try other.namespace.addresses(of: "eth0") == [])
    }

    @Test("take steps a second time without a word, but for the pair, which is there")
    func again() throws {
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        #expect(table.apply(pod.rest.map { .add($0) }) == [])
        let refusals = table.apply([.add(.link(pod.link()))])
        #expect(refusals.map(\.errno) == [.fileExists])
        #expect(refusals.allSatisfy { $0.explanation.hasPrefix("\(pod.name) is there already, made by Hawser: ") })
        #expect(try Set(table.observe([pod].places)) == [pod].objects)
    }

    @Test("are found by one who remembers nothing")
    func isAdopted() throws {
        let pods = try place.pods(10...13)
        do {
            var table = try place.table()
            #expect(table.apply(pods.attach) == [])
        }
        var table = try place.table()
        #expect(try Set(table.observe(pods.places)) == pods.objects)
        #expect(try Set(table.observe(pods.places, only: [pods[2].name])) == [pods[2]].objects)
        #expect(table.apply(pods.flatMap { $0.rest.reversed().map { .remove($0) } }) == [], "it knows where pod sides are, from observing")
        #expect(try Set(table.observe(pods.places)) == Set(pods.map { .link($0.link()) }))
    }
}

extension LinkObject {
    fileprivate var isInside: Bool {
        switch self {
        case .address(let address): address.end.side == .pod
        case .route(let route): route.side == .pod
        case .neighbor(let neighbor): neighbor.end.side == .pod
        case .link, .tunnel, .forwarding, .tableRule: false
        }
    }
}
