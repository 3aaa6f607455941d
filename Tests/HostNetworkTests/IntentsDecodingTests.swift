import HostNetwork
import Testing

/// A document that has to be refused, and how.
struct Refused: CustomTestStringConvertible, Sendable {
    var sentence: String
    var document: Document
    var field: String
    var reason: String

    init(_ sentence: String, _ document: Document, at field: String, _ reason: String) {
        self.sentence = sentence
        self.document = document
        self.field = field
        self.reason = reason
    }

    var testDescription: String { sentence }
}

/// `base` with the fields of `changes` in place of its own.
func with(_ base: Document, _ changes: Document) -> Document {
    guard case .map(let base) = base, case .map(let changes) = changes else { return base }
    return .map(base.filter { entry in !changes.contains { $0.0 == entry.0 } } + changes)
}

@Suite("Reading intents") struct IntentsDecodingTests {
    @Test("takes the example of the product's description as it is meant")
    func example() throws {
        let (intents, rejected) = IntentFile.decode([
            "networks": [
                [
                    "id": "blue", "isolated": false,
                    "subnets": [
                        ["id": "blue-4", "cidr": "10.1.0.0/24", "gateway": "10.1.0.1"],
                        ["id": "blue-6", "cidr": "fd00:1::/64", "gateway": "fd00:1::1"],
                    ],
                ]
            ],
            "securityGroups": [
                [
                    "id": "web", "network": "blue",
                    "rules": [
                        ["id": "web-http", "direction": "ingress", "protocol": "tcp", "ports": "80-81", "remote": ["cidr": "0.0.0.0/0"]],
                        ["id": "web-ping", "direction": "ingress", "protocol": "icmp", "icmp": ["type": 8]],
                        ["id": "web-out", "direction": "egress"],
                    ],
                ]
            ],
            "addressGroups": [["id": "office", "cidrs": ["198.51.100.0/24", "2001:db8:1::/48"]]],
            "pods": [
                [
                    "id": "web-0", "network": "blue", "namespace": "/run/netns/web-0", "interface": "eth0", "mac": "02:00:0a:01:00:0a",
                    "addresses": ["10.1.0.10", "fd00:1::10"], "securityGroups": ["web"],
                    "allowedAddressPairs": [["address": "10.1.0.200/32"]],
                    "portSecurity": true, "adminUp": true, "mtu": 1450,
                ]
            ],
            "neighbors": [
                [
                    "id": "db-7", "network": "blue", "addresses": ["10.1.0.70"], "mac": "02:00:0a:01:00:46", "host": "192.0.2.7",
                    "securityGroups": ["db"],
                ]
            ],
        ])
        #expect(rejected.isEmpty)
        let web = SecurityGroup(
            id: "web", network: "blue",
            rules: [
                Rule(id: "web-http", direction: .ingress, family: .v4, protocol: .tcp, ports: PortRange(80, 81)),
                Rule(id: "web-ping", direction: .ingress, family: .v4, protocol: .icmp, icmp: ICMPMatch(type: 8)),
                Rule(id: "web-out", direction: .egress),
            ])
        let pod = Pod(
            id: "web-0", network: "blue", namespace: "/run/netns/web-0", mac: MAC(0x0200_0a01_000a),
            addresses: [.v4(0x0a01_000a), .v6(0xfd00_0001 << 96 | 0x10)], securityGroups: ["web"],
            allowedAddressPairs: [AddressPair(address: Prefix(.v4(0x0a01_00c8)))], mtu: 1450)
        let neighbor = Neighbor(
            id: "db-7", network: "blue", addresses: [.v4(0x0a01_0046)], mac: MAC(0x0200_0a01_0046), host: .v4(0xc000_0207),
            securityGroups: ["db"])
        #expect(
            intents.map(\.id.description) == ["network blue", "security group web", "address group office", "pod web-0", "neighbor db-7"])
        #expect(intents.contains(.securityGroup(web)) && intents.contains(.pod(pod)) && intents.contains(.neighbor(neighbor)))
    }

    @Test(
        "fills in what a pod leaves out", arguments: [[:], ["securityGroups": []], ["securityGroups": .null, "mtu": .null]] as [Document])
    func defaults(more: Document) {
        let document = with(["id": "web-0", "network": "blue", "addresses": ["10.1.0.10"]], more)
        let pod = Pod(
            id: "web-0", network: "blue", interface: "eth0", mac: MAC(derivedFrom: "web-0"), addresses: [.v4(0x0a01_000a)],
            securityGroups: ["blue/default"], portSecurity: true, adminUp: true)
        #expect(IntentFile.decode(["pods": [document]]).intents == [.pod(pod)])
    }

    private static let pod: Document = ["id": "p", "network": "blue", "addresses": ["10.1.0.10"]]
    private static func pod(_ changes: Document) -> Document { ["pods": [with(pod, changes)]] }
    private static func subnet(_ changes: Document) -> Document {
        ["networks": [["id": "blue", "subnets": [with(["id": "s", "cidr": "10.1.0.0/24"], changes)]]]]
    }

    static let refused: [Refused] = [
        .init("a pod without a network", ["pods": [["id": "p", "addresses": ["10.1.0.10"]]]], at: "network", "missing"),
        .init("a pod without addresses", ["pods": [["id": "p", "network": "blue"]]], at: "addresses", "missing"),
        .init("a pod with an empty list of addresses", pod(["addresses": []]), at: "addresses", "empty"),
        .init("an address twice", pod(["addresses": ["10.1.0.10", "10.1.0.10"]]), at: "addresses[1]", "given twice"),
        .init("a prefix as an address", pod(["addresses": ["10.1.0.10/24"]]), at: "addresses[0]", "can't be read"),
        .init("a number as an address", pod(["addresses": [10]]), at: "addresses[0]", "in quotes"),
        .init("a multicast address", pod(["addresses": ["224.0.0.1"]]), at: "addresses[0]", "multicast"),
        .init("a loopback address", pod(["addresses": ["::1"]]), at: "addresses[0]", "loopback"),
        .init("the unspecified address", pod(["addresses": ["::"]]), at: "addresses[0]", "unspecified"),
        .init("the broadcast address", pod(["addresses": ["255.255.255.255"]]), at: "addresses[0]", "broadcast"),
        .init("a link-local address", pod(["addresses": ["fe80::1"]]), at: "addresses[0]", "link-local"),
        .init("an address that isn't in a list", pod(["addresses": "10.1.0.10"]), at: "addresses", "not a list"),
        .init("a relative namespace", pod(["namespace": "web-0"]), at: "namespace", "absolute"),
        .init("a folder as a namespace", pod(["namespace": "/run/netns/"]), at: "namespace", "absolute"),
        .init("the loopback interface", pod(["interface": "lo"]), at: "interface", "not a name"),
        .init("an interface name of 16 bytes", pod(["interface": "abcdefghijklmnop"]), at: "interface", "not a name"),
        .init("an empty interface name", pod(["interface": ""]), at: "interface", "not a name"),
        .init("an interface name with a slash", pod(["interface": "eth/0"]), at: "interface", "not a name"),
        .init("an interface name with a colon", pod(["interface": "eth0:1"]), at: "interface", "not a name"),
        .init("an interface name with a space", pod(["interface": "eth 0"]), at: "interface", "not a name"),
        .init("an interface name with a percent sign", pod(["interface": "eth%d"]), at: "interface", "not a name"),
        .init("another one", pod(["interface": "%"]), at: "interface", "not a name"),
        .init("an interface name with a tab", pod(["interface": "eth\t0"]), at: "interface", "not a name"),
        .init("an interface name with a line end", pod(["interface": "eth\n0"]), at: "interface", "not a name"),
        .init(
            "an interface name with a byte that the kernel takes for a space", pod(["interface": "\u{e0}"]), at: "interface", "not a name"),
        .init("the folder of all interfaces' settings", pod(["interface": "all"]), at: "interface", "not a name"),
        .init("the folder of new interfaces' settings", pod(["interface": "default"]), at: "interface", "not a name"),
        .init("the file of bonding", pod(["interface": "bonding_masters"]), at: "interface", "not a name"),
        .init("an interface name of a dot", pod(["interface": "."]), at: "interface", "not a name"),
        .init("an interface name of two dots", pod(["interface": ".."]), at: "interface", "not a name"),
        .init("a group MAC address", pod(["mac": "01:00:00:00:00:01"]), at: "mac", "one interface"),
        .init("a MAC address of zeros", pod(["mac": "00:00:00:00:00:00"]), at: "mac", "one interface"),
        .init("a MAC address of five bytes", pod(["mac": "02:00:00:00:00"]), at: "mac", "can't be read"),
        .init("an MTU below IPv4's least", pod(["mtu": 67]), at: "mtu", "below 68"),
        .init("an MTU above 65535", pod(["mtu": 65536]), at: "mtu", "above 65535"),
        .init("an MTU below IPv6's least", pod(["mtu": 1279, "addresses": ["fd00::1"]]), at: "mtu", "IPv6"),
        .init("an MTU in text", pod(["mtu": "1500"]), at: "mtu", "not a whole number"),
        .init("a group twice", pod(["securityGroups": ["web", "web"]]), at: "securityGroups[1]", "given twice"),
        .init("a group's name with a space", pod(["securityGroups": ["we b"]]), at: "securityGroups[0]", "not an id"),
        .init(
            "an address pair without an address", pod(["allowedAddressPairs": [["mac": "02:00:00:00:00:01"]]]),
            at: "allowedAddressPairs[0].address", "missing"),
        .init(
            "an address pair with an unknown field", pod(["allowedAddressPairs": [["adress": "10.1.0.1"]]]),
            at: "allowedAddressPairs[0].adress", "no such field"),
        .init("a word for true", pod(["adminUp": "yes"]), at: "adminUp", "neither true nor false"),
        .init("a negative revision", pod(["revision": -1]), at: "revision", "not a revision"),
        .init("a revision with a sign", pod(["revision": "+1"]), at: "revision", "not a revision"),
        .init("a field twice", pod(["mtu": 1500, "mtu": 1400]), at: "mtu", "given twice"),
        .init("a misspelled field", pod(["adresses": []]), at: "adresses", "no such field"),
        .init("a neighbor without addresses", ["neighbors": [["id": "n", "network": "blue"]]], at: "addresses", "missing"),
        .init(
            "a neighbor on a host with a multicast address",
            ["neighbors": [["id": "n", "network": "blue", "addresses": ["10.1.0.7"], "host": "ff02::1"]]], at: "host", "multicast"),
        .init("a subnet without a prefix", ["networks": [["id": "blue", "subnets": [["id": "s"]]]]], at: "subnets[0].cidr", "missing"),
        .init("a gateway outside of its subnet", subnet(["gateway": "10.2.0.1"]), at: "subnets[0].gateway", "outside"),
        .init("a gateway of the other family", subnet(["gateway": "fd00::1"]), at: "subnets[0].gateway", "outside"),
        .init("a gateway at the network's address", subnet(["gateway": "10.1.0.0"]), at: "subnets[0].gateway", "network address"),
        .init("a gateway at the broadcast address", subnet(["gateway": "10.1.0.255"]), at: "subnets[0].gateway", "broadcast"),
        .init("a subnet of multicast addresses", subnet(["cidr": "224.0.0.0/24"]), at: "subnets[0].cidr", "multicast"),
        .init("a subnet of everything", subnet(["cidr": "::/0"]), at: "subnets[0].cidr", "unspecified"),
        .init(
            "subnets that overlap",
            ["networks": [["id": "b", "subnets": [["id": "s", "cidr": "10.1.0.0/16"], ["id": "t", "cidr": "10.1.7.0/24"]]]]],
            at: "subnets[1].cidr", "overlaps"),
        .init(
            "subnets of one name",
            ["networks": [["id": "b", "subnets": [["id": "s", "cidr": "10.1.0.0/16"], ["id": "s", "cidr": "10.2.0.0/16"]]]]],
            at: "subnets[1].id", "given twice"),
        .init(
            "an address group with a name in its list", ["addressGroups": [["id": "a", "cidrs": ["office"]]]], at: "cidrs[0]",
            "can't be read"),
        .init(
            "two rules of one name", ["securityGroups": [["id": "g", "rules": [["id": "r"], ["id": "r", "protocol": "tcp"]]]]],
            at: "rules[1].id", "given twice"),
        .init(
            "a default group of another network", ["securityGroups": [["id": "blue/default", "network": "red"]]], at: "network",
            "default group"),
        .init("an elastic IP", ["elasticIPs": [["id": "e"]]], at: "", "not supported by this version"),
        .init("a resource without an id", ["pods": [["network": "blue"]]], at: "pods[0]", "has no id"),
        .init("an id that is a number", ["pods": [with(pod, ["id": 7])]], at: "pods[0].id", "in quotes"),
        .init("an id with a space", ["pods": [with(pod, ["id": "a b"])]], at: "pods[0].id", "not an id"),
        .init(
            "an id of 254 characters", ["pods": [with(pod, ["id": .string(String(repeating: "x", count: 254))])]], at: "pods[0].id",
            "not an id"),
        .init("text where a resource should be", ["pods": ["web-0"]], at: "pods[0]", "not a resource"),
        .init("a map where a list should be", ["pods": ["web-0": ["network": "blue"]]], at: "pods", "not a list"),
        .init("an unknown kind", ["podz": []], at: "podz", "no such kind"),
        .init("a list at the top", [], at: "", "not a map"),
        .init("an id twice in a file", ["networks": [["id": "n"]], "pods": [pod, with(pod, ["mtu": 1400])]], at: "id", "given twice"),
    ]

    @Test("refuses", arguments: refused)
    func refuses(case refused: Refused) throws {
        let rejected = IntentFile.decode(refused.document).rejected
        #expect(rejected.count == 1)
        let only = try #require(rejected.first)
        #expect(only.field == refused.field)
        #expect(only.reason.contains(refused.reason), "\(only)")
    }

    @Test("names the nearest known field, the resource and the value as written")
    func nearest() throws {
        let document = Self.pod(["securityGroup": ["web"]])
        let rejected = try #require(IntentFile.decode(document).rejected.first)
        #expect(rejected.intent == IntentID(.pod, "p") && rejected.field == "securityGroup" && rejected.value == "[web]")
        #expect(rejected.valid.hasPrefix("did you mean securityGroups? "))
        #expect(rejected.description.hasPrefix("pod p: securityGroup: [web]: there is no such field (valid: did you mean securityGroups?"))
        let section = try #require(IntentFile.decode(["securitygroups": []]).rejected.first)
        #expect(section.intent == nil && section.valid.hasPrefix("did you mean securityGroups? "))
        let strange = try #require(IntentFile.decode(Self.pod(["zzz": 1])).rejected.first)
        #expect(strange.valid.hasPrefix("Fields here: id, network"))
    }

    @Test("lets one bad resource hurt no other, whatever is wrong with it", arguments: refused)
    func alone(case refused: Refused) {
        guard case .map(let bad) = refused.document else { return }
        let good: [Intent] = [
            .network(Network(id: "g-net")), .securityGroup(SecurityGroup(id: "g-group")), .addressGroup(AddressGroup(id: "g-list")),
        ]
        let pod = Intent.pod(Pod(id: "g-pod", network: "g-net", addresses: [.v4(0x0a01_000b)]))
        guard case .map(let sections) = IntentFile.encode(good + [pod]) else { return }
        let (intents, rejected) = IntentFile.decode(.map(sections + bad))
        #expect(Set(good + [pod]).isSubset(of: intents))
        #expect(rejected == IntentFile.decode(refused.document).rejected)
    }

    @Test("quotes of a long value its beginning, and of a long name, too")
    func excerpts() throws {
        let long = String(repeating: "x\u{301}", count: 1 << 20)
        let deep = (0..<60).reduce(Document.list(Array(repeating: "y", count: 100_000))) { inner, _ in [inner] }
        for value in [.string(long), deep, .map([(long, .int(1))])] as [Document] {
            let rejected = IntentFile.decode(["pods": [["id": "a", "network": value, "addresses": ["10.1.0.1"]]]]).rejected
            let first = try #require(rejected.first)
            #expect(first.value.unicodeScalars.count == 101 && first.value.hasSuffix("…"))
        }
        let unknown = IntentFile.decode(["pods": [.map([("id", "a"), (long, .int(1))])], "nonsense": .null]).rejected
        #expect(unknown.count == 2 && unknown.allSatisfy { $0.field.unicodeScalars.count < 120 })
        let section = IntentFile.decode(.map([(long, .list([]))])).rejected
        #expect(section.count == 1 && section[0].field.unicodeScalars.count < 120)
    }

    @Test("takes a network with very many subnets, and finds the two that overlap")
    func manySubnets() throws {
        func subnets(_ last: String) -> Document {
            let all = (0..<60_000).map { number -> Document in
                ["id": .string("s\(number)"), "cidr": .string("10.\(number >> 8).\(number & 255).0/24")]
            }
            return ["networks": [["id": "blue", "subnets": .list(all + [["id": "last", "cidr": .string(last)]])]]]
        }
        #expect(IntentFile.decode(subnets("10.255.0.0/24")).intents.count == 1)
        let rejected = try #require(IntentFile.decode(subnets("10.3.7.128/25")).rejected.first)
        #expect(rejected.field == "subnets[60000].cidr" && rejected.reason == "overlaps 10.3.7.0/24 of subnet s775")
    }
}
