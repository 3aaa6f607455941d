import HostNetwork
import Lab
import OwnThreads
import Testing

/// Fails on 7673dba: an ICMP error passed by the stamp of whatever flow it quoted, whoever sent it.
@Suite("An ICMP error", .ownThreads) struct PolicyErrorsTests {
    private let soon = Duration.seconds(5)
    private let never = Duration.milliseconds(60)

    private static let kinds: [Family: [(UInt8, UInt8)]] = [
        .v4: [(3, 3), (3, 4), (4, 0), (11, 0), (12, 0)], .v6: [(1, 4), (2, 0), (3, 0), (4, 1)],
    ]

    private struct World {
        var host: LabHost
        var client: LabPod
        var server: LabPod
        var stranger: LabPod
    }

    private func world(_ layout: Layout = Layout()) async throws -> World {
        let host = try LabHost(layout: layout)
        try await host.apply { intents in
            try intents.put("client", .out("out"))
            try intents.put("server", .in("dns", .udp, 53...53), .out("out", .tcp))
            try intents.put("open", .in("in"), .out("out"))
            try intents.put("closed")
        }
        let client = try await host.pods("client", groups: ["client"])[0]
        let server = try await host.pods("server", groups: ["server"])[0]
        let stranger = try await host.pods("stranger", groups: ["closed"])[0]
        return World(host: host, client: client, server: server, stranger: stranger)
    }

    /// A datagram of the client's to the server, which arrives and makes the flow known.
    private func opening(_ world: World, _ family: Family) throws -> Frame {
        let frame = try Frame.of(
            .udp(53, from: 41000), carrying: "known", mac: world.client.peer.mac, to: world.client.peer.router,
            from: world.client.address(family), to: world.server.address(family))
        let (here, there) = try (
            RawLink(in: world.client.namespace, interface: "eth0"), RawLink(in: world.server.namespace, interface: "eth0")
        )
        try here.send(frame)
        #expect(there.receive(within: soon) { $0.contains("known") } != nil)
        return frame
    }

    /// Sends errors of every kind about a packet, and tells which arrived at the interface of `receiver`.
    private func arrivals(
        of kinds: [(UInt8, UInt8)]? = nil, about packet: Frame, from sender: LabPeer, to receiver: LabPeer, _ family: Family,
        within time: Duration
    ) throws -> [UInt8] {
        let (out, back) = try (
            RawLink(in: sender.namespace, interface: sender.interface), RawLink(in: receiver.namespace, interface: receiver.interface)
        )
        return try (kinds ?? Self.kinds[family] ?? []).enumerated().compactMap { position, kind -> UInt8? in
            // An MTU, for those messages that tell one; by it this message is told from the kernel's own.
            let number = UInt32(1400 + position)
            try out.send(
                .error(
                    type: kind.0, code: kind.1, about: packet, number: number, mac: sender.mac, to: sender.router,
                    from: sender.address(family), to: receiver.address(family)))
            let came = back.receive(within: time) {
                $0.payload.dropFirst(family == .v4 ? 24 : 44).starts(with: number.bigEndianBytes)
            }
            return came == nil ? nil : kind.0
        }
    }

    @Test("passes from an end of its flow, and from no other pod, closed or open", arguments: Family.allCases)
    func strangers(family: Family) async throws {
        let world = try await world()
        let known = try opening(world, family)
        let all = (Self.kinds[family] ?? []).map(\.0)
        func arrive(from sender: LabPod, within time: Duration) throws -> [UInt8] {
            try arrivals(about: known, from: sender.peer, to: world.client.peer, family, within: time)
        }
        #expect(try arrive(from: world.server, within: soon) == all)
        let before = try world.host.denied(to: world.stranger, .out).packets
        #expect(try arrive(from: world.stranger, within: never) == [])
        #expect(try world.host.denied(to: world.stranger, .out).packets == before + UInt64(all.count))
        try await world.host.apply { try $0.put(world.stranger.intent(["open"])) }
        #expect(try arrive(from: world.stranger, within: never) == [])
        #expect(try arrive(from: world.server, within: soon) == all)
    }

    @Test("about a flow from outside passes from outside, and not from another pod", arguments: Family.allCases)
    func fromOutside(family: Family) async throws {
        let world = try await world()
        let (outsider, router) = (try world.host.outsider(7), try world.host.outsider(1))
        try await world.host.apply { try $0.put(world.stranger.intent(["open"])) }
        let opening = try Frame.of(
            .udp(53, from: 41000), carrying: "from outside", mac: outsider.mac, to: outsider.router, from: outsider.address(family),
            to: world.server.address(family))
        let answer = try Frame.of(
            .udp(41000, from: 53), carrying: "the answer", mac: world.server.peer.mac, to: world.server.peer.router,
            from: world.server.address(family), to: outsider.address(family))
        let (far, near) = try (
            RawLink(in: outsider.namespace, interface: outsider.interface), RawLink(in: world.server.namespace, interface: "eth0")
        )
        try far.send(opening)
        #expect(near.receive(within: soon) { $0.contains("from outside") } != nil)
        try near.send(answer)
        #expect(far.receive(within: soon) { $0.contains("the answer") } != nil)
        let all = (Self.kinds[family] ?? []).map(\.0)
        #expect(try arrivals(about: answer, from: world.stranger.peer, to: world.server.peer, family, within: never) == [])
        #expect(try arrivals(about: answer, from: router, to: world.server.peer, family, within: soon) == all)
        // Nor does a stranger tell the outside anything.
        #expect(try arrivals(about: opening, from: world.stranger.peer, to: outsider, family, within: never) == [])
        #expect(try arrivals(about: opening, from: world.server.peer, to: outsider, family, within: soon) == all)
    }

    @Test("about a flow that this host doesn't know passes from no pod", arguments: Family.allCases)
    func unknown(family: Family) async throws {
        let world = try await world()
        let known = try opening(world, family)
        try await world.host.apply { try $0.put(world.server.intent(["open"])) }
        let unknown = try Frame.of(
            .udp(54, from: 41001), carrying: "unknown", mac: world.client.peer.mac, to: world.client.peer.router,
            from: world.client.address(family), to: world.server.address(family))
        let outsider = try world.host.outsider(7)
        #expect(try arrivals(about: unknown, from: world.server.peer, to: outsider, family, within: never) == [])
        #expect(try arrivals(about: unknown, from: world.server.peer, to: world.client.peer, family, within: never) == [])
        _ = try opening(world, family)
        #expect(
            try arrivals(about: known, from: world.server.peer, to: world.client.peer, family, within: soon)
                == (Self.kinds[family] ?? []).map(\.0))
    }

    @Test(
        "about a flow of the host's passes from outside, and from no pod whatever the host lets pods begin",
        arguments: HostPolicy.FromPods.allCases, Family.allCases)
    func toHost(fromPods: HostPolicy.FromPods, family: Family) async throws {
        let world = try await world(Layout(host: HostPolicy(fromPods: fromPods)))
        try await world.host.apply { try $0.put(world.stranger.intent(["open"])) }
        let (outsider, router) = (try world.host.outsider(7), try world.host.outsider(1))
        let own = family == .v4 ? "192.0.2.1" : "2001:db8:ff::1"
        let (socket, far) = try (
            UDP(in: world.host.host, at: own, port: 42000), UDP(in: outsider.namespace, at: outsider.address(family), port: 53)
        )
        #expect(try socket.reaches(far, at: outsider.address(family), within: soon))
        let packet = try Frame.of(
            .udp(53, from: 42000), carrying: "the host's", mac: router.router, to: router.mac, from: own,
            to: outsider.address(family))
        func mtu() throws -> Bool { try world.host.host.run("ip", "route", "get", outsider.address(family)).contains("mtu 1280") }
        func tell(from sender: LabPeer) throws {
            try RawLink(in: sender.namespace, interface: sender.interface).send(
                .error(
                    type: family == .v4 ? 3 : 2, code: family == .v4 ? 4 : 0, about: packet, number: 1280, mac: sender.mac,
                    to: sender.router, from: sender.address(family), to: own))
        }
        // The host has dealt with what a pod sent before it answers the same pod's ping.
        try tell(from: world.stranger.peer)
        #expect(try Echo(in: world.stranger.namespace, at: world.stranger.address(family)).reaches(gateway(family), within: soon))
        #expect(try !mtu())
        try tell(from: router)
        let deadline = ContinuousClock.now + soon
        while try !mtu(), ContinuousClock.now < deadline {}
        #expect(try mtu())
    }

    private func gateway(_ family: Family) -> String { LabHost.gateways[family == .v4 ? 0 : 1] }

    @Test("passes from the router on its flow's way while that has any rule, and not about other flows", arguments: Family.allCases)
    func router(family: Family) async throws {
        let world = try await world()
        let router = try await world.host.pods("router", groups: ["open"])[0]
        let prefix = family == .v4 ? "203.0.113.0/24" : "2001:db8:77::/64"
        let behind = family == .v4 ? "203.0.113.9" : "2001:db8:77::9"
        var network = LabHost.network
        network.subnets[family == .v4 ? 0 : 1].routes = [SubnetRoute(Prefix(prefix), through: IPAddress(router.address(family)))]
        try await world.host.apply { try $0.put(network) }
        let sent = try Frame.of(
            .udp(53, from: 41000), carrying: "through", mac: world.client.peer.mac, to: world.client.peer.router,
            from: world.client.address(family), to: behind)
        let here = try RawLink(in: world.client.namespace, interface: "eth0")
        let there = try RawLink(in: router.namespace, interface: "eth0")
        func pass() throws {
            try here.send(sent)
            #expect(there.receive(within: soon) { $0.contains("through") } != nil)
        }
        try pass()
        let all = (Self.kinds[family] ?? []).map(\.0)
        func arrive(about packet: Frame, from sender: LabPod, within time: Duration) throws -> [UInt8] {
            try arrivals(about: packet, from: sender.peer, to: world.client.peer, family, within: time)
        }
        #expect(try arrive(about: sent, from: router, within: soon) == all)
        #expect(try arrive(about: sent, from: world.stranger, within: never) == [])
        let known = try opening(world, family)
        #expect(try arrive(about: known, from: router, within: never) == [])
        try await world.host.apply { try $0.put(router.intent(["closed"])) }
        #expect(try arrive(about: sent, from: router, within: never) == [])
        try await world.host.apply { try $0.put(router.intent(["open"])) }
        try pass()
        #expect(try arrive(about: sent, from: router, within: soon) == all)
    }

    @Test("of an end is no error to itself, which would be the other end's", arguments: Family.allCases)
    func toItself(family: Family) async throws {
        let world = try await world()
        let known = try opening(world, family)
        #expect(try arrivals(about: known, from: world.client.peer, to: world.client.peer, family, within: never) == [])
        #expect(
            try arrivals(about: known, from: world.server.peer, to: world.client.peer, family, within: soon)
                == (Self.kinds[family] ?? []).map(\.0))
    }

    @Test("that tells another way doesn't pass from an end of its flow either", arguments: Family.allCases)
    func redirects(family: Family) async throws {
        let world = try await world()
        let known = try opening(world, family)
        let (redirect, other): ((UInt8, UInt8), (UInt8, UInt8)) = family == .v4 ? ((5, 1), (3, 3)) : ((137, 0), (1, 4))
        func arrive(_ kind: (UInt8, UInt8), within time: Duration) throws -> [UInt8] {
            try arrivals(
                of: [kind], about: known, from: world.server.peer, to: world.client.peer, family, within: time)
        }
        #expect(try arrive(redirect, within: never) == [])
        #expect(try arrive(other, within: soon) == [other.0])
        #expect(try arrive(redirect, within: never) == [])
    }

    @Test("of the host's own isn't sent to whom a closed pod names, by options that are read before every hook")
    func options() async throws {
        let world = try await world()
        let outsider = try world.host.outsider(7)
        let (here, far) = try (
            RawLink(in: world.stranger.namespace, interface: "eth0"), RawLink(in: outsider.namespace, interface: outsider.interface)
        )
        // Of a kind that nobody knows, which is to be told of (RFC 8200, 4.2), and a jumbo payload that isn't one (RFC 2675, 3).
        for option: [UInt8] in [[0x9e, 4, 0, 0, 0, 0], [0xc2, 4, 0, 0, 0, 1]] {
            let peer = world.stranger.peer
            let datagram = try Frame.udp(
                mac: peer.mac, to: peer.router, from: outsider.ipv6, port: 1, to: LabHost.gateways[1], port: 2, "smuggled")
            var bytes = Array(datagram.bytes.prefix(14 + 40)) + [17, 0] + option + Array(datagram.bytes.dropFirst(14 + 40))
            // The next header, and eight bytes more.
            bytes[14 + 6] = 0
            bytes[14 + 5] += 8
            try here.send(Frame(bytes: bytes))
        }
        let ping = try Echo(in: outsider.namespace, at: outsider.ipv6)
        #expect(try ping.reaches("2001:db8:ff::1", within: soon))
        #expect(far.receive(within: never) { $0.contains("smuggled") } == nil)
    }

    @Test("of a closed accomplice keeps no flow alive that is revoked", arguments: Family.allCases)
    func accomplice(family: Family) async throws {
        let world = try await world()
        let (host, accomplice) = (world.host, world.stranger)
        // The accomplice's epoch is the one that the client's binding will have when it is revoked.
        for _ in 0..<2 {
            try await host.apply { try $0.put("closed", .out("out", .tcp, 9...9)) }
            try await host.apply { try $0.put("closed") }
        }
        try await host.apply { try $0.put("more", .out("more", .tcp, 99...99)) }
        try await host.apply { try $0.put(world.client.intent(["client", "more"])) }
        let known = try opening(world, family)
        let (here, there) = try (
            RawLink(in: world.client.namespace, interface: "eth0"), RawLink(in: world.server.namespace, interface: "eth0")
        )
        let answer = try Frame.of(
            .udp(41000, from: 53), carrying: "the answer", mac: world.server.peer.mac, to: world.server.peer.router,
            from: world.server.address(family), to: world.client.address(family))
        try there.send(answer)
        #expect(here.receive(within: soon) { $0.contains("the answer") } != nil)
        // Harmless: the flow stays allowed, but for a grace period nothing writes the client's new epoch.
        try host.change { try $0.put(world.client.intent(["client"])) }
        // An error about the answer goes the flow's own way, so it would write what the client's packets earn.
        #expect(try arrivals(about: answer, from: accomplice.peer, to: world.server.peer, family, within: never) == [])
        try here.send(known)
        #expect(there.receive(within: soon) { $0.contains("known") } != nil)
        try await host.settle()
        try await host.apply { try $0.put(world.client.intent(["closed"])) }
        try here.send(known)
        #expect(there.receive(within: never) { $0.contains("known") } == nil)
        try await host.apply { try $0.put(world.client.intent(["client"])) }
        try here.send(known)
        #expect(there.receive(within: soon) { $0.contains("known") } != nil)
    }
}
