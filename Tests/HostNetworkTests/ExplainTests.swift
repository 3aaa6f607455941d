import HostNetwork
import Testing

@Suite("An explanation") struct ExplainTests {
    let desired: Desired

    init() throws {
        var intents = Intents()
        let subnet = Subnet(id: "blue-4", cidr: try Prefix(parsing: "10.1.0.0/24"), gateway: try IPAddress(parsing: "10.1.0.1"))
        _ = try intents.upsert(.network(Network(id: "blue", subnets: [subnet])))
        _ = try intents.upsert(
            .securityGroup(
                SecurityGroup(
                    id: "web", network: "blue",
                    rules: [
                        Rule(id: "web-http", direction: .ingress, protocol: .tcp, ports: PortRange(80, 81)),
                        Rule(id: "web-out", direction: .egress),
                    ])))
        _ = try intents.upsert(
            .securityGroup(
                SecurityGroup(
                    id: "db", network: "blue",
                    rules: [Rule(id: "db-sql", direction: .ingress, protocol: .tcp, ports: PortRange(5432), remote: .group("web"))])))
        for (id, address, group) in [("web-0", "10.1.0.10", "web"), ("db-0", "10.1.0.20", "db"), ("late", "10.1.0.30", "web")] {
            let pod = Pod(
                id: ID(id), network: "blue", namespace: "/run/netns/\(id)", addresses: [try IPAddress(parsing: address)],
                securityGroups: [ID(group)])
            _ = try intents.upsert(.pod(pod))
        }
        desired = Desired(intents: intents, layout: Layout(), attachable: ["web-0", "db-0"], epochs: [:])
    }

    private func explain(_ pod: ID<Pod>, _ direction: Rule.Direction, _ remote: String, _ content: Question.Content) throws -> Explanation {
        try desired.explain(Question(pod: pod, direction: direction, remote: try IPAddress(parsing: remote), content: content))
    }

    @Test("names the rule and the group that allow a packet, and gives both halves when the remote is a pod of this host")
    func bothHalves() throws {
        let answer = try explain("db-0", .ingress, "10.1.0.10", .ports(.tcp, source: nil, destination: 5432))
        #expect(answer.isAllowed)
        #expect(answer.halves.map(\.pod) == ["web-0", "db-0"])
        #expect(answer.halves.map(\.rule) == ["web-out", "db-sql"])
        #expect(answer.deciding?.group == "db")
        let mirrored = try explain("web-0", .egress, "10.1.0.20", .ports(.tcp, source: nil, destination: 5432))
        #expect(mirrored.halves.map(\.pod) == ["web-0", "db-0"])
        #expect(mirrored.isAllowed)
    }

    @Test("is about one half when the remote lives elsewhere") func oneHalf() throws {
        let answer = try explain("web-0", .ingress, "192.0.2.1", .ports(.tcp, source: 40000, destination: 80))
        #expect(answer.isAllowed)
        #expect(answer.halves.map(\.rule) == ["web-http"])
        #expect(try !explain("web-0", .ingress, "192.0.2.1", .ports(.tcp, source: 40000, destination: 82)).isAllowed)
    }

    @Test("is about both halves, too, when the remote is a pod of another network, and about the host when it is another's gateway")
    func networks() throws {
        var intents = desired.intents
        let subnet = Subnet(id: "green-4", cidr: try Prefix(parsing: "10.2.0.0/24"), gateway: try IPAddress(parsing: "10.2.0.1"))
        _ = try intents.upsert(.network(Network(id: "green", subnets: [subnet])))
        let pod = Pod(id: "green-0", network: "green", namespace: "/run/netns/green-0", addresses: [try IPAddress(parsing: "10.2.0.10")])
        _ = try intents.upsert(.pod(pod))
        let desired = Desired(intents: intents, layout: Layout(), attachable: ["web-0", "db-0", "green-0"], epochs: [:])
        func explain(_ pod: ID<Pod>, _ remote: String, _ port: UInt16) throws -> Explanation {
            let content = Question.Content.ports(.tcp, source: nil, destination: port)
            return try desired.explain(Question(pod: pod, direction: .egress, remote: try IPAddress(parsing: remote), content: content))
        }
        let allowed = try explain("green-0", "10.1.0.10", 80)
        #expect(allowed.isAllowed)
        #expect(allowed.halves.map(\.rule) == ["default-egress", "web-http"])
        #expect(try explain("green-0", "10.1.0.10", 82).halves.map(\.isAllowed) == [true, false])
        #expect(try explain("web-0", "10.2.0.10", 80).halves.map(\.isAllowed) == [true, false])
        let gateway = try explain("web-0", "10.2.0.1", 80)
        #expect(!gateway.isAllowed)
        #expect(gateway.deciding?.reason.contains("host.fromPods is replies") == true)
    }

    @Test("of a denial says what comes closest, and what is wrong with it") func closest() throws {
        let port = try explain("db-0", .ingress, "10.1.0.10", .ports(.tcp, source: nil, destination: 22))
        #expect(!port.isAllowed)
        #expect(port.deciding?.pod == "db-0")
        #expect(port.deciding?.reason.contains("closest is rule db-sql of group db") == true)
        #expect(port.deciding?.reason.contains("it is for port 5432 only") == true)
        let stranger = try explain("db-0", .ingress, "10.1.0.99", .ports(.tcp, source: nil, destination: 5432))
        #expect(stranger.deciding?.reason.contains("10.1.0.99 isn't a member of group web") == true)
    }

    @Test("of what nothing is known about but that it is something, counts only rules that leave it open") func leftOut() throws {
        #expect(try explain("web-0", .egress, "192.0.2.1", .anyProtocol).isAllowed)
        #expect(try !explain("web-0", .ingress, "192.0.2.1", .anyProtocol).isAllowed)
        #expect(try !explain("web-0", .ingress, "192.0.2.1", .ports(.tcp, source: nil, destination: nil)).isAllowed)
    }

    @Test("knows what the host lets every pod do, and what none") func host() throws {
        #expect(try explain("db-0", .egress, "10.1.0.1", .icmp(type: 8, code: 0)).isAllowed)
        let denied = try explain("web-0", .egress, "10.1.0.1", .ports(.tcp, source: nil, destination: 22))
        #expect(!denied.isAllowed)
        #expect(denied.deciding?.reason.contains("host.fromPods") == true)
        #expect(try explain("db-0", .ingress, "10.1.0.1", .ports(.tcp, source: nil, destination: 22)).isAllowed)
    }

    @Test("says that a pod isn't attached") func notAttached() throws {
        let answer = try explain("late", .ingress, "192.0.2.1", .ports(.tcp, source: nil, destination: 80))
        #expect(!answer.isAllowed)
        #expect(answer.deciding?.reason.contains("isn't attached") == true)
    }

    @Test("refuses questions that make no sense") func nonsense() throws {
        #expect(throws: Unanswerable.unknown("web-9")) { try explain("web-9", .egress, "192.0.2.1", .anyProtocol) }
        #expect(throws: Unanswerable.withoutAddress("web-0", .v6)) { try explain("web-0", .egress, "2001:db8::1", .anyProtocol) }
        #expect(throws: (any Error).self) { try explain("web-0", .egress, "10.1.0.10", .anyProtocol) }
    }
}
