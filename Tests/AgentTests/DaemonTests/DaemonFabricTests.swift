import Foundation
import Lab
import OwnThreads
import Testing

@Suite("The daemons of two hosts", .serialized, .ownThreads) struct DaemonFabricTests {
    /// A host of the network 192.0.2.0/24 with one pod of each of two networks.
    private struct Side {
        var number: Int
        var host: DaemonHost
        /// Of the isolated network red, and of the shared network flat.
        var red: DaemonPod
        var flat: Flat

        init(_ number: Int) throws {
            self.number = number
            host = try DaemonHost()
            red = try host.pod("red-\(number)", 10 * number)
            red.network = "red"
            flat = Flat(id: "flat-\(number)", address: "10.2.0.\(10 * number)", namespace: try host.lab.namespace("flat"))
        }

        func start() throws { try host.start(["--host-address", "192.0.2.\(number)"]) }
    }

    private struct Flat {
        var id: String
        var address: String
        var namespace: LabNamespace
    }

    private let sides: [Side]

    init() throws {
        sides = try [Side(1), Side(2)]
        let other = URL(filePath: sides[1].host.host.path).lastPathComponent
        try sides[0].host.host.run("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "uplink", "netns", other)
        for side in sides {
            try side.host.host.run("ip", "address", "add", "192.0.2.\(side.number)/24", "dev", "uplink")
            try side.host.host.run("ip", "link", "set", "uplink", "up")
            try side.start()
        }
        for (side, other) in [(sides[0], sides[1]), (sides[1], sides[0])] { try apply(intents(side, other), to: side) }
    }

    private func apply(_ intents: String, to side: Side) throws {
        let outcome = try side.host.hawser("apply", "-f", "-", input: intents)
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.complaints)")
    }

    /// Members of the group reach each other at port 7000 and 7001 of UDP.
    private func intents(_ side: Side, _ other: Side) -> String {
        """
        networks:
          - id: red
            isolated: true
            tunnelID: 4711
            subnets:
              - {id: v4, cidr: 10.1.0.0/24, gateway: 10.1.0.1}
              - {id: v6, cidr: "fd00:1::/64", gateway: "fd00:1::1"}
          - {id: flat, fabric: routed, subnets: [{id: flat-4, cidr: 10.2.0.0/24, gateway: 10.2.0.1}]}
        securityGroups:
          - id: each-other
            rules:
              - {id: out, direction: egress}
              - {id: in, direction: ingress, protocol: udp, ports: 7000-7001, remote: {group: each-other}}
        pods:
        \(side.red.yaml("each-other"))
          - {id: \(side.flat.id), network: flat, namespace: \(side.flat.namespace.path), addresses: [\(side.flat.address)], securityGroups: [each-other]}
        neighbors:
          - {id: \(other.red.id), network: red, addresses: [\(other.red.ipv4), "\(other.red.ipv6)"], host: 192.0.2.\(other.number), securityGroups: [each-other]}
          - {id: \(other.flat.id), network: flat, addresses: [\(other.flat.address)], host: 192.0.2.\(other.number), securityGroups: [each-other]}

        """
    }

    @Test("let pods reach each other through a tunnel, and by routes, as their groups say")
    func reach() throws {
        let (left, right) = (sides[0], sides[1])
        for family in 0...1 {
            #expect(try right.red.isReached(at: 7000, from: left.red, family, witness: 7001))
            #expect(try left.red.isReached(at: 7000, from: right.red, family, witness: 7001))
            #expect(try !right.red.isReached(at: 7100, from: left.red, family, witness: 7001))
        }
        let receiver = try UDP(in: right.flat.namespace, at: right.flat.address, port: 7000)
        let closed = try UDP(in: right.flat.namespace, at: right.flat.address, port: 7100)
        let sender = try UDP(in: left.flat.namespace, at: left.flat.address)
        #expect(try sender.reaches(receiver, at: right.flat.address, within: .seconds(5)))
        #expect(try !sender.reaches(closed, at: right.flat.address, within: .milliseconds(200)))
        #expect(try left.host.hawser("neighbors", "red", "--output", "json").list.map { $0["status"] as? String } == ["applied"])
    }

    @Test("say by which way a packet leaves for the other host, or that nothing leads there, and how their networks are")
    func inspection() throws {
        let (left, right) = (sides[0], sides[1])
        func route(_ pod: String, _ remote: String) throws -> [String: Any] {
            let answer = try left.host.hawser(
                "explain", "--pod", pod, "--egress", "--remote", remote, "--protocol", "udp", "--port", "7000", "--output", "json")
            #expect(answer.status == 0, "\(answer.output)\(answer.complaints)")
            return try #require(answer.object["route"] as? [String: Any])
        }
        let tunnelled = try route(left.red.id, right.red.ipv6)
        #expect(tunnelled["kind"] as? String == "neighbor" && tunnelled["id"] as? String == right.red.id)
        #expect(tunnelled["host"] as? String == "192.0.2.2" && tunnelled["fabric"] as? String == "vxlan")
        #expect(tunnelled["tunnel"] as? Int == 4711 && tunnelled["device"] as? String == "hx4711")
        let routed = try route(left.flat.id, right.flat.address)
        #expect(routed["host"] as? String == "192.0.2.2" && routed["fabric"] as? String == "routed")
        #expect(routed["gateway"] as? String == "192.0.2.2" && routed["device"] as? String == "uplink")
        #expect(try route(left.red.id, "10.1.0.99")["kind"] as? String == "nowhere")
        let table = try left.host.hawser("explain", "--pod", left.red.id, "--egress", "--remote", "10.1.0.99").output
        #expect(table.contains("but nothing leads there: network red is isolated: no pod and no neighbor of it has 10.1.0.99"))

        let red = try left.host.hawser("networks", "red", "--output", "json").object
        let fabric = try #require(red["fabric"] as? [String: Any])
        #expect(fabric["kind"] as? String == "vxlan" && fabric["mtu"] as? Int == 1450 && fabric["address"] as? String == "192.0.2.1")
        let tunnel = try #require((fabric["tunnels"] as? [[String: Any]])?.first)
        #expect(tunnel["id"] as? Int == 4711 && tunnel["device"] as? String == "hx4711" && tunnel["isThere"] as? Bool == true)
        #expect((red["subnets"] as? [[String: Any]])?.map { $0["tunnelID"] as? Int } == [4711, 4711])
        #expect((red["neighborHealth"] as? [String: Any])?["applied"] as? Int == 1)
        #expect((red["podHealth"] as? [String: Any])?["applied"] as? Int == 1)
        let words = try left.host.hawser("networks", "red").output
        #expect(words.contains("hx4711") && words.contains("4711    hx4711  there"))
    }

    @Test("lose nothing between their pods while one of them is killed and started again")
    func restart() throws {
        let (left, right) = (sides[0], sides[1])
        let sender = try UDP(in: left.red.namespace, at: left.red.ipv4, port: 5000)
        let receiver = try UDP(in: right.red.namespace, at: right.red.ipv4, port: 7000)
        #expect(try sender.reaches(receiver, at: right.red.ipv4, within: .seconds(5)))
        // Both ways, through the end and the start of either daemon.
        let back = (
            try UDP(in: right.flat.namespace, at: right.flat.address), try UDP(in: left.flat.namespace, at: left.flat.address, port: 7000)
        )
        #expect(try back.0.reaches(back.1, at: left.flat.address, within: .seconds(5)))
        let floods = try [
            Flood(from: sender, to: receiver, at: right.red.ipv4, every: .milliseconds(1)),
            Flood(from: back.0, to: back.1, at: left.flat.address, every: .milliseconds(1)),
        ]
        for side in [left, right] {
            floods[0].wait(for: 50)
            side.host.end(SIGKILL)
            floods[0].wait(for: 50)
            try side.start()
            floods[0].wait(for: 50)
        }
        for flood in floods {
            let report = flood.stop(waiting: .seconds(1))
            #expect(report.lost == [] && report.duplicated == 0 && report.received == report.sent, "of \(report.sent)")
        }
        #expect(try receiver.reaches(sender, at: left.red.ipv4, within: .seconds(5)))
        #expect(try !right.red.isReached(at: 7100, from: left.red, 0, witness: 7001))
    }

    @Test("reach a neighbor no more when it is gone, and say what it waits for when its host isn't known")
    func gone() throws {
        let (left, right) = (sides[0], sides[1])
        #expect(try right.red.isReached(at: 7000, from: left.red, 0, witness: 7001))
        let nameless = intents(left, right).replacing("host: 192.0.2.2, ", with: "")
        #expect(try left.host.hawser("apply", "-f", "-", input: nameless).status == 0)
        let waits = try left.host.hawser("neighbors", "red", "--output", "json").list.first
        #expect(waits?["status"] as? String == "pending")
        #expect((waits?["reason"] as? String)?.contains("host") ?? false)
        let sender = try UDP(in: left.red.namespace, at: left.red.ipv4)
        let receiver = try UDP(in: right.red.namespace, at: right.red.ipv4, port: 7000)
        // Nothing leads there any more: the kernel says so to the sender.
        #expect((try? sender.reaches(receiver, at: right.red.ipv4, within: .milliseconds(200))) != true)
        try apply(intents(left, right), to: left)
        #expect(try right.red.isReached(at: 7000, from: left.red, 0, witness: 7001))
    }
}
