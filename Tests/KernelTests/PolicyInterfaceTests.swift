import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("What `ip` says of a pod", .ownThreads) struct PolicyInterfaceTests {
    private let packets: [Segment] = [.tcp(80), .udp(53)]

    private func link(of pod: LabPod) throws -> [String: Any]? {
        try pod.host.host.json("ip", "-j", "-d", "link", "show").first { $0["ifname"] as? String == pod.link.value }
    }

    private func inside(_ pod: LabPod) throws -> [String: Any]? {
        try pod.namespace.json("ip", "-j", "-d", "link", "show", "dev", "eth0").first
    }

    private func addresses(of pod: LabPod) throws -> Set<String> {
        let found = try pod.namespace.json("ip", "-j", "addr", "show", "dev", "eth0", "scope", "global")
            .flatMap { $0["addr_info"] as? [[String: Any]] ?? [] }
        // `ip` writes an empty entry for each address that it was told to leave out.
        return Set(found.compactMap { entry in (entry["local"] as? String).map { "\($0)/\(entry["prefixlen"] as? Int ?? 0)" } })
    }

    /// Destinations of the host's routes that bear Hawser's number.
    private func routes(of pod: LabPod) throws -> Set<String> {
        Set(
            try ["-4", "-6"].flatMap { family in
                try pod.host.host.json("ip", family, "-j", "route", "show", "proto", "\(Marks.routeProtocol)", "dev", pod.link.value)
                    .compactMap { $0["dst"] as? String }
            })
    }

    private func neighbors(_ namespace: LabNamespace, _ interface: String) throws -> [String: String] {
        let found = try namespace.json("ip", "-j", "neigh", "show", "dev", interface, "nud", "permanent")
        return Dictionary(found.map { ($0["dst"] as? String ?? "", $0["lladdr"] as? String ?? "") }) { $1 }
    }

    private func reversePath(_ pod: LabPod) throws -> String {
        try pod.host.host.inside { try Setting("ipv4/conf/\(pod.link)/rp_filter").read() }
    }

    @Test("is what its intent says, on both sides, with the marks of whose it is")
    func facts() async throws {
        let host = try LabHost()
        let pod = try host.pod("web-0")
        try await host.apply { try $0.put(pod.intent { $0.mtu = 1400 }) }
        let link = try #require(try link(of: pod))
        #expect(link["mtu"] as? Int == 1400)
        #expect(link["address"] as? String == Marks.hostMAC.description)
        #expect(link["ifalias"] as? String == "web-0")
        #expect(link["altnames"] as? [String] == ["pod-web-0"])
        #expect(link["group"] as? String == "\(Marks.linkGroup)")
        #expect((link["flags"] as? [String])?.contains("UP") == true)
        let side = try #require(try inside(pod))
        #expect(side["mtu"] as? Int == 1400)
        #expect(side["address"] as? String == pod.mac.description)
        #expect((side["flags"] as? [String])?.contains("UP") == true)
        #expect(try addresses(of: pod) == ["\(pod.ipv4)/32", "\(pod.ipv6)/128"])
        #expect(try routes(of: pod) == [pod.ipv4, pod.ipv6])
        #expect(try neighbors(host.host, pod.link.value) == [pod.ipv4: pod.peer.mac, pod.ipv6: pod.peer.mac])
        #expect(try neighbors(pod.namespace, "eth0") == Dictionary(uniqueKeysWithValues: LabHost.gateways.map { ($0, pod.peer.router) }))
        for (family, gateway) in zip(["-4", "-6"], LabHost.gateways) {
            let routes = try pod.namespace.json("ip", family, "-j", "route", "show", "default")
            #expect(routes.map { $0["gateway"] as? String } == [gateway])
            let onHost = try host.host.json("ip", family, "-j", "addr", "show", "dev", pod.link.value, "scope", "global")
                .flatMap { $0["addr_info"] as? [[String: Any]] ?? [] }
            #expect(onHost.map { $0["local"] as? String } == [gateway])
        }
        #expect(try reversePath(pod) == "1")

        try await host.apply { try $0.put(pod.intent { $0.allowedAddressPairs = [AddressPair(address: Prefix("10.1.0.200"))] }) }
        #expect(try reversePath(pod) == "0")
        try await host.apply { try $0.put(pod.intent { $0.portSecurity = false }) }
        #expect(try reversePath(pod) == "0")
        try await host.apply { try $0.put(pod.intent()) }
        #expect(try reversePath(pod) == "1")
    }

    @Test("follows adminUp: down, nothing gets anywhere; up again, everything does")
    func adminUp() async throws {
        let host = try LabHost()
        let pods = try await host.pods("a", "b")
        try expect(.from(pods[0], to: pods[1], pass: packets))
        try await host.apply { try $0.put(pods[1].intent { $0.adminUp = false }) }
        #expect((try link(of: pods[1])?["flags"] as? [String])?.contains("UP") == false)
        #expect((try inside(pods[1])?["flags"] as? [String])?.contains("LOWER_UP") != true)
        #expect(try routes(of: pods[1]) == [])
        // It can't be sent by one whose link is down, nor be seen by it: what the others hear is looked at.
        for family in Family.allCases {
            let probe = try Echo(in: pods[0].namespace, at: pods[0].address(family))
            #expect(try !probe.reaches(pods[1].address(family), within: .milliseconds(80)))
        }
        try await host.apply { try $0.put(pods[1].intent()) }
        try expect(.from(pods[0], to: pods[1], pass: packets), .from(pods[1], to: pods[0], pass: packets))
        #expect(try routes(of: pods[1]) == [pods[1].ipv4, pods[1].ipv6])

        let late = try host.pod("late")
        try await host.apply { try $0.put(late.intent { $0.adminUp = false }) }
        #expect((try link(of: late)?["flags"] as? [String])?.contains("UP") == false)
        try await host.apply { try $0.put(late.intent()) }
        try expect(.from(pods[0], to: late, pass: packets), .from(late, to: pods[0], pass: packets))
    }

    @Test("follows its MTU and MAC, without being made anew")
    func changes() async throws {
        let host = try LabHost()
        let pods = try await host.pods("a", "b")
        let index = try #require(try link(of: pods[0])?["ifindex"] as? Int)
        try await host.apply {
            try $0.put(
                pods[0].intent {
                    $0.mtu = 1300
                    $0.mac = MAC(0x0200_0000_0042)
                })
        }
        #expect(try link(of: pods[0])?["ifindex"] as? Int == index)
        #expect(try link(of: pods[0])?["mtu"] as? Int == 1300)
        #expect(try inside(pods[0])?["mtu"] as? Int == 1300)
        #expect(try inside(pods[0])?["address"] as? String == "02:00:00:00:00:42")
        var moved = pods[0].peer
        moved.mac = "02:00:00:00:00:42"
        try expect(
            .from(moved, to: pods[1].peer, pass: packets), .from(pods[0], to: pods[1], block: packets),
            .from(pods[1].peer, to: moved, pass: packets))
    }

    @Test("follows its addresses: a new one is reached at once, one that is gone is neither reached nor spoken from")
    func addresses() async throws {
        let host = try LabHost()
        let pods = try await host.pods("a", "b")
        var second = pods[0].peer
        second.addresses = ["10.1.0.77", "fd00:1::77"]
        let both = (pods[0].peer.addresses + second.addresses).map { IPAddress($0) }
        try expect(.from(second, to: pods[1].peer, block: packets), .from(pods[1].peer, to: second, block: packets))
        try await host.apply { try $0.put(pods[0].intent { $0.addresses = both }) }
        try expect(
            .from(second, to: pods[1].peer, pass: packets), .from(pods[1].peer, to: second, pass: packets),
            .from(pods[0], to: pods[1], pass: packets), .from(pods[1], to: pods[0], pass: packets))
        #expect(try addresses(of: pods[0]) == ["\(pods[0].ipv4)/32", "\(pods[0].ipv6)/128", "10.1.0.77/32", "fd00:1::77/128"])
        #expect(try routes(of: pods[0]) == Set(both.map(\.description)))
        try await host.apply { try $0.put(pods[0].intent { $0.addresses = Array(both[2...]) }) }
        try expect(
            .from(second, to: pods[1].peer, pass: packets), .from(pods[1].peer, to: second, pass: packets),
            .from(pods[0], to: pods[1], block: packets), .from(pods[1], to: pods[0], block: packets))
        #expect(try addresses(of: pods[0]) == ["10.1.0.77/32", "fd00:1::77/128"])
        #expect(try routes(of: pods[0]) == ["10.1.0.77", "fd00:1::77"])

        // One family alone.
        try await host.apply { try $0.put(pods[0].intent { $0.addresses = [both[0]] }) }
        try expect(.from(pods[0], to: pods[1], [.v4], pass: packets), .from(pods[0], to: pods[1], [.v6], block: packets))
        #expect(try pods[0].namespace.json("ip", "-6", "-j", "route", "show", "default").isEmpty)
        try await host.apply { try $0.put(pods[0].intent()) }
        try expect(.from(pods[0], to: pods[1], pass: packets), .from(pods[1], to: pods[0], pass: packets))
    }

    @Test("is nothing when it is gone, and who has its address next starts afresh")
    func isGone() async throws {
        let host = try LabHost()
        let pods = try await host.pods("a", "b")
        let empty = host.believed.entries.values.filter { $0.object.isRuleset }.count
        let gone = try host.pod("gone", 30)
        try await host.apply { try $0.put(gone.intent()) }
        try expect(.from(gone, to: pods[0], pass: packets), .from(pods[0], to: gone, pass: packets))
        try await host.apply { try $0.delete(gone.id) }
        #expect(try link(of: gone) == nil)
        #expect(try gone.namespace.json("ip", "-j", "link", "show").count == 1)
        #expect(host.believed.entries.values.filter { $0.object.isRuleset }.count == empty)
        let flows = try host.host.run("conntrack", "-L") + host.host.run("conntrack", "-L", "-f", "ipv6")
        #expect(!flows.contains(gone.ipv4 + " ") && !flows.contains(gone.ipv6 + " "))

        let heir = try host.pod("heir", 30)
        try await host.apply { try $0.put(heir.intent()) }
        try expect(.from(heir, to: pods[0], pass: packets), .from(pods[0], to: heir, pass: packets))
    }
}
