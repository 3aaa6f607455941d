import HostNetwork
import Lab
import OwnThreads
import Testing

@Suite("The state of a flow", .ownThreads) struct PolicyTrackingTests {
    private let soon = Duration.seconds(2)
    private let never = Duration.milliseconds(80)

    /// A pod that may begin everything and is begun with by nobody, and a server of tcp and udp 53 and nothing else.
    private func world(_ change: @escaping (inout Pod) -> Void = { _ in }) async throws -> (host: LabHost, client: LabPod, server: LabPod) {
        let host = try LabHost()
        let (client, server) = (try host.pod("client"), try host.pod("server"))
        try await host.apply {
            try $0.put("client", .out("out"))
            try $0.put("server", .in("tcp", .tcp, 53...53), .in("udp", .udp, 53...53), .icmp(8), .icmp(128, .icmpv6))
            try $0.put(client.intent(["client"]))
            try $0.put(server.intent(["server"], change))
        }
        return (host, client, server)
    }

    @Test("lets replies pass, and nothing that isn't one", arguments: Family.allCases)
    func replies(family: Family) async throws {
        let (_, client, server) = try await world()
        let (here, there) = (client.address(family), server.address(family))
        let listener = try TCPListener(in: server.namespace, at: there, port: 53)
        let ends = (
            try #require(try TCP.connect(from: client.namespace, to: there, port: 53, within: soon)),
            try #require(listener.accept(within: soon))
        )
        #expect(try ends.0.carries("a question", to: ends.1, within: soon))
        #expect(try ends.1.carries("an answer", to: ends.0, within: soon))
        let sockets = try (UDP(in: client.namespace, at: here), UDP(in: server.namespace, at: there, port: 53))
        #expect(try !sockets.1.reaches(sockets.0, at: here, within: never))
        #expect(try sockets.0.reaches(sockets.1, at: there, within: soon))
        #expect(try sockets.1.reaches(sockets.0, at: here, within: soon))
        let other = try UDP(in: client.namespace, at: here)
        #expect(try !sockets.1.reaches(other, at: here, within: never))
        let back = try TCPListener(in: client.namespace, at: here)
        #expect(try TCP.attempt(from: server.namespace, to: here, port: back.port, within: never) == .silence)
    }

    @Test("takes up a connection in its midst only where a rule allows it")
    func midstream() async throws {
        let (_, client, server) = try await world()
        func acknowledgement(_ source: UInt16, _ port: UInt16) -> Segment { Segment(.tcp(flags: 0x10), from: source, to: port) }
        func reset(_ source: UInt16, _ port: UInt16) -> Segment { Segment(.tcp(flags: 0x04), from: source, to: port) }
        try expect(
            .from(client, to: server, pass: [acknowledgement(40001, 53)], block: [acknowledgement(40002, 54), reset(40003, 54)]),
            .from(server, to: client, block: [acknowledgement(53, 40004), acknowledgement(80, 40005), reset(53, 40006)]))
    }

    @Test("lets the unreachable port of an allowed flow be told", arguments: Family.allCases)
    func unreachable(family: Family) async throws {
        let (_, client, server) = try await world()
        let link = try RawLink(in: client.namespace, interface: "eth0")
        let socket = try UDP(in: client.namespace, at: client.address(family))
        try socket.send("anybody?", to: server.address(family), port: 53)
        let told = link.receive(within: soon) { family == .v4 ? $0.icmp(at: 20) == [3, 3] : $0.icmp(at: 40) == [1, 4] }
        #expect(told?.contains("anybody?") == true)
    }

    @Test("lets errors pass about flows that there are, from whoever is on their way, and no forged ones")
    func errors() async throws {
        let (host, client, server) = try await world()
        let (outsider, router) = (try host.outsider(7), try host.outsider(1))
        for family in Family.allCases {
            let link = try RawLink(in: client.namespace, interface: "eth0")
            let senders = [server.peer, router]
            for (sender, far) in zip(senders, [server.peer, outsider]) {
                let back = try RawLink(in: sender.namespace, interface: sender.interface)
                func packet(_ port: UInt16, from source: UInt16, _ text: String) throws -> Frame {
                    try .of(
                        .udp(port, from: source), carrying: text, mac: client.peer.mac, to: client.peer.router,
                        from: client.address(family),
                        to: far.address(family))
                }
                let known = try packet(53, from: 41000, "known")
                try link.send(known)
                #expect(back.receive(within: soon) { $0.contains("known") } != nil)
                let kinds: [(UInt8, UInt8)] = family == .v4 ? [(3, 3), (3, 4), (11, 0)] : [(1, 4), (2, 0), (3, 0)]
                for (type, code) in kinds {
                    let quotes = [
                        (try packet(53, from: 41001, "forged"), false), (try packet(54, from: 41000, "forged"), false), (known, true),
                    ]
                    for (position, (quote, passes)) in quotes.enumerated() {
                        // An MTU, for those messages that tell one; by it this message is told from the kernel's own.
                        let number = UInt32(1400 + position)
                        try back.send(
                            .error(
                                type: type, code: code, about: quote, number: number, mac: sender.mac, to: sender.router,
                                from: sender.address(family), to: client.address(family)))
                        let came = link.receive(within: passes ? soon : never) {
                            $0.payload.dropFirst(family == .v4 ? 24 : 44).starts(with: number.bigEndianBytes)
                        }
                        #expect((came != nil) == passes, "\(type) \(code) number \(position) from \(sender.address(family))")
                    }
                }
            }
        }
    }

    @Test("lets the host tell that a packet is too big, and the flow goes on in smaller ones", arguments: Family.allCases)
    func tooBig(family: Family) async throws {
        let (_, client, server) = try await world { $0.mtu = 1300 }
        let link = try RawLink(in: client.namespace, interface: "eth0")
        let sockets = try (
            UDP(in: client.namespace, at: client.address(family)), UDP(in: server.namespace, at: server.address(family), port: 53)
        )
        let text = String(repeating: "x", count: 1400)
        try sockets.0.send(text, to: server.address(family), port: 53)
        let told = link.receive(within: soon) { family == .v4 ? $0.icmp(at: 20) == [3, 4] : $0.icmp(at: 40) == [2, 0] }
        #expect(told != nil)
        #expect(sockets.1.receive(within: never) == nil)
        try sockets.0.send(text, to: server.address(family), port: 53)
        #expect(sockets.1.receive(within: soon)?.text == text)
    }

    @Test("follows fragments: the later ones fare like the first, stateful or not", arguments: Family.allCases, [true, false])
    func fragments(family: Family, stateful: Bool) async throws {
        let (host, client, server) = try await world()
        if !stateful {
            try await host.apply {
                try $0.put(
                    "stateless", stateful: false, .in("udp", .udp, 53...53), .icmp(8), .icmp(128, .icmpv6), .out("icmp", .icmp),
                    .out("icmpv6", .icmpv6))
                try $0.put(server.intent(["stateless"]))
            }
        }
        let link = try RawLink(in: server.namespace, interface: "eth0")
        let there = server.address(family)
        let sockets = try (
            UDP(in: client.namespace, at: client.address(family)), UDP(in: server.namespace, at: there, port: 53),
            UDP(in: server.namespace, at: there, port: 54)
        )
        let text = String(repeating: "fragment ", count: 500)
        try sockets.0.send(text, to: there, port: 54)
        #expect(link.receive(within: never) { $0.contains("fragment") } == nil)
        try sockets.0.send(text, to: there, port: 53)
        #expect(sockets.1.receive(within: soon)?.text == text)
        #expect(link.receive(within: soon) { $0.contains("fragment") } != nil)
        #expect(sockets.2.receive(within: .zero) == nil)
        #expect(try Echo(in: client.namespace, at: client.address(family)).reaches(there, filling: 4000, within: soon))
        let back = try Echo(in: server.namespace, at: there)
        #expect(try !back.reaches(client.address(family), filling: 4000, within: never))
    }

    @Test(
        "has fragments that come in whatever order, and a later one that comes alone goes nowhere", arguments: Family.allCases,
        [true, false])
    func fragmentOrder(family: Family, stateful: Bool) async throws {
        let (host, client, server) = try await world()
        if !stateful {
            try await host.apply {
                try $0.put("stateless", stateful: false, .in("udp", .udp, 53...53))
                try $0.put(server.intent(["stateless"]))
            }
        }
        let (from, to) = try (
            RawLink(in: client.namespace, interface: "eth0"), RawLink(in: server.namespace, interface: "eth0")
        )
        var id: UInt16 = 1
        func fragments(to port: UInt16, _ text: String) throws -> [Frame] {
            id += 1
            let whole = try Frame.udp(
                mac: client.peer.mac, to: client.peer.router, from: client.address(family), port: 40000 + id, to: server.address(family),
                port: port, String(repeating: "-", count: 32) + text)
            return whole.fragments(cutAfter: 32, id: id)
        }
        let sockets = try [53, 54].map { try UDP(in: server.namespace, at: server.address(family), port: $0) }
        for isReversed in [false, true] {
            let name = isReversed ? "the later first" : "the first first"
            let (refused, allowed) = (try fragments(to: 54, "\(name) of what is denied"), try fragments(to: 53, name))
            for frame in isReversed ? refused.reversed() : refused { try from.send(frame) }
            for frame in isReversed ? allowed.reversed() : allowed { try from.send(frame) }
            #expect(sockets[0].receive(within: soon)?.text.hasSuffix(name) == true, "\(name)")
            #expect(sockets[1].receive(within: .zero) == nil, "\(name)")
        }
        // To a port that is allowed; nobody can know that without its first fragment.
        try from.send(fragments(to: 53, "alone")[1])
        for frame in try fragments(to: 53, "after it") { try from.send(frame) }
        #expect(sockets[0].receive(within: soon)?.text.hasSuffix("after it") == true)
        var seen: [Frame] = []
        while let frame = to.receive(within: .zero) { seen.append(frame) }
        #expect(seen.contains { $0.contains("after it") })
        #expect(!seen.contains { $0.contains("alone") || $0.contains("of what is denied") })
    }

    @Test("doesn't matter to a stateless group: replies need a rule of their own", arguments: Family.allCases)
    func stateless(family: Family) async throws {
        let (host, client, server) = try await world()
        let (here, there) = (client.address(family), server.address(family))
        func rules(_ more: Rule...) -> SecurityGroup {
            SecurityGroup(
                id: "stateless", network: "blue", stateful: false, rules: [.in("tcp", .tcp, 53...53), .in("udp", .udp, 53...53)] + more)
        }
        try await host.apply {
            try $0.put(rules())
            try $0.put(server.intent(["stateless"]))
        }
        let listener = try TCPListener(in: server.namespace, at: there, port: 53)
        let sockets = try (UDP(in: client.namespace, at: here), UDP(in: server.namespace, at: there, port: 53))
        #expect(try sockets.0.reaches(sockets.1, at: there, within: soon))
        #expect(try !sockets.1.reaches(sockets.0, at: here, within: never))
        #expect(try TCP.attempt(from: client.namespace, to: there, port: 53, within: never) == .silence)

        let answers = ["tcp", "udp"].map { name in
            Rule(id: "\(name)-back", direction: .egress, protocol: IPProtocol(named: name), sourcePorts: PortRange(53))
        }
        try await host.apply { try $0.put(rules(answers[0], answers[1])) }
        #expect(try sockets.0.reaches(sockets.1, at: there, within: soon))
        #expect(try sockets.1.reaches(sockets.0, at: here, within: soon))
        let ends = (
            try #require(try TCP.connect(from: client.namespace, to: there, port: 53, within: soon)),
            try #require(listener.accept(within: soon))
        )
        #expect(try ends.1.carries("an answer", to: ends.0, within: soon))
        let other = try UDP(in: server.namespace, at: there)
        #expect(try !other.reaches(sockets.0, at: here, within: never), "from another port")

        try await host.apply { try $0.put(rules()) }
        #expect(try sockets.0.reaches(sockets.1, at: there, within: soon))
        #expect(try !sockets.1.reaches(sockets.0, at: here, within: never))
        #expect(try !ends.1.carries("more", to: ends.0, within: never))
    }

    @Test("isn't troubled by rules and members that come, whoever talks", arguments: Family.allCases)
    func additions(family: Family) async throws {
        let (host, client, server) = try await world()
        let (here, there) = (client.address(family), server.address(family))
        let sockets = try (UDP(in: client.namespace, at: here, port: 5000), UDP(in: server.namespace, at: there, port: 53))
        #expect(try sockets.0.reaches(sockets.1, at: there, within: soon))
        let floods = try (Flood(from: sockets.0, to: sockets.1, at: there), Flood(from: sockets.1, to: sockets.0, at: here))
        var rules: [Rule] = [.in("tcp", .tcp, 53...53), .in("udp", .udp, 53...53)]
        for number in 1...15 as ClosedRange<UInt16> {
            rules += [.in("in-\(number)", .udp, number...number), .from("from-\(number)", "10.2.\(number).0/24", .udp, 40...50)]
            rules += [.in("group-\(number)", .tcp, number...number, .group("client")), .out("out-\(number)", .tcp, number...number)]
            try await host.apply { try $0.put(SecurityGroup(id: "server", network: "blue", rules: rules)) }
            floods.0.wait(for: 10)
        }
        let reports = (floods.0.stop(after: 100), floods.1.stop(after: 100))
        #expect(reports.0.lost == [] && reports.0.duplicated == 0)
        #expect(reports.1.lost == [] && reports.1.duplicated == 0)
    }
}

extension Frame {
    /// Type and code of an ICMP message, if the IP header is as long as this and it is one.
    func icmp(at header: Int) -> [UInt8]? {
        let number = header == 20 ? 9 : 6
        guard type == (header == 20 ? 0x0800 : 0x86dd), payload.count > header + 2, payload[number] == (header == 20 ? 1 : 58) else {
            return nil
        }
        return Array(payload[header..<(header + 2)])
    }
}
