import HostNetwork
import PolicyModel
import Testing

@Suite("A rule") struct IntentsRuleTests {
    static func decode(_ rule: Document) throws -> Rule {
        let (intents, rejected) = IntentFile.decode(["securityGroups": [["id": "g", "rules": [with(["id": "r"], rule)]]]])
        if let rejected = rejected.first { throw rejected }
        guard case .securityGroup(let group) = intents.first else { throw NotDecoded() }
        return try #require(group.rules.first)
    }

    struct NotDecoded: Error {}

    static let same: [[Document]] = [
        [["protocol": "tcp"], ["protocol": "TCP"], ["protocol": 6], ["protocol": "6"], ["protocol": "tcp", "ports": "1-65535"]],
        [[:], ["protocol": "any"], ["protocol": 0], ["protocol": "0"], ["protocol": .null], ["direction": "egress"], ["remote": .null]],
        [
            ["protocol": "tcp", "ports": 80], ["protocol": "tcp", "ports": "80"],
            ["protocol": "tcp", "ports": "80-80", "sourcePorts": "1-65535"],
        ],
        [
            ["ethertype": "ipv4"], ["ethertype": "IPv4"], ["remote": ["cidr": "0.0.0.0/0"]],
            ["remote": ["cidr": "10.1.0.7/0"], "ethertype": "ipv4"],
        ],
        [["ethertype": "ipv6"], ["remote": ["cidr": "::/0"]]],
        [
            ["remote": ["cidr": "10.1.0.0/24"]], ["remote": ["cidr": "10.1.0.77/24"]],
            ["remote": ["cidr": "10.1.0.0/24"], "ethertype": "ipv4"],
        ],
        [["remote": ["cidr": "10.1.0.7"]], ["remote": ["cidr": "10.1.0.7/32"]]],
        [["remote": ["cidr": "fd00:0:0::7"]], ["remote": ["cidr": "FD00::7/128", "group": .null]]],
        [["protocol": "icmp"], ["protocol": 1], ["protocol": "icmp", "ethertype": "ipv4"]],
        [
            ["protocol": "icmpv6"], ["protocol": "ipv6-icmp"], ["protocol": 58], ["protocol": "icmp", "ethertype": "ipv6"],
            ["protocol": 1, "ethertype": "ipv6"], ["protocol": "icmpv6", "ethertype": "ipv6"],
            ["protocol": "icmp", "remote": ["cidr": "::/0"]],
        ],
        [["protocol": "icmp", "icmp": ["type": 0]], ["protocol": "icmp", "icmp": ["type": 0, "code": .null]]],
        [["protocol": "vrrp"], ["protocol": 112]], [["protocol": "udplite"], ["protocol": "136"]],
        [["protocol": "ipv6-frag"], ["protocol": 44, "ethertype": "ipv6"]],
        [["protocol": 255], ["protocol": "255"]],
    ]

    @Test("means the same in every spelling", arguments: same)
    func spellings(spellings: [Document]) throws {
        let rules = try spellings.map { try Self.decode($0) }
        #expect(Set(rules).count == 1)
    }

    @Test("means something of its own unless it is the same rule")
    func distinct() throws {
        let meanings = try Self.same.map { try Self.decode($0[0]).meaning }
        #expect(Set(meanings).count == meanings.count)
    }

    @Test("means the same under another id, and is another rule")
    func meaning() throws {
        let one = Rule(id: "one", protocol: .tcp, ports: PortRange(80))
        let other = Rule(id: "other", protocol: .tcp, ports: PortRange(80))
        #expect(one != other && one.meaning == other.meaning)
    }

    @Test("is of the family of its prefix, or else of its protocol, whoever makes it")
    func family() throws {
        let prefix = Remote.cidr(try Prefix(parsing: "fd00::/8"))
        #expect(Rule(id: "r", remote: prefix).family == .v6)
        #expect(
            Rule(id: "r", protocol: .icmp, remote: prefix).meaning == Rule(id: "r", family: .v6, protocol: .icmpv6, remote: prefix).meaning)
        #expect(Rule(id: "r", protocol: .icmp).family == .v4 && Rule(id: "r", protocol: .icmpv6).family == .v6)
        #expect(Rule(id: "r", protocol: .tcp).family == nil)
    }

    @Test("for type 0 is one for echo replies, not for any type")
    func echoReply() throws {
        let rule = try Self.decode(["protocol": "icmp", "icmp": ["type": 0]])
        #expect(rule.icmp == ICMPMatch(type: 0))
        #expect(try Self.decode(["protocol": "icmp"]).icmp == nil)
    }

    static let refused: [Refused] = [
        .init("port 0", ["protocol": "tcp", "ports": 0], at: "ports", "no port 0"),
        .init("a range from port 0", ["protocol": "tcp", "ports": "0-10"], at: "ports", "no port 0"),
        .init("source port 0", ["protocol": "tcp", "sourcePorts": 0], at: "sourcePorts", "no port 0"),
        .init("a first port above the last", ["protocol": "udp", "ports": "81-80"], at: "ports", "first port is above the last"),
        .init("a port above 65535", ["protocol": "tcp", "ports": 65536], at: "ports", "above 65535"),
        .init("a negative port", ["protocol": "tcp", "ports": -1], at: "ports", "not a port"),
        .init("a range without an end", ["protocol": "tcp", "ports": "80-"], at: "ports", "not a port"),
        .init("a port with a leading zero", ["protocol": "tcp", "ports": "080"], at: "ports", "not a port"),
        .init("a service's name as a port", ["protocol": "tcp", "ports": "http"], at: "ports", "not a port"),
        .init("a list of ports", ["protocol": "tcp", "ports": [80]], at: "ports", "not a port"),
        .init("ports without a protocol", ["ports": 80], at: "ports", "no protocol"),
        .init("source ports without a protocol", ["sourcePorts": 80], at: "sourcePorts", "no protocol"),
        .init("ports on a protocol without ports", ["protocol": "gre", "ports": 80], at: "ports", "gre has no ports"),
        .init("ports with ICMP", ["protocol": "icmp", "ports": 8], at: "ports", "icmp has no ports"),
        .init("an ICMP code without a type", ["protocol": "icmp", "icmp": ["code": 1]], at: "icmp.code", "needs a type"),
        .init("an ICMP match without a type", ["protocol": "icmp", "icmp": [:]], at: "icmp.type", "missing"),
        .init("an ICMP type above 255", ["protocol": "icmp", "icmp": ["type": 256]], at: "icmp.type", "above 255"),
        .init("an ICMP code above 255", ["protocol": "icmp", "icmp": ["type": 3, "code": 256]], at: "icmp.code", "above 255"),
        .init("an ICMP type with a protocol of ports", ["protocol": "tcp", "icmp": ["type": 8]], at: "icmp", "tcp has no ICMP types"),
        .init("an ICMP type without a protocol", ["icmp": ["type": 8]], at: "icmp", "no protocol"),
        .init("a prefix of the other family", ["ethertype": "ipv6", "remote": ["cidr": "10.0.0.0/8"]], at: "remote", "ethertype of IPv6"),
        .init(
            "every IPv6 address with ethertype IPv4", ["ethertype": "ipv4", "remote": ["cidr": "::/0"]], at: "remote", "ethertype of IPv4"),
        .init("a prefix and a group together", ["remote": ["cidr": "10.0.0.0/8", "group": "web"]], at: "remote", "exactly one"),
        .init(
            "a group and an address group together", ["remote": ["group": "web", "addressGroup": "office"]], at: "remote", "exactly one"),
        .init("a remote that names nothing", ["remote": [:]], at: "remote", "exactly one"),
        .init("a remote that names null", ["remote": ["cidr": .null]], at: "remote", "exactly one"),
        .init("a remote that is text", ["remote": "10.0.0.0/8"], at: "remote", "not a map"),
        .init("an unknown protocol", ["protocol": "tpc"], at: "protocol", "unknown protocol"),
        .init("a protocol above 255", ["protocol": 256], at: "protocol", "unknown protocol"),
        .init("a negative protocol", ["protocol": -1], at: "protocol", "unknown protocol"),
        .init("ICMPv6 with ethertype IPv4", ["protocol": "icmpv6", "ethertype": "ipv4"], at: "protocol", "only in IPv6"),
        .init("ICMPv6 with an IPv4 prefix", ["protocol": 58, "remote": ["cidr": "10.0.0.0/8"]], at: "protocol", "only in IPv6"),
        .init("an IPv6 header with ethertype IPv4", ["protocol": "ipv6-route", "ethertype": "ipv4"], at: "protocol", "only in IPv6"),
        .init("an unknown ethertype", ["ethertype": "arp"], at: "ethertype", "unknown"),
        .init("an unknown direction", ["direction": "inward"], at: "direction", "unknown"),
        .init("an unknown field", ["port": 80], at: "port", "no such field"),
        .init("a rule without an id", ["id": .null], at: "id", "missing"),
    ]

    @Test("is refused with", arguments: refused)
    func refuses(case refused: Refused) throws {
        let error = #expect(throws: Rejected.self) { try Self.decode(refused.document) }
        let rejected = try #require(error)
        #expect(rejected.intent == IntentID(.securityGroup, "g"))
        #expect(rejected.field == "rules[0]." + refused.field)
        #expect(rejected.reason.contains(refused.reason), "\(rejected)")
        #expect(!rejected.valid.isEmpty)
    }

    @Test("with a misspelled protocol is told the nearest one")
    func nearest() throws {
        let rejected = #expect(throws: Rejected.self) { try Self.decode(["protocol": "icpm"]) }
        #expect(try #require(rejected).valid.hasPrefix("did you mean icmp? "))
    }
}

@Suite("Protocols and ports") struct IntentsProtocolTests {
    @Test("every name is its number, and every number prints as what reads back as itself")
    func protocols() {
        for number in UInt8(1)...255 {
            let known = IPProtocol(number)
            #expect(known.flatMap { IPProtocol(named: $0.description) } == known)
        }
        for (name, number) in IPProtocol.names { #expect(IPProtocol(named: name)?.number == number) }
        #expect(IPProtocol(0) == nil && IPProtocol(named: "0") == nil && IPProtocol(named: "06") == nil)
    }

    @Test("the union of port ranges is exact", arguments: 0..<50)
    func union(seed: Int) {
        var random = Seeded(seed)
        let base = random.pick(UInt16(1), 1000, .max - 40)
        for _ in 0..<20 {
            let ranges = (0..<random.number(0...6)).compactMap { _ in
                let ends = [random.number(0...40), random.number(0...40)].sorted().map { base + UInt16($0) }
                return PortRange(ends[0], ends[1])
            }
            let union = PortRange.disjointUnion(ranges)
            for port in base...(base + 40) {
                #expect(union.count { $0.contains(port) } == (ranges.contains { $0.contains(port) } ? 1 : 0))
            }
            #expect(zip(union, union.dropFirst()).allSatisfy { $0.last < .max && $0.last + 1 < $1.first })
        }
    }
}
