import HostNetwork
import Lab
import OwnThreads
import Testing

@Suite("Remote groups and address groups", .ownThreads) struct PolicyMembersTests {
    @Test("allow pods of this host and neighbors that are members, and nobody else")
    func members() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put("web", .out("out"))
            try $0.put("db", .in("sql", .tcp, 5432...5432, .group("web")), .in("any-icmp", .icmp, nil, .group("web")))
        }
        let (web, db) = (try await host.pods("web-0", groups: ["web"])[0], try await host.pods("db-0", groups: ["db"])[0])
        let other = try await host.pods("other-0")[0]
        let (member, stranger) = (try host.outsider(70, isPod: true), try host.outsider(71, isPod: true))
        try await host.apply {
            try $0.put(Neighbor(id: "web-70", network: "blue", addresses: member.addresses.map { IPAddress($0) }, securityGroups: ["web"]))
            try $0.put(Neighbor(id: "odd-71", network: "blue", addresses: stranger.addresses.map { IPAddress($0) }))
        }
        try expect(
            .from(web, to: db, pass: [.tcp(5432), .icmp(8)], block: [.tcp(5433), .udp(5432)]),
            .from(member, to: db.peer, pass: [.tcp(5432), .icmp(8)], block: [.tcp(5433), .udp(5432)]),
            .from(other, to: db, block: [.tcp(5432), .icmp(8)]), .from(stranger, to: db.peer, block: [.tcp(5432), .icmp(8)]),
            .from(db, to: web, block: [.tcp(5432)]))

        // One becomes a member, another ceases to be one.
        try await host.apply {
            try $0.put(other.intent(["blue/default", "web"]))
            try $0.put(
                Neighbor(id: "odd-71", network: "blue", addresses: stranger.addresses.map { IPAddress($0) }, securityGroups: ["web"]))
            try $0.delete(ID<Neighbor>("web-70"))
            try $0.put(web.intent(["db"]))
        }
        try expect(
            .from(other, to: db, pass: [.tcp(5432), .icmp(8)]), .from(stranger, to: db.peer, pass: [.tcp(5432), .icmp(8)]),
            .from(member, to: db.peer, block: [.tcp(5432), .icmp(8)]), .from(web, to: db, block: [.tcp(5432), .icmp(8)]))
    }

    @Test("name where a pod may go, too")
    func egress() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put("web", .out("sql", .tcp, 5432...5432, .group("db")), .out("web", .udp, nil, .group("web")))
            try $0.put("db", .in("all"))
        }
        let web = try await host.pods("web-0", groups: ["web"])[0]
        let db = try await host.pods("db-0", groups: ["db"])[0]
        let (far, stranger) = (try host.outsider(70, isPod: true), try host.outsider(7))
        try await host.apply {
            try $0.put(Neighbor(id: "db-70", network: "blue", addresses: far.addresses.map { IPAddress($0) }, securityGroups: ["db"]))
        }
        try expect(
            .from(web, to: db, pass: [.tcp(5432)], block: [.tcp(5433), .udp(5432)]),
            .from(web.peer, to: far, pass: [.tcp(5432)], block: [.tcp(5433), .udp(5432)]),
            .from(web.peer, to: stranger, block: [.tcp(5432), .udp(5432)]))
    }

    @Test("match nobody while they are empty or unknown, whatever else the rule says, and their members from when they have some")
    func emptyOrUnknown() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put("empty")
            try $0.put(AddressGroup(id: "nobody"))
            try $0.put(
                "db", .in("empty", nil, nil, .group("empty")), .in("unknown", nil, nil, .group("unknown")),
                .in("no-address", nil, nil, .addressGroup("nobody")), .in("unknown-addresses", nil, nil, .addressGroup("unknown")),
                .in("ssh", .tcp, 22...22))
        }
        let (db, client) = (try await host.pods("db-0", groups: ["db"])[0], try await host.pods("client-0")[0])
        let outsider = try host.outsider(7)
        let packets: [Segment] = [.tcp(80), .udp(53), .icmp(8), .icmpv6(128), .other(47)]
        try expect(.from(client, to: db, pass: [.tcp(22)], block: packets), .from(outsider, to: db.peer, pass: [.tcp(22)], block: packets))

        try await host.apply { try $0.put("unknown", .out("out")) }
        try expect(.from(client, to: db, pass: [.tcp(22)], block: packets))
        try await host.apply { try $0.put(client.intent(["unknown"])) }
        try expect(.from(client, to: db, pass: packets), .from(outsider, to: db.peer, block: packets))
        try await host.apply {
            try $0.put(client.intent())
            try $0.put(AddressGroup(id: "unknown", cidrs: [Prefix("198.51.100.0/24"), Prefix("2001:db8:1::7")]))
        }
        try expect(.from(client, to: db, block: packets), .from(outsider, to: db.peer, pass: packets))
    }

    @Test("of addresses are exactly their prefixes, single addresses and wide ones, in both families")
    func addressGroups() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put(
                AddressGroup(
                    id: "office",
                    cidrs: ["198.51.100.7", "198.51.100.8/30", "198.51.100.9", "2001:db8:1::7", "2001:db8:1::8/126"].map { Prefix($0) }))
            try $0.put("db", .in("ssh", .tcp, 22...22, .addressGroup("office")), .out("back", .udp, 9...9, .addressGroup("office")))
        }
        let db = try await host.pods("db-0", groups: ["db"])[0].peer
        let outsiders = try [6, 7, 8, 9].map { try host.outsider($0) }
        for outsider in outsiders.dropFirst() {
            try expect(
                .from(outsider, to: db, pass: [.tcp(22)], block: [.tcp(23)]), .from(db, to: outsider, pass: [.udp(9)], block: [.udp(10)]))
        }
        try expect(.from(outsiders[0], to: db, block: [.tcp(22)]), .from(db, to: outsiders[0], block: [.udp(9)]))
        try await host.apply { try $0.put(AddressGroup(id: "office", cidrs: ["198.51.100.9", "2001:db8:1::8/125"].map { Prefix($0) })) }
        try expect(
            .from(outsiders[1], to: db, block: [.tcp(22)]), .from(outsiders[2], to: db, [.v4], block: [.tcp(22)]),
            .from(outsiders[2], to: db, [.v6], pass: [.tcp(22)]), .from(outsiders[3], to: db, pass: [.tcp(22)]))
    }

    @Test("count a member's allowed address pairs, single ones and prefixes")
    func pairs() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put("web", .out("out"))
            try $0.put("db", .in("sql", .tcp, 5432...5432, .group("web")))
        }
        let (web, db) = (try host.pod("web-0"), try await host.pods("db-0", groups: ["db"])[0])
        try await host.apply {
            try $0.put(
                web.intent(["web"]) {
                    $0.allowedAddressPairs = ["10.1.0.200", "10.1.0.208/30", "fd00:1::200", "fd00:1::208/126"].map {
                        AddressPair(address: Prefix($0))
                    }
                })
        }
        func speaking(_ ipv4: String, _ ipv6: String) -> LabPeer {
            var peer = web.peer
            peer.addresses = [ipv4, ipv6]
            return peer
        }
        try expect(
            .from(web, to: db, pass: [.tcp(5432)]),
            .from(speaking("10.1.0.200", "fd00:1::200"), to: db.peer, pass: [.tcp(5432)], block: [.tcp(1)]),
            .from(speaking("10.1.0.210", "fd00:1::20a"), to: db.peer, pass: [.tcp(5432)], block: [.tcp(1)]),
            .from(speaking("10.1.0.201", "fd00:1::201"), to: db.peer, block: [.tcp(5432)]))
        try await host.apply { try $0.put(web.intent(["web"])) }
        try expect(
            .from(web, to: db, pass: [.tcp(5432)]), .from(speaking("10.1.0.200", "fd00:1::200"), to: db.peer, block: [.tcp(5432)]),
            .from(speaking("10.1.0.210", "fd00:1::20a"), to: db.peer, block: [.tcp(5432)]))
    }

    @Test("count a pair that is all of a family: then everybody of it is a member, and nobody of the other", arguments: Family.allCases)
    func everything(family: Family) async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put("web", .out("out"))
            try $0.put("db", .in("sql", .tcp, 5432...5432, .group("web")))
        }
        let (web, db) = (try host.pod("web-0"), try await host.pods("db-0", groups: ["db"])[0])
        let stranger = try host.outsider(7)
        try await host.apply { try $0.put(web.intent(["web"])) }
        try expect(.from(web, to: db, pass: [.tcp(5432)]), .from(stranger, to: db.peer, block: [.tcp(5432)]))
        let pair = AddressPair(address: Prefix(family == .v4 ? "0.0.0.0/0" : "::/0"))
        try await host.apply { try $0.put(web.intent(["web"]) { $0.allowedAddressPairs = [pair] }) }
        let other: Family = family == .v4 ? .v6 : .v4
        var speaking = web.peer
        speaking.addresses = ["203.0.113.5", "2001:db8:9::5"]
        try expect(
            .from(web, to: db, pass: [.tcp(5432)]), .from(stranger, to: db.peer, [family], pass: [.tcp(5432)], block: [.tcp(1)]),
            .from(stranger, to: db.peer, [other], block: [.tcp(5432)]), .from(speaking, to: db.peer, [family], pass: [.tcp(5432)]),
            .from(speaking, to: db.peer, [other], block: [.tcp(5432)]))
        try await host.apply { try $0.put(web.intent(["web"])) }
        try expect(.from(web, to: db, pass: [.tcp(5432)]), .from(stranger, to: db.peer, block: [.tcp(5432)]))
    }

    @Test("of no network have their members in each, and one network's aren't another's")
    func networks() async throws {
        let host = try LabHost()
        let green = Network(
            id: "green",
            subnets: [
                Subnet(id: "green-4", cidr: Prefix("10.2.0.0/24"), gateway: IPAddress("10.2.0.1")),
                Subnet(id: "green-6", cidr: Prefix("fd00:2::/64"), gateway: IPAddress("fd00:2::1")),
            ])
        try await host.apply {
            try $0.put(green)
            try $0.put(SecurityGroup(id: "everywhere", rules: [.in("peers", nil, nil, .group("everywhere")), .out("out")]))
        }
        let blue = try await host.pods("blue-0", "blue-1", groups: ["everywhere"])
        let greens = try ["green-0", "green-1"].map { try host.pod($0) }
        func peer(_ pod: LabPod) -> LabPeer {
            var peer = pod.peer
            peer.addresses = ["10.2.0.\(pod.number)", "fd00:2::\(pod.number)"]
            return peer
        }
        try await host.apply {
            for pod in greens {
                try $0.put(
                    pod.intent(["everywhere"]) {
                        $0.network = "green"
                        $0.addresses = peer(pod).addresses.map { IPAddress($0) }
                    })
            }
        }
        try expect(
            .from(blue[0], to: blue[1], pass: [.tcp(80), .udp(53)]),
            .from(peer(greens[0]), to: peer(greens[1]), pass: [.tcp(80), .udp(53)]),
            .from(blue[0].peer, to: peer(greens[0]), block: [.tcp(80), .udp(53)]),
            .from(peer(greens[0]), to: blue[0].peer, block: [.tcp(80), .udp(53)]))
    }
}
