import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("The settings of what a pod and its host may say", .ownThreads) struct PolicyHostSettingsTests {
    private let soon = Duration.seconds(10)
    private let never = Duration.milliseconds(80)

    /// What each of the two settings may be, with each of the other.
    static let policies = HostPolicy.ToPods.allCases.flatMap { toPods in
        HostPolicy.FromPods.allCases.map { HostPolicy(toPods: toPods, fromPods: $0) }
    }

    /// The host as somebody whom a pod talks to.
    private func peer(_ host: LabHost, of pod: LabPod) -> LabPeer {
        LabPeer(
            namespace: host.host, interface: pod.link.value, addresses: LabHost.gateways, mac: Marks.hostMAC.description,
            router: pod.mac.description, host: host)
    }

    /// Whether a datagram and a connection arrive at a port.
    private func reaches(_ sender: LabPeer, _ receiver: LabPeer, _ family: Family, _ port: UInt16, passes: Bool) throws -> Bool {
        let time = passes ? soon : never
        let sockets = try (
            UDP(in: sender.namespace, at: sender.address(family)), UDP(in: receiver.namespace, at: receiver.address(family), port: port)
        )
        let listener = try TCPListener(in: receiver.namespace, at: receiver.address(family), port: port)
        let datagram = try sockets.0.reaches(sockets.1, at: receiver.address(family), within: time)
        if datagram { #expect(try sockets.1.reaches(sockets.0, at: sender.address(family), within: soon), "the answer") }
        let attempt = try TCP.attempt(from: sender.namespace, to: receiver.address(family), port: listener.port, within: time)
        #expect(datagram == (attempt == .connected), "a datagram and a connection fare differently")
        return datagram
    }

    @Test("decide on each way by itself, and answers go with what they answer", arguments: policies, Family.allCases)
    func combinations(policy: HostPolicy, family: Family) async throws {
        let host = try LabHost(layout: Layout(host: policy))
        try await host.apply {
            try $0.put(
                "some", .out("tcp-out", .tcp, 53...53), .out("udp-out", .udp, 53...53), .in("tcp-in", .tcp, 80...80),
                .in("udp-in", .udp, 80...80))
        }
        let pod = try await host.pods("web", groups: ["some"])[0]
        let there = peer(host, of: pod)
        for (port, isAllowed) in [(53, true), (54, false)] as [(UInt16, Bool)] {
            let passes = policy.fromPods == .allow || policy.fromPods == .rules && isAllowed
            #expect(try reaches(pod.peer, there, family, port, passes: passes) == passes, "the pod to port \(port)")
        }
        for (port, isAllowed) in [(80, true), (81, false)] as [(UInt16, Bool)] {
            let passes = policy.toPods == .allow || isAllowed
            #expect(try reaches(there, pod.peer, family, port, passes: passes) == passes, "the host to port \(port)")
        }
        let echo = try Echo(in: pod.namespace, at: pod.address(family))
        #expect(try echo.reaches(LabHost.gateways[family == .v4 ? 0 : 1], within: soon), "ping of the gateway")
        let other = family == .v4 ? "192.0.2.1" : "2001:db8:ff::1"
        let passes = policy.fromPods == .allow
        #expect(try echo.reaches(other, within: passes ? soon : never) == passes, "ping of another address of the host")
        let back = try Echo(in: host.host, at: LabHost.gateways[family == .v4 ? 0 : 1])
        let pings = policy.toPods == .allow
        #expect(try back.reaches(pod.address(family), within: pings ? soon : never) == pings, "the host's ping")
    }

    @Test("are what an explanation says of every address of the host's", arguments: policies, Family.allCases)
    func explanations(policy: HostPolicy, family: Family) async throws {
        let host = try LabHost(layout: Layout(host: policy))
        try await host.apply { try $0.put("some", .out("udp-out", .udp, 53...53), .in("udp-in", .udp, 80...80)) }
        let pod = try await host.pods("web", groups: ["some"])[0]
        for address in [LabHost.gateways, ["192.0.2.1", "2001:db8:ff::1"]].map({ $0[family == .v4 ? 0 : 1] }) {
            #expect(try host.plane.route(to: IPAddress(address)) == .local)
            for direction in Rule.Direction.allCases {
                for port in (direction == .egress ? [53, 54] : [80, 81]) as [UInt16] {
                    var question = Question(
                        pod: pod.id, direction: direction, remote: IPAddress(address),
                        content: .ports(.udp, source: nil, destination: port))
                    question.hostRoute = try host.plane.route(to: question.remote)
                    let answer = try host.desired.explain(question)
                    let (from, to) = direction == .egress ? (pod.namespace, host.host) : (host.host, pod.namespace)
                    let (source, destination) = direction == .egress ? (pod.address(family), address) : (address, pod.address(family))
                    let sockets = try (UDP(in: from, at: source), UDP(in: to, at: destination, port: port))
                    let passes = try sockets.0.reaches(sockets.1, at: destination, within: answer.isAllowed ? soon : never)
                    #expect(passes == answer.isAllowed, "\(direction) \(port) \(address): \(answer.deciding?.reason ?? "")")
                }
            }
        }
        if family == .v4 { #expect(try host.plane.route(to: IPAddress("192.0.2.255")) == .local) }
        for address in [pod.address(family), family == .v4 ? "198.51.100.7" : "2001:db8:1::7"] {
            #expect(try host.plane.route(to: IPAddress(address)) != .local)
        }
    }

    @Test("don't take what looks like an answer for one", arguments: policies, Family.allCases)
    func pretends(policy: HostPolicy, family: Family) async throws {
        let host = try LabHost(layout: Layout(host: policy))
        try await host.apply { try $0.put("some", .out("tcp", .tcp, 53...53), .out("udp", .udp, 53...53)) }
        let pod = try await host.pods("web", groups: ["some"])[0]
        let (own, gateway) = (pod.address(family), LabHost.gateways[family == .v4 ? 0 : 1])
        // Counts what reaches the host's own stack behind every filter.
        let counters = """
            table inet reached {
                counter pretended { }
                chain c {
                    type filter hook input priority 300
                    tcp sport { 53, 80 } counter name pretended
                    udp sport { 53, 80 } counter name pretended
                }
            }
            """
        try host.host.run(["nft", "-f", "-"], input: counters)
        let link = try RawLink(in: pod.namespace, interface: "eth0")
        let flags: [UInt8] = [0x10, 0x12, 0x18, 0x04, 0x11]
        for segment in flags.map({ Segment(.tcp(flags: $0), from: 80, to: 54) }) + [.udp(54, from: 53), .udp(5000, from: 80)] {
            try link.send(.of(segment, carrying: "an answer?", mac: pod.peer.mac, to: pod.peer.router, from: own, to: gateway))
        }
        #expect(try Echo(in: pod.namespace, at: own).reaches(gateway, within: soon))
        let listed = try host.host.run("nft", "list", "counter", "inet", "reached", "pretended")
        #expect(listed.contains("packets \(policy.fromPods == .allow ? flags.count + 2 : 0) "), "\(listed)")
        // A flow that the host did begin is another matter.
        guard policy.toPods == .allow else { return }
        let sockets = try (UDP(in: host.host, at: gateway, port: 5000), UDP(in: pod.namespace, at: own, port: 80))
        #expect(try sockets.0.reaches(sockets.1, at: own, within: soon))
        #expect(try sockets.1.reaches(sockets.0, at: gateway, within: soon))
        let other = try UDP(in: host.host, at: gateway, port: 5001)
        #expect(try sockets.1.reaches(other, at: gateway, within: policy.fromPods == .allow ? soon : never) == (policy.fromPods == .allow))
    }

    @Test(
        "that leave it to the rules cut what a pod began with the host, both ways, when its rule goes; and it goes on when it returns",
        arguments: HostPolicy.ToPods.allCases, Family.allCases)
    func revokesFromPod(toPods: HostPolicy.ToPods, family: Family) async throws {
        let host = try LabHost(layout: Layout(host: HostPolicy(toPods: toPods, fromPods: .rules)))
        try await host.apply {
            try $0.put("doomed", .out("tcp", .tcp, 7000...7001), .out("udp", .udp, 7000...7001))
            try $0.put("lasting", .out("tcp", .tcp, 7020...7021), .out("udp", .udp, 7020...7021))
        }
        let pod = try await host.pods("web", groups: ["doomed", "lasting"])[0]
        try await revokes(from: pod.peer, to: peer(host, of: pod), family, host, pod)
    }

    @Test(
        "that leave it to the rules cut what the host began with a pod, both ways, when the pod's rule goes",
        arguments: HostPolicy.FromPods.allCases, Family.allCases)
    func revokesToPod(fromPods: HostPolicy.FromPods, family: Family) async throws {
        let host = try LabHost(layout: Layout(host: HostPolicy(toPods: .rules, fromPods: fromPods)))
        try await host.apply {
            try $0.put("doomed", .in("tcp", .tcp, 7000...7001), .in("udp", .udp, 7000...7001))
            try $0.put("lasting", .in("tcp", .tcp, 7020...7021), .in("udp", .udp, 7020...7021))
        }
        let pod = try await host.pods("web", groups: ["doomed", "lasting"])[0]
        try await revokes(from: peer(host, of: pod), to: pod.peer, family, host, pod)
    }

    private func revokes(from client: LabPeer, to server: LabPeer, _ family: Family, _ host: LabHost, _ pod: LabPod) async throws {
        let cut = try RevocationFlows(from: client, to: server, family, port: 7000, echoes: false)
        let lasting = try RevocationFlows(from: client, to: server, family, port: 7020, echoes: false)
        #expect(
            try cut.arrivals(witness: lasting).count == 6, "what arrives while it is allowed: of TCP and of UDP a talk and a server alone")
        try host.change { try $0.put(pod.intent(["lasting"])) }
        #expect(try cut.arrivals(witness: lasting) == [], "after the answer")
        #expect(try lasting.carry())
        try await host.settle()
        #expect(try cut.arrivals(witness: lasting) == [], "after the stamps")
        #expect(try lasting.carry())
        try await host.apply { try $0.put(pod.intent(["doomed", "lasting"])) }
        #expect(try cut.recover(silentClients: true), "what is allowed again")
    }

    @Test("let a DHCP client and its server talk, whatever they are", arguments: policies)
    func dhcp(policy: HostPolicy) async throws {
        let host = try LabHost(layout: Layout(host: policy))
        try await host.apply { try $0.put("closed") }
        let pod = try await host.pods("web", groups: ["closed"])[0]
        let link = try RawLink(in: pod.namespace, interface: "eth0")
        for (from, to, client, server) in [
            ("0.0.0.0", "255.255.255.255", 68, 67), (pod.ipv4, LabHost.gateways[0], 68, 67), ("fe80::5", "ff02::1", 546, 547),
            (pod.ipv6, LabHost.gateways[1], 546, 547),
        ] as [(String, String, UInt16, UInt16)] {
            let heard = try UDP(in: host.host, at: to.contains(":") ? "::" : "0.0.0.0", port: server)
            try link.send(
                .udp(mac: pod.peer.mac, to: Frame.broadcast, from: from, port: client, to: to, port: server, "discover from \(from)"))
            #expect(heard.receive(within: soon)?.text == "discover from \(from)")
        }
        for family in Family.allCases {
            let (client, port): (UInt16, UInt16) = family == .v4 ? (68, 67) : (546, 547)
            let asking = try UDP(in: pod.namespace, at: pod.address(family), port: client)
            let server = try UDP(in: host.host, at: LabHost.gateways[family == .v4 ? 0 : 1], port: port)
            #expect(try server.reaches(asking, at: pod.address(family), within: soon), "an offer that nobody asked for yet, \(family)")
            #expect(try asking.reaches(server, at: LabHost.gateways[family == .v4 ? 0 : 1], within: soon), "\(family)")
            #expect(try server.reaches(asking, at: pod.address(family), within: soon), "the answer, \(family)")
        }
    }

    @Test("let no pod be a DHCP server or a router to its host, not even one without port security", arguments: policies, [true, false])
    func servers(policy: HostPolicy, portSecurity: Bool) async throws {
        let host = try LabHost(layout: Layout(host: policy))
        try await host.apply { try $0.put("open", .in("in"), .out("out")) }
        let pod = try host.pod("web")
        try await host.apply { try $0.put(pod.intent(["open"]) { $0.portSecurity = portSecurity }) }
        let link = try RawLink(in: pod.namespace, interface: "eth0")
        let before = (try host.host.run("ip", "route"), try host.host.run("ip", "-6", "route"))
        for family in Family.allCases {
            let (client, server): (UInt16, UInt16) = family == .v4 ? (68, 67) : (546, 547)
            let gateway = LabHost.gateways[family == .v4 ? 0 : 1]
            let (asking, other) = try (UDP(in: host.host, at: gateway, port: client), UDP(in: host.host, at: gateway, port: client + 1))
            for port in [client, client + 1] {
                try link.send(
                    .udp(mac: pod.peer.mac, to: pod.peer.router, from: pod.address(family), port: server, to: gateway, port: port, "offer"))
            }
            for type in (family == .v4 ? [5] : [134, 137]) as [UInt8] {
                let segment = Segment(.icmp(type: type, code: 0, isIPv6: family == .v6))
                try link.send(
                    .of(
                        segment, carrying: String(repeating: "route", count: 8), mac: pod.peer.mac, to: pod.peer.router,
                        from: pod.address(family), to: gateway))
            }
            #expect((other.receive(within: policy.fromPods == .replies ? never : soon) != nil) == (policy.fromPods != .replies))
            #expect(try Echo(in: pod.namespace, at: pod.address(family)).reaches(gateway, within: soon))
            #expect(asking.receive(within: .zero) == nil)
        }
        let denied = try host.denied(to: pod, .out).packets
        #expect(denied == (policy.fromPods == .replies ? 2 : 0) + 5, "two offers, three words about routes")
        #expect(try host.host.run("ip", "route") == before.0 && host.host.run("ip", "-6", "route") == before.1)
    }

    @Test("let the host tell what went wrong with a packet", arguments: policies, Family.allCases)
    func errors(policy: HostPolicy, family: Family) async throws {
        let host = try LabHost(layout: Layout(host: policy))
        try await host.apply { try $0.put("some", .out("udp", .udp, 53...53), .in("udp", .udp, 53...53)) }
        let (pod, other) = (try host.pod("web"), try host.pod("narrow"))
        try await host.apply {
            try $0.put(pod.intent(["some"]))
            try $0.put(other.intent(["some"]) { $0.mtu = 1300 })
        }
        let link = try RawLink(in: pod.namespace, interface: "eth0")
        let socket = try UDP(in: pod.namespace, at: pod.address(family))
        func isTold(_ type: UInt8, _ code: UInt8) -> Bool {
            let header = family == .v4 ? 20 : 40
            return link.receive(within: soon) { frame in
                frame.type == (family == .v4 ? 0x0800 : 0x86dd) && frame.payload.count > header + 2
                    && frame.payload[family == .v4 ? 9 : 6] == (family == .v4 ? 1 : 58)
                    && Array(frame.payload[header..<(header + 2)]) == [type, code]
            } != nil
        }
        // Before the flow is known to tracking: the packet didn't get far.
        try socket.send(String(repeating: "x", count: 1400), to: other.address(family), port: 53)
        #expect(family == .v4 ? isTold(3, 4) : isTold(2, 0), "too big")
        guard policy.fromPods != .replies else { return }
        try socket.send("anybody?", to: LabHost.gateways[family == .v4 ? 0 : 1], port: 53)
        #expect(family == .v4 ? isTold(3, 3) : isTold(1, 4), "nobody listens")
    }
}

extension HostPolicy: CustomTestStringConvertible {
    package var testDescription: String { "to pods \(toPods), from pods \(fromPods)" }
}
