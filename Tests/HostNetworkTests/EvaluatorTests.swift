import HostNetwork
import Testing

@Suite("A judgement") struct EvaluatorTests {
    private static let near = IPAddress.v4(0x0a01_000a)
    private static let far = IPAddress.v4(0x0a01_000b)

    /// Two pods of one network: `web` is bound to `groups`, `peer` to whatever lets everything through.
    private func state(
        _ groups: [SecurityGroup], bound: [ID<SecurityGroup>] = ["web"], peer: SecurityGroup = Self.open, layout: Layout = Layout()
    ) -> HostState {
        var intents = Intents()
        let subnet = Subnet(id: "s", cidr: Prefix(Self.near, length: 24) ?? .everything(.v4))
        _ = intents.upsert(
            contentsOf: [.network(Network(id: "blue", subnets: [subnet])), .securityGroup(peer)] + groups.map(Intent.securityGroup) + [
                .pod(Pod(id: "web", network: "blue", namespace: "/w", mac: MAC(16), addresses: [Self.near], securityGroups: bound)),
                .pod(Pod(id: "peer", network: "blue", namespace: "/p", mac: MAC(18), addresses: [Self.far], securityGroups: [peer.id])),
            ])
        return Desired(intents: intents, layout: layout, attachable: ["web", "peer"], epochs: [:]).state
    }

    private static let open = SecurityGroup(
        id: "open", rules: [Rule(id: "in", direction: .ingress), Rule(id: "out", direction: .egress)])

    private func sent(_ transport: Packet.Transport, _ tracking: Packet.Tracking = .flow(.original, mark: 0), mac: MAC = MAC(16)) -> Packet
    {
        Packet(
            .forward, from: .init(of: "web"), to: .init(of: "peer"), etherSource: mac,
            .ip(source: Self.near, destination: Self.far, transport), tracking)
    }

    private func received(_ transport: Packet.Transport, _ tracking: Packet.Tracking = .flow(.original, mark: 0)) -> Packet {
        Packet(
            .forward, from: .init(of: "peer"), to: .init(of: "web"), etherSource: MAC(18),
            .ip(source: Self.far, destination: Self.near, transport), tracking)
    }

    private let http = Packet.Transport.ports(.tcp, source: 40000, destination: 80)

    // MARK: Why

    @Test("names the rule that allowed, and its group")
    func allowed() throws {
        let group = SecurityGroup(
            id: "web", rules: [Rule(id: "http", protocol: .tcp, ports: PortRange(80)), Rule(id: "dns", protocol: .udp)])
        let judgement = Evaluator.judge(sent(http), in: state([group]))
        #expect(judgement.isAccepted && judgement.halves.map(\.base.name) == ["egress", "ingress"])
        let reason = try #require(judgement.halves.first?.decision?.reason)
        #expect(reason.because == IntentID(.securityGroup, "web") && reason.comment == "http")
        #expect(try #require(judgement.halves.last?.decision?.reason).because == IntentID(.securityGroup, "open"))
    }

    @Test("names the rule also where it is about another group, whatever it asks of the packet", arguments: [nil, PortRange(80)])
    func remote(ports: PortRange?) throws {
        let rule = Rule(id: "to-peers", protocol: ports == nil ? nil : .tcp, ports: ports, remote: .group("open"))
        let judgement = Evaluator.judge(sent(http), in: state([SecurityGroup(id: "web", rules: [rule])]))
        let decision = try #require(judgement.halves.first?.decision)
        #expect(decision.reason.because == IntentID(.securityGroup, "web") && decision.reason.comment == "to-peers")
        #expect(decision.elements.contains { $0.because == IntentID(.pod, "peer") })
    }

    @Test("names the pod whose rules none of which allowed, and goes no further")
    func denied() throws {
        let judgement = Evaluator.judge(sent(http), in: state([SecurityGroup(id: "web")]))
        #expect(!judgement.isAccepted && judgement.halves.count == 1)
        #expect(try #require(judgement.decision).reason.because == IntentID(.pod, "web"))
        #expect(judgement.decision?.verdict == .drop)
    }

    @Test("has nothing to say of what isn't a pod's")
    func foreign() {
        let uplink = Packet.Interface(name: LinkName(reported: "eth0"), group: 0)
        let packet = Packet(.forward, from: uplink, to: uplink, .ip(source: Self.far, destination: Self.near, http))
        let judgement = Evaluator.judge(packet, in: state([]))
        #expect(judgement.isAccepted && judgement.decision == nil && judgement.packet == packet)
    }

    @Test("is closed for a link of ours that no pod is bound to")
    func unbound() {
        var packet = sent(http)
        packet.incoming = .init(of: "nobody")
        #expect(!Evaluator.judge(packet, in: state([Self.open])).isAccepted)
        packet = sent(http)
        packet.outgoing = .init(of: "nobody")
        #expect(Evaluator.judge(packet, in: state([Self.open], bound: ["open"])).halves.map(\.isAccepted) == [true, false])
    }

    @Test("keeps rules about a group and about an address group of the same name apart")
    func sameName() {
        let rules = [
            Rule(id: "group", protocol: .tcp, ports: PortRange(80), remote: .group("office")),
            Rule(id: "addresses", protocol: .tcp, ports: PortRange(443), remote: .addressGroup("office")),
        ]
        var intents = Intents()
        let subnet = Subnet(id: "s", cidr: Prefix(Self.near, length: 24) ?? .everything(.v4))
        _ = intents.upsert(contentsOf: [
            .network(Network(id: "blue", subnets: [subnet])), .securityGroup(SecurityGroup(id: "web", rules: rules)),
            .securityGroup(SecurityGroup(id: "office", network: "blue")),
            .addressGroup(AddressGroup(id: "office", cidrs: [Prefix(.v4(9))])),
            .neighbor(Neighbor(id: "n", network: "blue", addresses: [Self.far], securityGroups: ["office"])),
            .pod(Pod(id: "web", network: "blue", namespace: "/w", mac: MAC(16), addresses: [Self.near], securityGroups: ["web"])),
        ])
        let evaluator = Evaluator(Desired(intents: intents, layout: Layout(), attachable: ["web"], epochs: [:]).state)
        let cases: [(UInt16, IPAddress, Bool)] = [(80, Self.far, true), (443, Self.far, false), (443, .v4(9), true), (80, .v4(9), false)]
        for (port, address, isAllowed) in cases {
            let content = Packet.Content.ip(source: Self.near, destination: address, .ports(.tcp, source: 1, destination: port))
            let judgement = evaluator.judge(Packet(.forward, from: .init(of: "web"), etherSource: MAC(16), content))
            #expect(judgement.isAccepted == isAllowed, "port \(port) of \(address)")
        }
    }

    // MARK: Stamps

    @Test("stamps an allowed flow for both sides and leaves the other bits of its mark alone")
    func stamps() throws {
        let evaluator = Evaluator(state([Self.open], bound: ["open"]))
        let mark = try #require(evaluator.judge(sent(http, .flow(.original, mark: 0x1234))).mark)
        #expect(mark == 0x0101_1234)
        let again = evaluator.judge(sent(http, .flow(.original, mark: mark)))
        #expect(again.mark == mark && again.halves.allSatisfy { $0.decision?.line.because == Layout.because })
        let denied = Evaluator(state([SecurityGroup(id: "web")])).judge(sent(http, .flow(.original, mark: 0x1234)))
        #expect(denied.mark == 0x8100_1234, "tentative, which is never good")
    }

    @Test("lets a rule decide on what tracking can't judge", arguments: [true, false])
    func untracked(isStateful: Bool) {
        let rules = [Rule(id: "r", direction: .egress, protocol: .udplite), Rule(id: "s", direction: .ingress, protocol: .udplite)]
        let evaluator = Evaluator(state([SecurityGroup(id: "web", stateful: isStateful, rules: rules)]))
        let datagram = Packet.Transport.ports(.udplite, source: 1, destination: 2)
        #expect(evaluator.judge(sent(datagram, .none)).isAccepted)
        #expect(evaluator.judge(received(datagram, .none)).isAccepted)
        #expect(!evaluator.judge(sent(http, .none)).isAccepted)
    }

    @Test(
        "counts an invalid packet on its own, and lets the rules decide or drops it, as the setting says",
        arguments: InvalidPackets.allCases, [true, false])
    func invalid(setting: InvalidPackets, isStateful: Bool) {
        let rules = [Rule(id: "http", protocol: .tcp, ports: PortRange(80)), Rule(id: "in", direction: .ingress, protocol: .tcp)]
        let group = SecurityGroup(id: "web", stateful: isStateful, rules: rules)
        let evaluator = Evaluator(state([group], layout: Layout(invalid: setting)))
        func sets(_ judgement: Judgement) -> [String] {
            judgement.halves.flatMap(\.steps).flatMap(\.elements).compactMap(\.object.element?.set.name)
        }
        let isDropped = setting == .drop && isStateful
        let counts = setting == .rules || isStateful
        let allowed = evaluator.judge(sent(http, .invalid))
        #expect(allowed.halves.first?.isAccepted == !isDropped)
        #expect(sets(allowed).contains("invalid-out") == counts)
        let refused = evaluator.judge(sent(.ports(.tcp, source: 40000, destination: 81), .invalid))
        #expect(!refused.isAccepted)
        #expect(sets(refused).contains("invalid-out") == counts && sets(refused).contains("denied-out") == !counts)
        #expect(evaluator.judge(received(http, .invalid)).isAccepted == (setting == .rules), "the peer's own binding is stateful")
        #expect(evaluator.judge(sent(http, .none)).isAccepted && !sets(evaluator.judge(sent(http, .none))).contains("invalid-out"))
        #expect(evaluator.judge(sent(http)).isAccepted && !sets(evaluator.judge(sent(http))).contains("invalid-out"))
    }

    @Test("takes an ICMP error for what it is, and never for a word of the flow that it is about")
    func errors() throws {
        let icmp = SecurityGroup(
            id: "web", rules: [Rule(id: "icmp", protocol: .icmp), Rule(id: "in", direction: .ingress, protocol: .icmp)])
        let evaluator = Evaluator(state([icmp]))
        // A flow of TCP that isn't allowed any more, and what a pod may say to keep it.
        for way in Way.allCases {
            let judgement = evaluator.judge(sent(.icmp(type: 3, code: 3), .flow(way, mark: 0x0909_0000)))
            let mark = try #require(judgement.mark)
            #expect(judgement.isAccepted)
            #expect(!evaluator.judge(sent(http, .flow(.original, mark: mark))).isAccepted)
            #expect(!evaluator.judge(received(.ports(.tcp, source: 80, destination: 40000), .flow(.reply, mark: mark))).isAccepted)
        }
        let echo = try #require(evaluator.judge(sent(.icmp(type: 8, code: 0))).mark)
        #expect(echo == 0x0101_0000)
    }

    @Test("of a stateless pod's packet makes no stamp of the other side good")
    func stateless() throws {
        let loose = SecurityGroup(id: "loose", stateful: false, rules: Self.open.rules)
        let evaluator = Evaluator(state([SecurityGroup(id: "web", rules: [Rule(id: "dns", protocol: .udp)])], peer: loose))
        // Web's rules don't allow its own flow any more; the peer goes on talking.
        let denied = evaluator.judge(sent(http, .flow(.original, mark: 0x0900_0000)))
        #expect(!denied.isAccepted)
        let answer = evaluator.judge(received(.ports(.tcp, source: 80, destination: 40000), .flow(.reply, mark: try #require(denied.mark))))
        #expect(answer.halves.map(\.isAccepted) == [true, false])
        #expect(!evaluator.judge(sent(http, .flow(.original, mark: try #require(answer.mark)))).isAccepted)
    }

    @Test(
        "of a stale flow's ICMP reply is that of the request, whose type is another",
        arguments: [(8, 0), (13, 14), (15, 16), (17, 18)] as [(UInt8, UInt8)])
    func replies(request: UInt8, reply: UInt8) {
        let rule = Rule(id: "r", protocol: .icmp, icmp: ICMPMatch(type: request, code: 0))
        let evaluator = Evaluator(state([SecurityGroup(id: "web", rules: [rule])]))
        let stale = Packet.Tracking.flow(.reply, mark: 0x0909_0000)
        #expect(evaluator.judge(received(.icmp(type: reply, code: 0), stale)).isAccepted)
        #expect(!evaluator.judge(received(.icmp(type: reply, code: 1), stale)).isAccepted)
        #expect(!evaluator.judge(received(.icmp(type: reply ^ 2, code: 0), stale)).isAccepted)
    }

    // MARK: Who a pod may not be

    @Test("keeps pods from serving DHCP, whatever their rules")
    func servers() {
        let evaluator = Evaluator(state([Self.open], bound: ["open"]))
        for way in Way.allCases {
            #expect(!evaluator.judge(sent(.ports(.udp, source: 67, destination: 68), .flow(way, mark: 0x0101_0000))).isAccepted)
        }
        #expect(evaluator.judge(sent(.ports(.udp, source: 68, destination: 67))).isAccepted)
        #expect(!evaluator.judge(sent(http, mac: MAC(99))).isAccepted, "another's MAC")
    }
}
