import HostNetwork
import Lab
import OwnThreads
import Testing

@Suite("Between a pod and its host", .ownThreads) struct PolicyHostTests {
    /// A pod that may say everything to everybody.
    private func world(_ policy: HostPolicy = HostPolicy()) async throws -> (host: LabHost, pod: LabPod) {
        let host = try LabHost(layout: Layout(host: policy))
        try await host.apply { try $0.put("open", .in("in"), .out("out")) }
        return (host, try await host.pods("web-0", groups: ["open"])[0])
    }

    /// Whether a datagram and a connection from one to the other arrive.
    private func reaches(
        _ sender: LabNamespace, _ source: String, _ receiver: LabNamespace, _ address: String, within time: Duration
    ) throws -> [Bool] {
        let sockets = try (UDP(in: sender, at: source), UDP(in: receiver, at: address))
        let listener = try TCPListener(in: receiver, at: address)
        let datagram = try sockets.0.reaches(sockets.1, at: address, within: time)
        let attempt = try TCP.attempt(from: sender, to: address, port: listener.port, within: time)
        return [datagram, attempt == .connected]
    }

    @Test("ping of the gateway passes, and nothing else that the pod begins", arguments: Family.allCases)
    func fromPod(family: Family) async throws {
        let (host, pod) = try await world()
        let (own, gateway) = (pod.address(family), LabHost.gateways[family == .v4 ? 0 : 1])
        let other = family == .v4 ? "192.0.2.1" : "2001:db8:ff::1"
        #expect(try Echo(in: pod.namespace, at: own).reaches(gateway, within: .seconds(2)))
        #expect(try !Echo(in: pod.namespace, at: own).reaches(other, within: .milliseconds(80)))
        for address in [gateway, other] {
            #expect(try reaches(pod.namespace, own, host.host, address, within: .milliseconds(80)) == [false, false])
        }
        // It isn't for want of a way.
        #expect(try reaches(host.host, gateway, pod.namespace, own, within: .seconds(2)) == [true, true])
    }

    @Test("the host begins what it likes, whatever the pod's rules, and the pod answers", arguments: Family.allCases)
    func fromHost(family: Family) async throws {
        let (host, pod) = try await world()
        try await host.apply {
            try $0.put("closed")
            try $0.put(pod.intent(["closed"]))
        }
        let (own, gateway) = (pod.address(family), LabHost.gateways[family == .v4 ? 0 : 1])
        #expect(try Echo(in: host.host, at: gateway).reaches(own, within: .seconds(2)))
        let listener = try TCPListener(in: pod.namespace, at: own)
        let client = try #require(try TCP.connect(from: host.host, to: own, port: listener.port, within: .seconds(2)))
        let server = try #require(listener.accept(within: .seconds(2)))
        #expect(try client.carries("a question", to: server, within: .seconds(2)))
        #expect(try server.carries("an answer", to: client, within: .seconds(2)))
        #expect(try reaches(pod.namespace, own, host.host, gateway, within: .milliseconds(80)) == [false, false])
    }

    @Test("settings let pods reach the host, or judge what the host begins by the pod's rules", arguments: Family.allCases)
    func settings(family: Family) async throws {
        let (host, pod) = try await world(HostPolicy(toPods: .rules, fromPods: .allow))
        let (own, gateway) = (pod.address(family), LabHost.gateways[family == .v4 ? 0 : 1])
        #expect(try reaches(pod.namespace, own, host.host, gateway, within: .seconds(2)) == [true, true])
        #expect(try reaches(host.host, gateway, pod.namespace, own, within: .seconds(2)) == [true, true])
        try await host.apply { try $0.put("open", .in("sql", .tcp, 5432...5432), .out("out")) }
        #expect(try reaches(host.host, gateway, pod.namespace, own, within: .milliseconds(80)) == [false, false])
        let listener = try TCPListener(in: pod.namespace, at: own, port: 5432)
        let client = try #require(try TCP.connect(from: host.host, to: own, port: 5432, within: .seconds(2)))
        let server = try #require(listener.accept(within: .seconds(2)))
        #expect(try server.carries("an answer", to: client, within: .seconds(2)))
        #expect(try reaches(pod.namespace, own, host.host, gateway, within: .seconds(2)) == [true, true])
    }

    @Test("the pod can't speak to the host as somebody else", arguments: Family.allCases)
    func spoofing(family: Family) async throws {
        let (host, pod) = try await world(HostPolicy(fromPods: .allow))
        let gateway = LabHost.gateways[family == .v4 ? 0 : 1]
        let server = try UDP(in: host.host, at: gateway, port: 53)
        let link = try RawLink(in: pod.namespace, interface: "eth0")
        for (mac, address, passes) in [
            (pod.mac.description, pod.address(family), true), (pod.mac.description, family == .v4 ? "10.1.0.99" : "fd00:1::99", false),
            ("02:00:00:00:00:01", pod.address(family), false), (pod.mac.description, gateway, false),
        ] {
            try link.send(
                .udp(
                    mac: mac, to: pod.peer.router, from: address, port: 40000, to: gateway, port: 53, "from \(address) at \(mac)"))
            let came = server.receive(within: passes ? .seconds(2) : .milliseconds(80))
            #expect(came?.text == (passes ? "from \(address) at \(mac)" : nil))
        }
    }

    @Test("a DHCP client is heard before it has an address, under every binding, and only as that")
    func dhcp() async throws {
        let (host, pod) = try await world()
        try await host.apply {
            try $0.put("closed")
            try $0.put(pod.intent(["closed"]))
        }
        let link = try RawLink(in: pod.namespace, interface: "eth0")
        let cases: [(from: String, to: String, client: UInt16, server: UInt16)] = [
            ("0.0.0.0", "255.255.255.255", 68, 67), (pod.ipv4, LabHost.gateways[0], 68, 67), ("fe80::5", "ff02::1", 546, 547),
            (pod.ipv6, LabHost.gateways[1], 546, 547),
        ]
        for (from, to, client, port) in cases {
            let any = to.contains(":") ? "::" : "0.0.0.0"
            let (server, other) = try (UDP(in: host.host, at: any, port: port), UDP(in: host.host, at: any, port: port + 1000))
            func send(mac: String, _ source: UInt16, _ port: UInt16) throws {
                try link.send(
                    .udp(mac: mac, to: Frame.broadcast, from: from, port: source, to: to, port: port, "discover from \(source) by \(mac)"))
            }
            try send(mac: "02:00:00:00:00:01", client, port)
            try send(mac: pod.peer.mac, client + 1, port)
            try send(mac: pod.peer.mac, client, port + 1000)
            try send(mac: pod.peer.mac, client, port)
            #expect(server.receive(within: .seconds(2))?.text == "discover from \(client) by \(pod.peer.mac)", "\(from) to \(to)")
            #expect(server.receive(within: .milliseconds(50)) == nil, "\(from) to \(to)")
            #expect(other.receive(within: .zero) == nil, "\(from) to \(to)")
        }
    }

    @Test("the gateway still answers when the pod forgets where it is")
    func flushes() async throws {
        let (host, pod) = try await world()
        let outsider = try host.outsider(7)
        for gateway in LabHost.gateways { try pod.namespace.run("ip", "neigh", "del", gateway, "dev", "eth0") }
        for family in Family.allCases {
            let probe = try Echo(in: pod.namespace, at: pod.address(family))
            #expect(try probe.reaches(LabHost.gateways[family == .v4 ? 0 : 1], within: .seconds(2)), "\(family)")
            #expect(try probe.reaches(outsider.address(family), within: .seconds(2)), "\(family)")
        }
        let found = try pod.namespace.json("ip", "-j", "neigh", "show", "dev", "eth0")
        #expect(Set(found.compactMap { $0["lladdr"] as? String }) == [Marks.hostMAC.description])
        // What the pod has lost is not what was made.
        for family in ["-4", "-6"] { try pod.namespace.run("ip", family, "neigh", "flush", "dev", "eth0") }
        for (gateway, mac) in LabHost.gateways.map({ ($0, Marks.hostMAC.description) }) {
            try pod.namespace.run("ip", "neigh", "replace", gateway, "lladdr", mac, "nud", "permanent", "dev", "eth0")
        }
    }

    @Test("a marked link that nobody is bound to passes nothing, either way")
    func failsClosed() async throws {
        let (host, pod) = try await world(HostPolicy(toPods: .rules, fromPods: .allow))
        let stray = try host.lab.namespace("stray")
        let addresses = ["10.1.0.150", "fd00:1::150"]
        try host.host.run("ip", "link", "add", "stray", "type", "veth", "peer", "name", "eth0", "netns", stray.path)
        try host.host.run("ip", "link", "set", "stray", "address", Marks.hostMAC.description, "up")
        try stray.run("ip", "link", "set", "eth0", "address", "02:00:0a:01:00:96", "up")
        for (address, gateway) in zip(addresses, LabHost.gateways) {
            try stray.add(address: address, to: "eth0")
            try stray.run("ip", "neigh", "add", gateway, "lladdr", Marks.hostMAC.description, "dev", "eth0")
            try stray.run("ip", "route", "add", "default", "via", gateway, "dev", "eth0", "onlink")
            try host.host.run("ip", "route", "add", address, "dev", "stray")
            try host.host.run("ip", "neigh", "add", address, "lladdr", "02:00:0a:01:00:96", "dev", "stray")
        }
        let peer = LabPeer(
            namespace: stray, interface: "eth0", addresses: addresses, mac: "02:00:0a:01:00:96", router: Marks.hostMAC.description,
            host: host)
        let packets: [Segment] = [.tcp(80), .udp(53), .icmp(8), .icmpv6(128), .other(47)]
        func trials(pass: Bool) -> [Trial] {
            let (pass, block) = pass ? (packets, []) : ([], packets)
            return [.from(peer, to: pod.peer, pass: pass, block: block), .from(pod.peer, to: peer, pass: pass, block: block)]
        }
        // Not Hawser's, so not its business.
        try expect(trials(pass: true))
        #expect(try reaches(stray, addresses[0], host.host, "10.1.0.1", within: .seconds(2)) == [true, true])
        try host.host.run("ip", "link", "set", "stray", "group", "\(Marks.linkGroup)")
        try expect(trials(pass: false))
        for (address, gateway) in zip(addresses, LabHost.gateways) {
            #expect(try reaches(stray, address, host.host, gateway, within: .milliseconds(80)) == [false, false])
            #expect(try reaches(host.host, gateway, stray, address, within: .milliseconds(80)) == [false, false])
        }
    }
}
