import Foundation
import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("The ruleset in the hands of `nft`", .ownThreads) struct PolicyListingTests {
    /// A host with something of every kind in its ruleset.
    private func world(_ layout: Layout = Layout(), owned: Bool = true) async throws -> LabHost {
        let host = try LabHost(layout: layout, owned: owned)
        let long = ID<SecurityGroup>("group:" + String(repeating: "0123456789", count: 24))
        try await host.apply {
            try $0.put(
                AddressGroup(
                    id: "office", cidrs: ["198.51.100.0/24", "203.0.113.9", "2001:db8:1::/48", "2001:db8:2::9"].map { Prefix($0) }))
            try $0.put(
                "web", .in("http", .tcp, 80...81), .from("ssh:from//office", "198.51.100.0/25", .tcp, 22...22), .icmp(8),
                .icmp(128, .icmpv6),
                .in("peers", nil, nil, .group("web")), .in("db-back", .sctp, 5...5, .group("unknown")),
                Rule(id: "ntp", direction: .ingress, protocol: .udp, ports: PortRange(123), sourcePorts: PortRange(123)), .out("all"),
                .out("gre", IPProtocol(47), nil, .cidr(Prefix("2001:db8::/32"))))
            try $0.put(
                SecurityGroup(
                    id: "prod/web:1//x", network: "blue",
                    rules: [.in("office", .tcp, 1...1023, .addressGroup("office")), .in("icmp", .icmp, nil, .group("web"))]))
            try $0.put(SecurityGroup(id: long, rules: [.in("long", .dccp, 9...9, .group("web")), .out("udplite", .udplite)]))
            try $0.put("bare", stateful: false, .in("dns", .udp, 53...53), .out("dns-back", .udp))
            try $0.put(
                Neighbor(
                    id: "web:7", network: "blue", addresses: [IPAddress("10.1.0.70"), IPAddress("fd00:1::70")], securityGroups: ["web"]))
        }
        let (web, bare, open) = (try host.pod("prod/web-0"), try host.pod("bare-0"), try host.pod("open-0"))
        try await host.apply {
            try $0.put(
                web.intent(["web", "prod/web:1//x", long]) {
                    $0.allowedAddressPairs = ["10.1.0.200", "10.1.0.208/30", "fd00:1::208/126"].map { AddressPair(address: Prefix($0)) }
                })
            try $0.put(bare.intent(["bare"]))
            try $0.put(open.intent { $0.portSecurity = false })
        }
        return host
    }

    @Test("is listed as text and as JSON, with the ids of what each part is for")
    func lists() async throws {
        let host = try await world()
        let text = try host.host.run("nft", "list", "ruleset")
        for id in ["pod prod/web-0", "pod bare-0", "neighbor web:7", "http", "ssh:from//office", "office", "ntp", "dns-back"] {
            #expect(text.contains("comment \"\(id)\""), "\(id)")
        }
        for name in ["sg-in/web", "sg-out-reply/web", "members-4/web", "addresses-6/office", "table inet hawser", "table arp hawser"] {
            #expect(text.contains(name), "\(name)")
        }
        // The two go with one another: as many of each kind.
        let json = try JSONSerialization.jsonObject(with: Data(host.host.run("nft", "-j", "list", "ruleset").utf8)) as? [String: Any]
        let objects = try #require(json?["nftables"] as? [[String: Any]])
        func count(_ kind: String) -> Int { objects.count { $0[kind] != nil } }
        func lines(_ words: String...) -> Int {
            text.split(separator: "\n").count { line in words.contains { line.drop { $0 == "\t" || $0 == " " }.hasPrefix($0 + " ") } }
        }
        #expect(count("table") == 2)
        #expect(count("chain") == lines("chain"))
        #expect(count("set") == lines("set"))
        #expect(count("map") == lines("map"))
        let believed = host.believed.entries.values.map(\.object)
        #expect(count("set") + count("map") == believed.count { if case .set = $0 { true } else { false } })
        #expect(count("chain") == believed.count { if case .chain = $0 { true } else { false } })
        // As others count them, by the text alone.
        let elements = objects.compactMap { ($0["set"] ?? $0["map"]) as? [String: Any] }.reduce(0) {
            $0 + (($1["elem"] as? [Any])?.count ?? 0)
        }
        let kinds = ["table", "chain", "rule", "set", "map"]
        let told = Dictionary(uniqueKeysWithValues: kinds.map { ($0, count($0)) }).merging(["element": elements]) { $1 }
        #expect(try host.host.rulesetCounts(of: Marks.table, withoutChains: "-") == told)
    }

    @Test("is taken back as it was listed")
    func loads() async throws {
        let host = try await world()
        let text = try host.host.run("nft", "list", "ruleset")
        #expect(text.contains("flags owner"))
        try host.lab.namespace("fresh").run(["nft", "-c", "-f", "-"], input: text)
        try host.observe()

        // Owned tables would go with the `nft` that loaded them.
        let other = try await world(owned: false)
        let listed = try other.host.run("nft", "--stateless", "list", "ruleset")
        let copy = try other.lab.namespace("copy")
        try copy.run(["nft", "-f", "-"], input: listed)
        #expect(try Self.sorted(copy.run("nft", "--stateless", "list", "ruleset")) == Self.sorted(listed))
    }

    @Test("is taken back by every setting", arguments: PolicyHostSettingsTests.policies, InvalidPackets.allCases)
    func settings(policy: HostPolicy, invalid: InvalidPackets) async throws {
        let host = try await world(Layout(host: policy, invalid: invalid))
        let text = try host.host.run("nft", "list", "ruleset")
        try host.lab.namespace("fresh").run(["nft", "-c", "-f", "-"], input: text)
        _ = try JSONSerialization.jsonObject(with: Data(host.host.run("nft", "-j", "list", "ruleset").utf8))
        try host.observe()
    }

    @Test("is listed and taken back where there are tunnels, too")
    func tunnels() async throws {
        let host = try await world(Layout(underlay: Underlay(address: IPAddress("192.0.2.1"), mtu: 1500)))
        try await host.apply { intents in
            var network = LabHost.network
            (network.fabric, network.tunnelID) = (.vxlan, TunnelID(4242))
            try intents.put(network)
            try intents.put(
                Neighbor(
                    id: "far", network: "blue", addresses: [IPAddress("10.1.0.71"), IPAddress("fd00:1::71")], host: IPAddress("192.0.2.7"),
                    securityGroups: ["web"]))
        }
        #expect(try host.host.json("ip", "-j", "link", "show", "type", "vxlan").compactMap { $0["ifname"] as? String } == ["hx4242"])
        let text = try host.host.run("nft", "list", "ruleset")
        #expect(text.contains("chain from-tunnel") && text.contains("iifgroup \(Marks.tunnelGroup)") && text.contains("10.1.0.71"))
        let json = try JSONSerialization.jsonObject(with: Data(host.host.run("nft", "-j", "list", "ruleset").utf8)) as? [String: Any]
        let chains = (json?["nftables"] as? [[String: Any]] ?? []).compactMap { ($0["chain"] as? [String: Any])?["name"] as? String }
        #expect(chains.contains("from-tunnel"))
        try host.lab.namespace("fresh").run(["nft", "-c", "-f", "-"], input: text)
        try host.observe()
    }

    /// Elements of hash sets come in whatever order.
    private static func sorted(_ listing: String) -> [String] {
        listing.split(whereSeparator: { $0 == "\n" || $0 == "," }).map { part in
            part.filter { !"\t{} ".contains($0) }.replacing("elements=", with: "")
        }.filter { !$0.isEmpty }.sorted()
    }
}
