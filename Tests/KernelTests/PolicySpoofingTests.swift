import HostNetwork
import Lab
import OwnThreads
import Testing

@Suite("Anti-spoofing", .ownThreads) struct PolicySpoofingTests {
    private let anything: [Segment] = [.tcp(80), .udp(53), .icmp(8), .icmpv6(128), .other(47)]

    /// Two pods that may say everything to each other, and one more.
    private func world() async throws -> (host: LabHost, pods: [LabPod]) {
        let host = try LabHost()
        try await host.apply { try $0.put("open", .in("in"), .out("out")) }
        return (host, try await host.pods("a", "b", "c", groups: ["open"]))
    }

    private func peer(_ pod: LabPod, addresses: [String]? = nil, mac: String? = nil) -> LabPeer {
        var peer = pod.peer
        peer.addresses = addresses ?? peer.addresses
        peer.mac = mac ?? peer.mac
        return peer
    }

    @Test("lets a pod send from its own addresses and MAC alone, in both families")
    func sources() async throws {
        let (_, pods) = try await world()
        let stranger = "02:00:0a:01:00:63"
        try expect(
            .from(pods[0], to: pods[1], pass: anything),
            // Another pod's, nobody's, the gateway's, and the other pod's with its MAC.
            .from(peer(pods[0], addresses: [pods[2].ipv4, pods[2].ipv6]), to: pods[1].peer, block: anything),
            .from(peer(pods[0], addresses: ["10.1.0.99", "fd00:1::99"]), to: pods[1].peer, block: anything),
            .from(peer(pods[0], addresses: LabHost.gateways), to: pods[1].peer, block: anything),
            .from(peer(pods[0], addresses: [pods[2].ipv4, pods[2].ipv6], mac: pods[2].peer.mac), to: pods[1].peer, block: anything),
            .from(peer(pods[0], mac: stranger), to: pods[1].peer, block: anything))
    }

    @Test("holds on an established flow of another pod, too, in either direction of it")
    func established() async throws {
        let (_, pods) = try await world()
        for family in Family.allCases {
            let (server, client) = try (
                UDP(in: pods[1].namespace, at: pods[1].address(family), port: 53),
                UDP(in: pods[0].namespace, at: pods[0].address(family), port: 40000)
            )
            #expect(try client.reaches(server, at: pods[1].address(family), within: .seconds(2)))
            #expect(try server.reaches(client, at: pods[0].address(family), within: .seconds(2)))
            try expect(
                .from(peer(pods[2], addresses: pods[0].peer.addresses), to: pods[1].peer, [family], block: [.udp(53, from: 40000)]),
                .from(peer(pods[2], addresses: pods[1].peer.addresses), to: pods[0].peer, [family], block: [.udp(40000, from: 53)]),
                .from(pods[0].peer, to: pods[1].peer, [family], pass: [.udp(53, from: 40000)]),
                .from(pods[1].peer, to: pods[0].peer, [family], pass: [.udp(40000, from: 53)]))
        }
    }

    @Test("lets allowed address pairs pass: a single one, a prefix, one with a MAC of its own; and nothing beside them")
    func pairs() async throws {
        let (host, pods) = try await world()
        let virtual = "00:00:5e:00:01:05"
        try await host.apply {
            try $0.put(
                pods[0].intent(["open"]) {
                    $0.allowedAddressPairs = ["10.1.0.200", "10.1.0.208/30", "fd00:1::200", "fd00:1::208/126"].map {
                        AddressPair(address: Prefix($0))
                    }
                    $0.allowedAddressPairs += ["10.1.0.201", "fd00:1::201"].map {
                        AddressPair(address: Prefix($0), mac: MAC(0x0000_5e00_0105))
                    }
                })
        }
        func trial(_ ipv4: String, _ ipv6: String, mac: String? = nil, passes: Bool) -> Trial {
            let sender = peer(pods[0], addresses: [ipv4, ipv6], mac: mac)
            return .from(sender, to: pods[1].peer, pass: passes ? anything : [], block: passes ? [] : anything)
        }
        try expect(
            .from(pods[0], to: pods[1], pass: anything), trial("10.1.0.200", "fd00:1::200", passes: true),
            trial("10.1.0.208", "fd00:1::208", passes: true), trial("10.1.0.211", "fd00:1::20b", passes: true),
            trial("10.1.0.201", "fd00:1::201", mac: virtual, passes: true), trial("10.1.0.207", "fd00:1::207", passes: false),
            trial("10.1.0.212", "fd00:1::20c", passes: false), trial("10.1.0.201", "fd00:1::201", passes: false),
            trial("10.1.0.200", "fd00:1::200", mac: virtual, passes: false), trial(pods[0].ipv4, pods[0].ipv6, mac: virtual, passes: false))
        try await host.apply { try $0.put(pods[0].intent(["open"])) }
        try expect(
            .from(pods[0], to: pods[1], pass: anything), trial("10.1.0.200", "fd00:1::200", passes: false),
            trial("10.1.0.208", "fd00:1::208", passes: false), trial("10.1.0.201", "fd00:1::201", mac: virtual, passes: false))
    }

    @Test("can be all of a family, which is no more than that")
    func allowsEverything() async throws {
        let (host, pods) = try await world()
        try await host.apply {
            try $0.put(pods[0].intent(["open"]) { $0.allowedAddressPairs = [AddressPair(address: Prefix("0.0.0.0/0"))] })
        }
        let stranger = peer(pods[0], addresses: ["203.0.113.5", "2001:db8:9::5"])
        try expect(
            .from(stranger, to: pods[1].peer, [.v4], pass: anything), .from(stranger, to: pods[1].peer, [.v6], block: anything),
            .from(pods[0], to: pods[1], pass: anything), .from(peer(pods[0], mac: "02:00:00:00:00:01"), to: pods[1].peer, block: anything))
    }

    @Test("ends with port security, and so does every rule; both come back with it")
    func portSecurity() async throws {
        let (host, pods) = try await world()
        try await host.apply {
            try $0.put("closed")
            try $0.put(pods[0].intent(["closed"]))
        }
        let spoofing = peer(pods[0], addresses: ["203.0.113.5", "2001:db8:9::5"], mac: "02:00:00:00:00:01")
        let both = [Trial.from(spoofing, to: pods[1].peer), .from(pods[0], to: pods[1]), .from(pods[1], to: pods[0])]
        func all(pass: Bool) -> [Trial] {
            both.map { trial in
                var trial = trial
                if pass { trial.pass = anything } else { trial.block = anything }
                return trial
            }
        }
        try expect(all(pass: false))
        try await host.apply { try $0.put(pods[0].intent(["closed"]) { $0.portSecurity = false }) }
        try expect(all(pass: true))
        // Flows that began meanwhile are judged again.
        try await host.apply { try $0.put(pods[0].intent(["closed"])) }
        try expect(all(pass: false) + [.from(pods[1], to: pods[2], pass: anything)])
    }

    @Test("binds a pod that waits for a group nobody knows, too")
    func unknownGroup() async throws {
        let (host, pods) = try await world()
        let pod = try host.pod("waiting", 20)
        try await host.apply { try $0.put(pod.intent(["nobody-knows"])) }
        try expect(
            .from(pod, to: pods[0], block: anything), .from(pods[0], to: pod, block: anything), .from(pods[0], to: pods[1], pass: anything))
        try await host.apply { try $0.put("nobody-knows", .out("out", .udp)) }
        try expect(
            .from(pod, to: pods[0], pass: [.udp(53)], block: [.tcp(80)]), .from(pods[0], to: pod, block: anything),
            .from(peer(pod, addresses: ["10.1.0.99", "fd00:1::99"]), to: pods[0].peer, block: [.udp(53)]))
    }

    @Test("makes no DHCP server and no router of any pod, whatever its rules")
    func servers() async throws {
        let (_, pods) = try await world()
        try expect(
            .from(
                pods[0], to: pods[1], [.v4], pass: [.udp(68, from: 66), .udp(67, from: 68), .udp(69, from: 67), .icmp(8)],
                block: [.udp(68, from: 67), .icmp(5), .icmp(5, code: 1)]),
            .from(
                pods[0], to: pods[1], [.v6], pass: [.udp(546, from: 545), .udp(547, from: 546), .icmpv6(128)],
                block: [.udp(546, from: 547), .icmpv6(134), .icmpv6(137)]))
    }

    @Test("makes no DHCP server of a pod that was asked either, whatever it may answer", arguments: [(66, true), (67, false)])
    func askedServers(port: UInt16, isAnswered: Bool) async throws {
        let (_, pods) = try await world()
        for (family, server, client) in [(Family.v4, port, UInt16(68)), (.v6, port + 480, 546)] {
            // The flow is good, and its answers are not.
            try expect(.from(pods[1], to: pods[0], [family], pass: [.udp(server, from: client)]))
            let answer = Segment.udp(client, from: server)
            try expect(.from(pods[0], to: pods[1], [family], pass: isAnswered ? [answer] : [], block: isAnswered ? [] : [answer]))
        }
    }
}
