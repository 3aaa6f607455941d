import HostNetwork
import Lab
import PolicyModel
import OwnThreads
import Testing

@Suite("A security group's rules", .ownThreads) struct PolicyRulesTests {
    @Test("pass between members of a new network's default group, and out, but not in from anybody else")
    func defaultGroup() async throws {
        let host = try LabHost()
        let pods = try await host.pods("web-0", "web-1")
        try await host.apply { try $0.put("closed") }
        let stranger = try await host.pods("stranger", groups: ["blue/default", "closed"])[0]
        let closed = try await host.pods("closed", groups: ["closed"])[0]
        let outsider = try host.outsider(7)
        let packets: [Segment] = [.tcp(80), .udp(53), .icmp(8), .icmpv6(128), .other(47)]
        try expect(
            .from(pods[0], to: pods[1], pass: packets), .from(pods[1], to: pods[0], pass: packets),
            .from(stranger, to: pods[0], pass: packets),
            .from(outsider, to: pods[0].peer, block: packets), .from(pods[0].peer, to: outsider, pass: packets),
            .from(closed, to: pods[0], block: packets), .from(pods[0], to: closed, block: packets),
            .from(closed.peer, to: outsider, block: packets))
        try await host.apply { try $0.put("blue/default", Rule(id: "in", direction: .ingress, protocol: .tcp)) }
        try expect(
            .from(outsider, to: pods[0].peer, pass: [.tcp(80)], block: [.udp(53), .icmp(8), .icmpv6(128)]),
            .from(pods[0].peer, to: outsider, block: packets), .from(pods[0], to: pods[1], block: packets))
    }

    @Test("pass tcp and udp to their ports and ranges, in both families, and to no port beside them")
    func ports() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put(
                "web", .in("http", .tcp, 80...81), .in("dns", .udp, 53...53), .in("high", .tcp, 65535...65535), .in("low", .udp, 1...1),
                .in("nested", .tcp, 8000...8100), .in("within", .tcp, 8050...8060), .in("beside", .tcp, 8101...8110))
            try $0.put("client", Rule(id: "out"))
        }
        let (web, client) = (try await host.pods("web-0", groups: ["web"])[0], try await host.pods("client-0", groups: ["client"])[0])
        try expect(
            .from(
                client, to: web,
                pass: [.tcp(80), .tcp(81), .udp(53), .tcp(65535), .udp(1), .tcp(8000), .tcp(8055), .tcp(8100), .tcp(8101), .tcp(8110)],
                block: [.tcp(79), .tcp(82), .udp(80), .udp(81), .tcp(53), .udp(52), .udp(54), .tcp(65534), .udp(65535), .tcp(1), .udp(2)]
                    + [.tcp(7999), .tcp(8111), .icmp(8), .icmpv6(128), .other(47)]),
            .from(web, to: client, block: [.tcp(80), .udp(53)]))
        // Without the wide one, what the narrow ones allow stays.
        try await host.apply { try $0.put("web", .in("within", .tcp, 8050...8060), .in("beside", .tcp, 8101...8110)) }
        try expect(
            .from(
                client, to: web, pass: [.tcp(8050), .tcp(8060), .tcp(8101), .tcp(8110)],
                block: [.tcp(8049), .tcp(8061), .tcp(8100), .tcp(80)]))
    }

    @Test("want both halves between two pods of this host: one's egress and the other's ingress", arguments: [true, false], [true, false])
    func halves(egress: Bool, ingress: Bool) async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put("from", Rule(id: egress ? "out" : "other", protocol: .udp, ports: PortRange(egress ? 53 : 54)))
            try $0.put("to", .in(ingress ? "in" : "other", .udp, ingress ? 53...53 : 55...55))
        }
        let (a, b) = (try await host.pods("a", groups: ["from"])[0], try await host.pods("b", groups: ["to"])[0])
        try expect(
            .from(a, to: b, pass: egress && ingress ? [.udp(53)] : [], block: [.udp(54), .udp(55)] + (egress && ingress ? [] : [.udp(53)])))
    }

    @Test("tell families apart: by ethertype, by prefix, and ICMP from ICMPv6")
    func families() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put(
                "web", Rule(id: "4", direction: .ingress, family: .v4, protocol: .tcp, ports: PortRange(4)),
                Rule(id: "6", direction: .ingress, family: .v6, protocol: .tcp, ports: PortRange(6)),
                Rule(id: "all-4", direction: .ingress, protocol: .udp, ports: PortRange(4), remote: .cidr(Prefix("0.0.0.0/0"))),
                Rule(id: "all-6", direction: .ingress, protocol: .udp, ports: PortRange(6), remote: .cidr(Prefix("::/0"))),
                Rule(id: "both", direction: .ingress, protocol: .tcp, ports: PortRange(46)),
                Rule(id: "icmp", direction: .ingress, protocol: .icmp, icmp: ICMPMatch(type: 13)),
                Rule(id: "icmp-6", direction: .ingress, family: .v6, protocol: .icmp, icmp: ICMPMatch(type: 128, code: 1)))
        }
        let web = try await host.pods("web-0", groups: ["web"])[0]
        let client = try await host.pods("client-0")[0]
        try expect(
            .from(
                client, to: web, [.v4], pass: [.tcp(4), .udp(4), .tcp(46), .icmp(13), .icmp(13, code: 5)],
                block: [.tcp(6), .udp(6), .icmp(8), .icmp(128), .icmp(0)]),
            .from(
                client, to: web, [.v6], pass: [.tcp(6), .udp(6), .tcp(46), .icmpv6(128, code: 1)],
                block: [.tcp(4), .udp(4), .icmpv6(128), .icmpv6(128, code: 2), .icmpv6(13)]))
    }

    @Test("that name a type of ICMP mean that one alone, with its code or with any; type 0 is echo reply")
    func icmp() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put("echo", .icmp(8), .icmp(0), .icmp(128, .icmpv6))
            try $0.put("any", .in("4", .icmp), .in("6", .icmpv6))
        }
        let (echo, any) = (try await host.pods("echo", groups: ["echo"])[0], try await host.pods("any", groups: ["any"])[0])
        let client = try await host.pods("client-0")[0]
        try expect(
            .from(
                client, to: echo, pass: [.icmp(8), .icmp(8, code: 7), .icmp(0), .icmpv6(128), .icmpv6(128, code: 7)],
                block: [.icmp(13), .icmp(17), .icmpv6(139), .icmpv6(0), .udp(8), .tcp(8)]),
            .from(
                client, to: any, pass: [.icmp(8), .icmp(0), .icmp(13), .icmpv6(128), .icmpv6(139)], block: [.udp(8), .tcp(8), .other(47)]))
        for family in Family.allCases {
            let probe = try Echo(in: client.namespace, at: client.address(family))
            #expect(try probe.reaches(echo.address(family), within: .seconds(2)))
            #expect(try !Echo(in: echo.namespace, at: echo.address(family)).reaches(client.address(family), within: .milliseconds(100)))
        }
    }

    @Test("may ask for source ports, alone or together with destination ports")
    func sourcePorts() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put(
                "web", Rule(id: "ntp", direction: .ingress, protocol: .udp, sourcePorts: PortRange(123)),
                Rule(id: "low", direction: .ingress, protocol: .tcp, ports: PortRange(80), sourcePorts: PortRange(1, 1023)))
        }
        let web = try await host.pods("web-0", groups: ["web"])[0]
        let client = try await host.pods("client-0")[0]
        try expect(
            .from(
                client, to: web, pass: [.udp(5, from: 123), .udp(60000, from: 123), .tcp(80, from: 1023), .tcp(80, from: 1)],
                block: [.udp(123, from: 5), .udp(123, from: 122), .tcp(80, from: 1024), .tcp(81, from: 1023), .tcp(5, from: 123)]))
    }

    @Test("of other protocols, with ports or without, by number: sctp, dccp, udplite, gre, esp and any")
    func protocols() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put(
                "ports", .in("sctp", .sctp, 5000...5001), .in("dccp", .dccp, 6000...6000), .in("udplite", .udplite, 7000...7000),
                Rule(id: "from", direction: .ingress, protocol: .sctp, sourcePorts: PortRange(9)))
            try $0.put("numbers", .in("gre", IPProtocol(47)), .in("esp", IPProtocol(50)), .in("two", IPProtocol(253)))
            try $0.put("any", .in("any"))
        }
        let ports = try await host.pods("ports", groups: ["ports"])[0]
        let numbers = try await host.pods("numbers", groups: ["numbers"])[0]
        let any = try await host.pods("any", groups: ["any"])[0]
        let both = try await host.pods("both", groups: ["numbers", "ports"])[0]
        let client = try await host.pods("client-0")[0]
        let (first, second): ([Segment], [Segment]) = (
            [.sctp(5000), .sctp(5001), .dccp(6000), .udplite(7000), .sctp(1, from: 9)], [.other(47), .other(50), .other(253)]
        )
        let never: [Segment] = [.sctp(4999), .dccp(5000), .udplite(6000), .sctp(7000), .tcp(5000), .udp(7000), .other(51), .other(254)]
        try expect(
            .from(client, to: ports, pass: first, block: second + never), .from(client, to: numbers, pass: second, block: first + never),
            .from(client, to: any, pass: first + second + never), .from(client, to: both, pass: first + second, block: never))
    }

    @Test("about prefixes allow the exact union of them, whatever they overlap")
    func prefixes() async throws {
        let host = try LabHost()
        try await host.apply {
            try $0.put(
                "web", .from("a", "198.51.100.0/28", .tcp, 80...80), .from("b", "198.51.100.8/29", .tcp, 80...82),
                .from("c", "198.51.100.9", .udp, 53...53), .from("d", "2001:db8:1::/125", .tcp, 80...80),
                .from("e", "2001:db8:1::4/126", .tcp, 80...82), .from("f", "2001:db8:1::9", .udp, 53...53))
        }
        let web = try await host.pods("web-0", groups: ["web"])[0].peer
        let outside = try [7, 9, 20].map { try host.outsider($0) }
        try expect(
            .from(outside[0], to: web, [.v4], pass: [.tcp(80)], block: [.tcp(81), .tcp(82), .udp(53)]),
            .from(outside[0], to: web, [.v6], pass: [.tcp(80), .tcp(81), .tcp(82)], block: [.tcp(83), .udp(53)]),
            .from(outside[1], to: web, [.v4], pass: [.tcp(80), .tcp(81), .tcp(82), .udp(53)], block: [.tcp(83)]),
            .from(outside[1], to: web, [.v6], pass: [.udp(53)], block: [.tcp(80), .tcp(81)]),
            .from(outside[2], to: web, block: [.tcp(80), .tcp(81), .udp(53)]))
        try await host.apply { try $0.put("web", .from("b", "198.51.100.8/29", .tcp, 80...82), .from("f", "2001:db8:1::9", .udp, 53...53)) }
        try expect(
            .from(outside[0], to: web, block: [.tcp(80), .tcp(81), .udp(53)]),
            .from(outside[1], to: web, [.v4], pass: [.tcp(80), .tcp(82)], block: [.udp(53), .tcp(83)]),
            .from(outside[1], to: web, [.v6], pass: [.udp(53)], block: [.tcp(80)]))
    }

    @Test("about prefixes and ports that come and go in any order allow the exact union of those that there are", arguments: 0..<4)
    func anyOrder(seed: Int) async throws {
        var dice = Seeded(seed)
        let host = try LabHost()
        try await host.apply { try $0.put("web") }
        let web = try await host.pods("web-0", groups: ["web"])[0].peer
        let outside = try [4, 7, 8, 12].map { try host.outsider($0) }
        // Nested, overlapping and adjacent ones, of both families.
        let choices: [(String, ClosedRange<UInt16>)] = [
            ("198.51.100.0/28", 80...82), ("198.51.100.4/30", 81...83), ("198.51.100.8/30", 80...80), ("198.51.100.7/32", 84...84),
            ("0.0.0.0/0", 85...85), ("2001:db8:1::/124", 80...82), ("2001:db8:1::4/126", 82...84), ("2001:db8:1::7/128", 80...85),
            ("::/0", 83...83), ("198.51.100.0/29", 83...83), ("2001:db8:1::8/125", 80...80),
        ]
        var there: Set<Int> = []
        for _ in 0..<5 {
            for _ in 0..<4 { there.formSymmetricDifference([dice.number(0...(choices.count - 1))]) }
            let rules = there.shuffled(using: &dice).map { Rule.from("r\($0)", choices[$0].0, .tcp, choices[$0].1) }
            try await host.apply { try $0.put(SecurityGroup(id: "web", network: "blue", rules: rules)) }
            let trials = outside.flatMap { sender in
                Family.allCases.map { family in
                    var trial = Trial.from(sender, to: web, [family])
                    for port in 80...86 as ClosedRange<UInt16> {
                        let isAllowed = there.contains { number in
                            Prefix(choices[number].0).contains(IPAddress(sender.address(family))) && choices[number].1.contains(port)
                        }
                        if isAllowed { trial.pass.append(.tcp(port)) } else { trial.block.append(.tcp(port)) }
                    }
                    return trial
                }
            }
            try expect(trials)
        }
    }

    @Test("that two groups of a pod both have hold until both let go")
    func twice() async throws {
        let host = try LabHost()
        try await host.apply {
            for name in ["a", "b"] as [ID<SecurityGroup>] {
                try $0.put(
                    name, .in("http", .tcp, 80...80), .from("dns", "10.1.0.0/24", .udp, 53...53),
                    .from("dns-6", "fd00:1::/64", .udp, 53...53))
            }
            try $0.put("c", .in("other", .tcp, 81...81))
        }
        let (web, client) = (try await host.pods("web-0", groups: ["a", "b", "c"])[0], try await host.pods("client-0")[0])
        try expect(.from(client, to: web, pass: [.tcp(80), .udp(53), .tcp(81)], block: [.tcp(82)]))
        try await host.apply { try $0.put(web.intent(["b", "c"])) }
        try expect(.from(client, to: web, pass: [.tcp(80), .udp(53), .tcp(81)], block: [.tcp(82)]))
        try await host.apply { try $0.put("b", .in("web", .tcp, 80...80)) }
        try expect(.from(client, to: web, pass: [.tcp(80), .tcp(81)], block: [.udp(53)]))
        try await host.apply { try $0.put(web.intent(["c"])) }
        try expect(.from(client, to: web, pass: [.tcp(81)], block: [.tcp(80), .udp(53)]))
    }
}
