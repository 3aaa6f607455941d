import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

/// Fails on 7673dba: anti-spoofing stood behind defragmentation and connection tracking.
@Suite("A packet that a pod may not send", .ownThreads) struct PolicyArrivalTests {
    private let soon = Duration.seconds(5)
    private let never = Duration.milliseconds(60)

    private struct World {
        var host: LabHost
        var server: LabPod
        var sender: LabPod
        var attacker: LabPod
    }

    private func world(_ layout: Layout = Layout()) async throws -> World {
        let host = try LabHost(layout: layout)
        try await host.apply { intents in
            try intents.put("web", .in("https", .tcp, 443...443))
            try intents.put("open", .in("in"), .out("out"))
            try intents.put("closed")
        }
        let server = try await host.pods("server", groups: ["web"])[0]
        let sender = try await host.pods("sender", groups: ["open"])[0]
        let attacker = try await host.pods("attacker", groups: ["closed"])[0]
        return World(host: host, server: server, sender: sender, attacker: attacker)
    }

    /// Sequence and acknowledgment numbers of a TCP segment.
    private func numbers(of frame: Frame, _ family: Family) -> (sequence: UInt32, acknowledged: UInt32) {
        let header = frame.payload.dropFirst(family == .v4 ? 20 : 40)
        func word(_ offset: Int) -> UInt32 { header.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }
        return (word(4), word(8))
    }

    /// A TCP segment by hand.
    private func segment(
        flags: UInt8, sequence: UInt32, from: (address: String, port: UInt16), to: (address: String, port: UInt16), mac: String,
        router: String
    ) throws -> Frame {
        try .ip(mac: mac, to: router, from: from.address, to: to.address, protocol: 6, hops: 64) { pseudo in
            var header = from.port.bigEndianBytes + to.port.bigEndianBytes + sequence.bigEndianBytes + UInt32(0).bigEndianBytes
            header += [0x50, flags, 0xff, 0xff, 0, 0, 0, 0]
            header.replaceSubrange(16..<18, with: Checksum.of(pseudo(header.count) + header).bigEndianBytes)
            return header
        }
    }

    @Test("ends no connection of another pod's, as the same segment of its own end does", arguments: Family.allCases)
    func reset(family: Family) async throws {
        let world = try await world()
        let outsider = try world.host.outsider(7)
        let listener = try TCPListener(in: world.server.namespace, at: world.server.address(family), port: 443)
        let wire = try RawLink(in: world.server.namespace, interface: "eth0")
        let client = try #require(
            try TCP.connect(
                from: outsider.namespace, at: outsider.address(family), to: world.server.address(family), port: 443, within: soon))
        let server = try #require(listener.accept(within: soon))
        #expect(try client.carries("a question", to: server, within: soon))
        let asked = try #require(wire.receive(within: soon) { $0.contains("a question") })
        let next = numbers(of: asked, family).sequence + UInt32("a question".utf8.count)
        func reset(by peer: LabPeer) throws {
            try RawLink(in: peer.namespace, interface: peer.interface).send(
                segment(
                    flags: 4, sequence: next, from: (outsider.address(family), client.port), to: (world.server.address(family), 443),
                    mac: peer.mac, router: peer.router))
        }
        let before = try world.host.denied(to: world.attacker, .out).packets
        try reset(by: world.attacker.peer)
        #expect(try Echo(in: world.attacker.namespace, at: world.attacker.address(family)).reaches(gateway(family), within: soon))
        #expect(try world.host.denied(to: world.attacker, .out).packets == before + 1)
        // Nothing but tracking lets the server speak first: it has no egress rule.
        #expect(try server.carries("and an answer", to: client, within: soon))
        try reset(by: outsider)
        #expect(wire.receive(within: soon) { $0.payload.dropFirst(family == .v4 ? 20 : 40).dropFirst(13).first == 4 } != nil)
        _ = try? server.send("too late")
        #expect(client.receive(1, within: never) == "")
    }

    @Test("gets into no datagram of another pod's", arguments: Family.allCases)
    func fragment(family: Family) async throws {
        let world = try await world()
        let outsider = try world.host.outsider(7)
        let text = String(repeating: "honest ", count: 40)
        let (own, forging, far) = try (
            RawLink(in: world.sender.namespace, interface: "eth0"), RawLink(in: world.attacker.namespace, interface: "eth0"),
            UDP(in: outsider.namespace, at: outsider.address(family), port: 7000)
        )
        func frames(_ text: String, _ pod: LabPod, id: UInt16) throws -> [Frame] {
            try Frame.udp(
                mac: pod.peer.mac, to: pod.peer.router, from: world.sender.address(family), port: 40000, to: outsider.address(family),
                port: 7000, text
            ).fragments(cutAfter: 64, id: id)
        }
        // The checksums are one and the same, for the words are as long and sum to as much.
        let forged = try frames(String(repeating: "tsenoh ", count: 40), world.attacker, id: 77)
        try forging.send(forged[1])
        for frame in try frames(text, world.sender, id: 77) { try own.send(frame) }
        #expect(far.receive(within: soon)?.text == text)
    }

    @Test(
        "keeps nobody's fragments from being reassembled, be it from others' addresses, of a closed pod's own, or too many of an open one's",
        arguments: Family.allCases, Forgery.allCases)
    func reassembly(family: Family, forgery: Forgery) async throws {
        let world = try await world(Layout(podFragments: PacketLimit(fragments: 20)))
        if forgery == .tooMany { try await world.host.apply { try $0.put(world.attacker.intent(["open"])) } }
        let outsider = try world.host.outsider(7)
        let flood = try RawLink(in: world.attacker.namespace, interface: "eth0")
        let peer = world.attacker.peer
        for number in 0..<3000 {
            let stranger = family == .v4 ? "203.0.\(number % 200).\(number / 200)" : "2001:db8:77::\(String(number, radix: 16))"
            let datagram = try Frame.udp(
                mac: peer.mac, to: peer.router, from: forgery == .others ? stranger : peer.address(family), port: 1,
                to: outsider.address(family), port: 2, String(repeating: "x", count: 200))
            try flood.send(datagram.fragments(cutAfter: 64, id: UInt16(number))[1])
        }
        #expect(try Echo(in: world.attacker.namespace, at: world.attacker.address(family)).reaches(gateway(family), within: soon))
        #expect(try world.host.denied(to: world.attacker, .out).packets >= (forgery == .tooMany ? 2500 : 3000))
        let (out, far) = try (
            UDP(in: world.sender.namespace, at: world.sender.address(family)),
            UDP(in: outsider.namespace, at: outsider.address(family), port: 7000)
        )
        for number in 0..<20 {
            let text = "\(number) " + String(repeating: "y", count: 2000)
            try out.send(text, to: outsider.address(family), port: 7000)
            #expect(far.receive(within: soon)?.text == text)
        }
        // The pod's own datagrams pass where it may send at all.
        guard forgery == .tooMany else { return }
        let own = try UDP(in: world.attacker.namespace, at: world.attacker.address(family))
        #expect(try own.reaches(far, at: outsider.address(family), within: soon))
    }

    /// Fragments that never make a datagram.
    enum Forgery: CaseIterable, Sendable { case others, closed, tooMany }

    @Test("makes the host resolve few neighbors, and the pod's own still find their gateway", arguments: [true, false])
    func solicitations(portSecurity: Bool) async throws {
        let world = try await world()
        try await world.host.apply { try $0.put(world.attacker.intent(["closed"]) { $0.portSecurity = portSecurity }) }
        let link = try RawLink(in: world.attacker.namespace, interface: "eth0")
        let (peer, router) = (world.attacker.peer, LabHost.gateways[1])
        func solicit(from source: String) throws {
            try link.send(.neighborSolicitation(mac: peer.mac, to: peer.router, from: source, to: router, target: router))
        }
        for number in 1...400 { try solicit(from: "fe80::\(String(number, radix: 16))") }
        try solicit(from: peer.ipv6)
        #expect(link.receive(within: soon) { $0.payload.dropFirst(40).first == 136 && $0.payload[24..<40].last == peer.lastByte } != nil)
        let learned = try world.host.host.run("ip", "-6", "neigh", "show", "dev", world.attacker.link.value).split(separator: "\n")
        #expect(learned.filter { $0.contains("fe80::") }.count <= 20, "\(learned.count)")
        #expect(try world.host.denied(to: world.attacker, .out).packets >= 380)
    }

    @Test("draws few errors from the host, which would resolve whom it tells them")
    func unreachable() async throws {
        let world = try await world()
        let link = try RawLink(in: world.attacker.namespace, interface: "eth0")
        let (peer, gateway) = (world.attacker.peer, LabHost.gateways[1])
        for number in 1...400 {
            try link.send(
                .of(
                    .udp(547, from: 546), carrying: "DHCPv6", mac: peer.mac, to: peer.router,
                    from: "fe80::\(String(number, radix: 16))", to: gateway))
        }
        #expect(try Echo(in: world.attacker.namespace, at: peer.ipv6).reaches(gateway, within: soon))
        let resolved = try world.host.host.run("ip", "-6", "neigh", "show", "dev", world.attacker.link.value).split(separator: "\n")
        #expect(resolved.filter { $0.contains("fe80::") }.count <= 20, "\(resolved.count)")
        #expect(try world.host.denied(to: world.attacker, .out).packets >= 380)
    }

    @Test("asks for few neighbors by ARP, too, where the pod may use a range of addresses")
    func requests() async throws {
        let world = try await world()
        try await world.host.apply { intents in
            try intents.put(
                world.attacker.intent(["closed"]) { $0.allowedAddressPairs = [AddressPair(address: Prefix("10.9.0.0/16"))] })
        }
        let link = try RawLink(in: world.attacker.namespace, interface: "eth0")
        let (peer, gateway) = (world.attacker.peer, LabHost.gateways[0])
        for number in 0..<400 {
            try link.send(
                .arp(1, mac: peer.mac, to: Frame.broadcast, sender: "10.9.\(number / 200).\(number % 200)", target: gateway))
        }
        try link.send(.arp(1, mac: peer.mac, to: Frame.broadcast, sender: peer.ipv4, target: gateway))
        let own = Array(peer.ipv4.split(separator: ".").compactMap { UInt8($0) })
        #expect(link.receive(within: soon) { $0.type == 0x0806 && Array($0.payload.dropFirst(24).prefix(4)) == own } != nil)
        let learned = try world.host.host.run("ip", "-4", "neigh", "show", "dev", world.attacker.link.value).split(separator: "\n")
        #expect(learned.filter { $0.hasPrefix("10.9.") }.count <= 20, "\(learned.count)")
        let denied = try world.host.plane.counters(of: [.element(.deniedARP(world.attacker.link))]).values.first
        #expect((denied?.packets ?? 0) >= 380)
    }

    private func gateway(_ family: Family) -> String { LabHost.gateways[family == .v4 ? 0 : 1] }
}

extension LabPeer {
    fileprivate var lastByte: UInt8? { UInt8(mac.suffix(2), radix: 16) }
}
