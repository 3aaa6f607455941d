import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("Epochs that begin anew", .serialized, .ownThreads) struct RevocationEpochTests {
    /// Six bits: three epochs, then the first again.
    private static let marks = Result { try MarkLayout(mask: 0xfc00_0000) }
    private static let foreign: UInt32 = 0x0300_1234
    private static let packetMark: UInt32 = 0x5678

    /// Marks of somebody else's, given to each flow when it is new and to each packet, and counters of what became of the packets'.
    private static let ruleset = """
        table inet foreign {
            counter kept { }
            counter changed { }
            chain pre {
                type filter hook prerouting priority mangle
                meta mark set \(packetMark)
                ct state new ct mark set \(foreign)
            }
            chain last {
                type filter hook forward priority 300
                meta mark \(packetMark) counter name kept
                meta mark != \(packetMark) counter name changed
            }
        }
        """

    /// Which flows are tried.
    enum Flows: CaseIterable { case toThePod, fromThePod, fromItsPair }

    @Test("keep dead what is dead and let live what lives, and leave others' bits alone", arguments: Flows.allCases, Family.allCases)
    func wraps(kind: Flows, family: Family) async throws {
        let marks = try Self.marks.get()
        let host = try LabHost(layout: Layout(marks: marks))
        try host.host.run(["nft", "-f", "-"], input: Self.ruleset)
        let (pod, other) = (try host.pod("web", 10), try host.pod("client", 20))
        let pair = ["10.1.0.200", "fd00:1::c8"][family == .v4 ? 0 : 1]
        func bind(_ groups: ID<SecurityGroup>...) -> Pod {
            let pairs = kind == .fromItsPair ? ["10.1.0.192/28", "fd00:1::c0/124"] : []
            return pod.intent(groups) { $0.allowedAddressPairs = pairs.map { AddressPair(address: Prefix($0)) } }
        }
        try await host.apply { intents in
            let directions = Rule.Direction.allCases
            try intents.put("open", Rule(id: "out", direction: .egress), Rule(id: "in", direction: .ingress))
            try intents.put(SecurityGroup(id: "doomed", network: "blue", rules: Self.rules(directions, ports: PortRange(7000, 7001))))
            try intents.put(SecurityGroup(id: "lasting", network: "blue", rules: Self.rules(directions, ports: PortRange(7020, 7021))))
            try intents.put(SecurityGroup(id: "other", network: "blue"))
            try intents.put(other.intent(["open"]))
            try intents.put(bind("doomed", "lasting"))
        }
        if kind == .fromItsPair { try Self.add(pair, to: pod, of: host) }

        let (client, server) = kind == .toThePod ? (other.peer, pod.peer) : (pod.peer, other.peer)
        let source = kind == .fromItsPair ? pair : nil
        let cut = try RevocationFlows(from: client, at: source, to: server, family, port: 7000, echoes: false)
        let lasting = try RevocationFlows(from: client, at: source, to: server, family, port: 7020, echoes: false)
        let flood = try Self.flood(from: client, to: server, family)

        // From now on the doomed flows are silent, until their epoch's number is in force again.
        try host.change { try $0.put(bind("lasting")) }
        var rewound = 0
        for round in 1...7 {
            let plan = try host.change { try $0.put(round % 2 == 1 ? bind("lasting", "other") : bind("lasting")) }.plan
            if round % 3 == 0 { try await host.settle() }
            guard !plan.rewound.isEmpty else { continue }
            rewound += 1
            #expect(try Self.stamps(of: 7000, host, marks).allSatisfy { $0 == 0 }, "stamps of an epoch that begins anew")
            #expect(try cut.arrivals(witness: lasting) == [])
            #expect(try lasting.carry())
        }
        #expect(rewound >= 1)
        try await host.settle()
        #expect(try cut.arrivals(witness: lasting) == [])
        #expect(try lasting.carry())

        #expect(flood.stop(after: 100).lost == [])
        try Self.expectForeignBits(host)
    }

    private static func rules(_ directions: [Rule.Direction], ports: PortRange?) -> [Rule] {
        directions.flatMap { direction in
            let protocols: [IPProtocol] = [.tcp, .udp]
            return protocols.map { Rule(id: "\(direction) \($0)", direction: direction, protocol: $0, ports: ports) }
        }
    }

    private static func add(_ address: String, to pod: LabPod, of host: LabHost) throws {
        try pod.namespace.add(address: address, to: "eth0")
        try host.host.run("ip", "route", "add", address, "dev", pod.link.value)
        try host.host.run("ip", "neigh", "add", address, "lladdr", pod.mac.description, "dev", pod.link.value)
    }

    /// Answers of the server on a lasting port, whose client is silent.
    private static func flood(from client: LabPeer, to server: LabPeer, _ family: Family) throws -> Flood {
        let receiver = try UDP(in: client.namespace, at: client.address(family))
        let sender = try UDP(in: server.namespace, at: server.address(family), port: 7021)
        #expect(try receiver.reaches(sender, at: server.address(family), within: .seconds(5)))
        return try Flood(from: sender, to: receiver, at: client.address(family), every: .milliseconds(1))
    }

    /// The stamps of flows to a port.
    private static func stamps(of port: UInt16, _ host: LabHost, _ marks: MarkLayout) throws -> [UInt32] {
        var table = try FlowTable(in: NetworkNamespace(at: host.host.path))
        let flows = try table.flows().filter { $0.destinationPort == port }
        #expect(!flows.isEmpty)
        return flows.map { $0.mark & marks.mask }
    }

    private static func expectForeignBits(_ host: LabHost) throws {
        var table = try FlowTable(in: NetworkNamespace(at: host.host.path))
        let flows = try table.flows().filter { [6, 17].contains($0.ipProtocol) }
        #expect(flows.count >= 4)
        let others: UInt32 = 0x03ff_ffff
        #expect(flows.allSatisfy { $0.mark & others == foreign & others })
        let counters = try host.host.run("nft", "list", "counters", "table", "inet", "foreign").split(separator: "packets ")
        let packets = counters.dropFirst().compactMap { Int($0.prefix { $0.isNumber }) }
        #expect(packets.count == 2)
        #expect(packets.first.map { $0 > 100 } == true, "packets that kept their mark")
        #expect(packets.last == 0, "packets whose mark was changed")
    }
}
