import HostNetwork
import Lab
import OwnThreads
import Testing

@Suite("Counters", .ownThreads) struct PolicyCountersTests {
    /// A web server, and a client whose default group lets it begin everything.
    private func world() async throws -> (host: LabHost, web: LabPod, client: LabPod) {
        let host = try LabHost()
        try await host.apply { try $0.put("web", Self.http, Self.names) }
        return (host, try await host.pods("web-0", groups: ["web"])[0], try await host.pods("client-0")[0])
    }

    private static let http = Rule.in("http", .tcp, 80...80)
    /// Bytes of a packet of each family, headers included: IPv4 has 20 bytes, IPv6 40, TCP 20, UDP 8, and a trial's text 24.
    private static let tcp: UInt64 = 20 + 40 + 2 * (20 + 24)
    private static let udp: UInt64 = 20 + 40 + 2 * (8 + 24)
    private static let names = Rule.in("names", .udp, 53...53, .group("blue/default"))

    @Test("tell how many packets each rule let in, and how many bytes")
    func rules() async throws {
        let (host, web, client) = try await world()
        try expect(.from(client, to: web, pass: [.tcp(80, from: 5), .tcp(80, from: 6), .udp(53)], block: [.tcp(81), .udp(81)]))
        let counted = try host.counted(for: web)
        // Two families of each.
        #expect(counted["http"]?.packets == 4)
        #expect(counted["names"]?.packets == 2)
        #expect(counted["http"]?.bytes == 2 * Self.tcp)
        #expect(counted["names"]?.bytes == Self.udp)
    }

    @Test("tell what a pod was denied, of what it sent and of what was for it apart, and nothing of what passed")
    func denied() async throws {
        let (host, web, client) = try await world()
        try expect(
            .from(client, to: web, pass: [.tcp(80)], block: [.tcp(81), .tcp(82), .udp(81)]),
            .from(web, to: client, block: [.tcp(90), .udp(53)]))
        #expect(try host.denied(to: web, .in).packets == 6)
        #expect(try host.denied(to: web, .in).bytes == 2 * Self.tcp + Self.udp)
        #expect(try host.denied(to: web, .out).packets == 4)
        #expect(try host.denied(to: client, .in).packets == 0, "what didn't get that far")
        #expect(try host.denied(to: client, .out).packets == 0)
    }

    @Test("tell what a pod sent as somebody else")
    func spoofed() async throws {
        let (host, web, client) = try await world()
        var (forger, stranger) = (client.peer, client.peer)
        forger.mac = "02:00:00:00:00:01"
        stranger.addresses = ["10.1.0.99", "fd00:1::99"]
        try expect(
            .from(client, to: web, pass: [.tcp(80)]), .from(forger, to: web.peer, block: [.tcp(80)]),
            .from(stranger, to: web.peer, block: [.tcp(80)]))
        #expect(try host.denied(to: client, .out).packets == 4)
    }

    @Test("go on while rules, members and bindings beside them change")
    func changes() async throws {
        let (host, web, client) = try await world()
        let before: [Segment] = [.tcp(80, from: 5), .udp(53)]
        try expect(.from(client, to: web, pass: before, block: [.tcp(81)]))
        let first = (try host.counted(for: web), try host.denied(to: web, .in))
        #expect(first.0["http"]?.packets == 2 && first.0["names"]?.packets == 2 && first.1.packets == 2)

        try await host.apply { try $0.put("web", Self.http, Self.names, .in("ssh", .tcp, 22...22)) }
        try await host.apply { try $0.put("web", Self.names, .in("ssh", .tcp, 22...23), Self.http) }
        try await host.apply { try $0.put(Neighbor(id: "n", network: "blue", addresses: [IPAddress("10.1.0.70")], securityGroups: [])) }
        try await host.apply { try $0.put("more", .in("more", .tcp, 8080...8080)) }
        try await host.apply { try $0.put(web.intent(["web", "more"])) }
        try await host.apply { try $0.put(web.intent(["web"])) }
        _ = try await host.pods("another")
        let second = (try host.counted(for: web), try host.denied(to: web, .in))
        #expect(second.0["http"] == first.0["http"] && second.0["names"] == first.0["names"] && second.0["ssh"] == Counter())
        #expect(second.1 == first.1)

        // A rule that goes takes its count along, and comes back without it.
        try await host.apply { try $0.put("web", Self.names) }
        try await host.apply { try $0.put("web", Self.names, Self.http) }
        #expect(try host.counted(for: web)["http"] == Counter())
        #expect(try host.counted(for: web)["names"] == first.0["names"])
    }

    @Test("go on under a rule's new name, and a rule's new place")
    func renamed() async throws {
        let (host, web, client) = try await world()
        try expect(.from(client, to: web, pass: [.tcp(80), .udp(53)]))
        let plan = try await host.apply {
            try $0.put("web", .in("https-soon", .tcp, 80...80), .in("dns", .udp, 53...53, .group("blue/default")))
        }.plan
        #expect(plan.isEmpty, "nothing is taken away for a name's sake")
        try expect(.from(client, to: web, pass: [.tcp(80, from: 7)]))
        let counted = try host.counted(for: web)
        #expect(counted["https-soon"]?.packets == 4)
        #expect(counted["dns"]?.packets == 2)
        #expect(counted["http"] == nil && counted["names"] == nil)
    }

    @Test("are told of rules whose ids are as long as they may be")
    func longNames() async throws {
        let (host, web, client) = try await world()
        let name = String(repeating: "a", count: 253)
        try await host.apply { try $0.put("web", .in(name, .tcp, 80...80)) }
        try expect(.from(client, to: web, pass: [.tcp(80)]))
        #expect(try host.counted(for: web)[Entry.comment(name)]?.packets == 2)
    }
}
