import HostNetwork
import Lab
import OwnThreads
import Testing

@Suite("A packet that tracking can place in no flow", .ownThreads) struct PolicyInvalidTests {
    /// A client that may begin everything, and a server of tcp and udp 53, both stateful unless told otherwise.
    private func world(_ setting: InvalidPackets, stateful: Bool = true) async throws -> (host: LabHost, client: LabPod, server: LabPod) {
        let host = try LabHost(layout: Layout(invalid: setting))
        try await host.apply {
            try $0.put("client", stateful: stateful, .out("out"))
            try $0.put(
                "server", stateful: stateful, .in("tcp", .tcp, 53...53), .in("udp", .udp, 53...53), .in("udplite", .udplite, 53...53))
        }
        return (host, try await host.pods("client", groups: ["client"])[0], try await host.pods("server", groups: ["server"])[0])
    }

    /// An answer to a connection that nobody asked for, and the end of one that there isn't: neither begins a flow.
    private func answer(to port: UInt16) -> Segment { Segment(.tcp(flags: 0x12), from: 40000, to: port) }
    private func reset(to port: UInt16) -> Segment { Segment(.tcp(flags: 0x04), from: 40001, to: port) }

    @Test("passes where a rule allows it and nowhere else, and is counted on its own, each way")
    func rules() async throws {
        let (host, client, server) = try await world(.rules)
        try expect(.from(client, to: server, pass: [answer(to: 53), reset(to: 53), .tcp(53)], block: [answer(to: 54), .tcp(54)]))
        // Of each family one; what a rule lets in or not is counted as invalid all the same, and not as denied.
        #expect(try host.invalid(of: client, .out)?.packets == 6)
        #expect(try host.invalid(of: server, .in)?.packets == 6)
        #expect(try host.denied(to: server, .in).packets == 2, "the one that began a flow")
        #expect(try host.denied(to: client, .out).packets == 0)
        try expect(.from(server, to: client, block: [reset(to: 53), .udp(53, from: 9)]))
        #expect(try host.invalid(of: server, .out)?.packets == 4, "the server's own resets, too: it knows of no such connection")
        #expect(try host.denied(to: server, .out).packets == 2)
        #expect(try host.invalid(of: client, .in)?.packets == 0, "what didn't get that far")
    }

    @Test("is dropped by the setting whatever the rules say, and what belongs to a flow or begins one isn't")
    func drops() async throws {
        let (host, client, server) = try await world(.drop)
        try expect(.from(client, to: server, pass: [.tcp(53), .udp(53)], block: [answer(to: 53), reset(to: 53), answer(to: 54)]))
        #expect(try host.invalid(of: client, .out)?.packets == 6)
        #expect(try host.invalid(of: server, .in)?.packets == 0)
        #expect(try host.denied(to: client, .out).packets == 0)
        for family in Family.allCases {
            let listener = try TCPListener(in: server.namespace, at: server.address(family), port: 53)
            let near = try #require(
                try TCP.connect(from: client.namespace, to: server.address(family), port: 53, within: .seconds(10)))
            let far = try #require(listener.accept(within: .seconds(10)))
            #expect(try near.carries("a question", to: far, within: .seconds(10)))
            #expect(try far.carries("an answer", to: near, within: .seconds(10)))
        }
    }

    @Test("of a protocol that many kernels can't judge is left to the rules by either setting", arguments: InvalidPackets.allCases)
    func udplite(setting: InvalidPackets) async throws {
        let (_, client, server) = try await world(setting)
        try expect(.from(client, to: server, pass: [.udplite(53)], block: [.udplite(54)]))
    }

    @Test("is nothing particular to stateless groups, whatever the setting", arguments: InvalidPackets.allCases)
    func stateless(setting: InvalidPackets) async throws {
        let (host, client, server) = try await world(setting, stateful: false)
        try expect(.from(client, to: server, pass: [answer(to: 53), reset(to: 53), .tcp(53)], block: [answer(to: 54), .tcp(54)]))
        #expect(try host.invalid(of: client, .out)?.packets == (setting == .rules ? 6 : nil))
        #expect(try host.denied(to: server, .in).packets == (setting == .rules ? 2 : 4))
    }

    @Test("may be a forged error about a flow that there isn't: it gets nowhere by either setting", arguments: InvalidPackets.allCases)
    func forgedErrors(setting: InvalidPackets) async throws {
        let (host, client, server) = try await world(setting)
        for family in Family.allCases {
            let (near, far) = (
                try RawLink(in: client.namespace, interface: "eth0"), try RawLink(in: server.namespace, interface: "eth0")
            )
            let known = try Frame.of(
                .udp(53, from: 41000), carrying: "known", mac: client.peer.mac, to: client.peer.router, from: client.address(family),
                to: server.address(family))
            try near.send(known)
            #expect(far.receive(within: .seconds(10)) { $0.contains("known") } != nil)
            let forged = try Frame.of(
                .udp(53, from: 41001), carrying: "forged", mac: client.peer.mac, to: client.peer.router, from: client.address(family),
                to: server.address(family))
            let before = try #require(try host.invalid(of: server, .out))
            for (type, code) in (family == .v4 ? [(3, 3), (3, 4), (11, 0)] : [(1, 4), (2, 0), (3, 0)]) as [(UInt8, UInt8)] {
                func tell(about frame: Frame, _ number: UInt32) throws {
                    try far.send(
                        .error(
                            type: type, code: code, about: frame, number: number, mac: server.peer.mac, to: server.peer.router,
                            from: server.address(family), to: client.address(family)))
                }
                try tell(about: forged, 1300)
                try tell(about: known, 1301)
                func came(_ number: UInt32, within time: Duration) -> Bool {
                    near.receive(within: time) {
                        $0.payload.dropFirst(family == .v4 ? 24 : 44).starts(with: number.bigEndianBytes)
                    } != nil
                }
                #expect(came(1301, within: .seconds(10)), "\(type) \(code)")
                #expect(!came(1300, within: .zero), "\(type) \(code)")
            }
            #expect(try host.invalid(of: server, .out)?.packets == before.packets + 3)
        }
    }

    @Test("is counted when it is for the host, too", arguments: InvalidPackets.allCases, HostPolicy.FromPods.allCases)
    func toHost(setting: InvalidPackets, fromPods: HostPolicy.FromPods) async throws {
        let host = try LabHost(layout: Layout(host: HostPolicy(fromPods: fromPods), invalid: setting))
        try await host.apply { try $0.put("closed") }
        let pod = try await host.pods("web", groups: ["closed"])[0]
        let link = try RawLink(in: pod.namespace, interface: "eth0")
        let server = try UDP(in: host.host, at: LabHost.gateways[0], port: 53)
        for segment in [answer(to: 53), .udp(53)] {
            try link.send(
                .of(segment, carrying: "to the host", mac: pod.peer.mac, to: pod.peer.router, from: pod.ipv4, to: LabHost.gateways[0]))
        }
        // The second one is through when ping is answered.
        #expect(try Echo(in: pod.namespace, at: pod.ipv4).reaches(LabHost.gateways[0], within: .seconds(10)))
        #expect(try host.invalid(of: pod, .out)?.packets == 1)
        #expect((server.receive(within: .zero) != nil) == (fromPods == .allow))
        #expect(try host.denied(to: pod, .out).packets == (fromPods == .allow ? 0 : 1))
    }
}
