import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("What the host itself uses", .ownThreads) struct HostPlacesTests {
    let place: LinksLab

    init() throws { place = try LinksLab() }

    private func overlap(_ places: HostPlaces, _ prefix: String) throws -> String? {
        places.place(overlapping: try Prefix(parsing: prefix))?.description
    }

    @Test("is its addresses, the prefixes on its links and routes without a gateway; and nothing that Hawser made")
    func reads() throws {
        let host = place.host
        try host.run("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "other")
        for link in ["lo", "uplink", "other"] { try host.run("ip", "link", "set", link, "up") }
        try host.run("ip", "address", "add", "192.0.2.1/24", "dev", "uplink")
        try host.run("ip", "address", "add", "2001:db8::1/64", "dev", "uplink", "nodad")
        try host.run("ip", "address", "add", "198.51.100.9/32", "dev", "lo")
        try host.run("ip", "address", "add", "203.0.113.1", "peer", "203.0.113.2/32", "dev", "other")
        try host.run("ip", "address", "add", "100.64.0.1/16", "dev", "other", "noprefixroute")
        try host.run("ip", "route", "add", "172.16.0.0/24", "dev", "other")
        try host.run("ip", "route", "add", "172.17.0.0/24", "via", "192.0.2.9")
        try host.run("ip", "route", "add", "default", "dev", "other")
        try host.run("ip", "route", "add", "local", "172.18.0.0/24", "dev", "lo")
        let pods = try place.pods(10...11)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        let places = try #require(try HostPlacesWatch.begin(in: NetworkNamespace(at: host.path)).now)
        #expect(try overlap(places, "192.0.2.77") == "192.0.2.0/24, which is on the host's link uplink")
        #expect(try overlap(places, "2001:db8::77") == "2001:db8::/64, which is on the host's link uplink")
        #expect(try overlap(places, "198.51.100.0/24") == "198.51.100.9, the host's own (lo)")
        #expect(try overlap(places, "203.0.113.1") == "203.0.113.1, the host's own (other)")
        #expect(try overlap(places, "203.0.113.2") == "203.0.113.2, which is on the host's link other")
        #expect(try overlap(places, "172.16.0.7") == "172.16.0.0/24, which is on the host's link other")
        #expect(try overlap(places, "172.18.0.7") == "172.18.0.0/24, the host's own (lo)")
        #expect(try overlap(places, "100.64.0.1") == "100.64.0.1, the host's own (other)")
        // Behind a gateway, everywhere, of no link, link-local, loopback, Hawser's.
        for prefix in ["172.17.0.0/24", "9.9.9.9", "100.64.7.0/24", "fe80::/64", "127.0.0.1", "10.1.0.0/24", "fd00:1::/64"] {
            #expect(try overlap(places, prefix) == nil, "\(prefix)")
        }
    }

    @Test("is told again when it changes, and not for what Hawser does", .timeLimit(.minutes(60)))
    func changes() async throws {
        let host = place.host
        try host.run("ip", "link", "add", "uplink", "up", "type", "veth", "peer", "name", "other")
        try host.run("ip", "link", "set", "other", "up")
        let (now, changes) = try HostPlacesWatch.begin(in: NetworkNamespace(at: host.path))
        #expect(try overlap(try #require(now), "192.0.2.0/24") == nil)
        var next = changes.makeAsyncIterator()
        let pods = try place.pods(10...12)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        try host.run("ip", "address", "add", "192.0.2.1/24", "dev", "uplink")
        // The first that is told has the address: Hawser's own told nothing.
        #expect(try overlap(try #require(await next.next()), "192.0.2.0/24") != nil)
        try host.run("ip", "address", "del", "192.0.2.1/24", "dev", "uplink")
        var last = try #require(await next.next())
        while try overlap(last, "192.0.2.0/24") != nil { last = try #require(await next.next()) }
        try host.run("ip", "route", "add", "172.16.0.0/24", "dev", "uplink")
        last = try #require(await next.next())
        while try overlap(last, "172.16.0.0/24") == nil { last = try #require(await next.next()) }
    }
}
