import HostNetwork
import Testing

@Suite("Routes of subnets") struct RoutesRealizeTests {
    private static let table = RouteTable(of: "four", in: "blue")
    private static let far = Prefix(.v4(0xc633_6400), length: 24) ?? .everything(.v4)

    /// Pods web (.10) and gw (.11) of this host, neighbor n (.20) of another, with these routes.
    private func desired(_ routes: [SubnetRoute], fabric: Fabric = .vxlan, attached: Set<ID<Pod>> = ["web", "gw"]) throws -> Desired {
        var intents = Intents()
        let subnet = Subnet(
            id: "four", cidr: Prefix(.v4(0x0a01_0000), length: 24) ?? .everything(.v4), gateway: .v4(0x0a01_0001), routes: routes)
        _ = try intents.upsert(.network(Network(id: "blue", subnets: [subnet], fabric: fabric, tunnelID: TunnelID(7))))
        for (number, id) in ["web", "gw"].enumerated() {
            let addresses = [IPAddress.v4(0x0a01_000a + UInt32(number))]
            _ = try intents.upsert(.pod(Pod(id: ID(id), network: "blue", namespace: "/run/netns/\(id)", addresses: addresses)))
        }
        let neighbor = Neighbor(id: "n", network: "blue", addresses: [.v4(0x0a01_0014)], host: .v4(0xc000_0202))
        _ = try intents.upsert(.neighbor(neighbor))
        let layout = Layout(underlay: Underlay(address: .v4(0xc000_0201), mtu: 1500))
        return Desired(intents: intents, layout: layout, attachable: attached, epochs: [:])
    }

    private func route(_ last: UInt32, _ priority: UInt32 = 0, to destination: Prefix = far) -> SubnetRoute {
        SubnetRoute(destination, through: .v4(0x0a01_0000 + last), priority: priority)
    }

    /// The table and its rules, as an operator would write them.
    private func tables(_ desired: Desired) -> [String] {
        desired.state.entries.values.filter { entry in
            switch entry.object {
            case .route(let route): route.table != .main
            case .tableRule: true
            default: false
            }
        }.map {
            Operation(.add, $0).text.replacing(" table \(Self.table.number)", with: "").replacing(
                "lookup \(Self.table.number)", with: "lookup T")
        }
        .sorted()
    }

    private let common = [
        "route add throw 10.1.0.0/24", "route add unreachable 198.51.100.0/24 metric 4294967295",
        "rule add from 10.1.0.0/24 lookup T priority 26743",
    ]

    @Test("through a pod of this host lead behind its link, but for what it sends itself")
    func pod() throws {
        let link = LinkName(of: "gw")
        #expect(
            try tables(desired([route(11)]))
                == (["route add 198.51.100.0/24 via 10.1.0.11 onlink dev \(link)"] + common + [
                    "rule add iif \(link) goto 32766 priority 26742"
                ]).sorted())
    }

    @Test("through a neighbor lead into its tunnel, or through its host")
    func neighbor() throws {
        #expect(try tables(desired([route(20)])) == (["route add 198.51.100.0/24 via 10.1.0.20 onlink dev hx7"] + common).sorted())
        #expect(try tables(desired([route(20)], fabric: .routed)) == (["route add 198.51.100.0/24 via 192.0.2.2"] + common).sorted())
    }

    @Test("lead nowhere else while the next hop isn't there, and say what they wait for")
    func waiting() throws {
        for (hop, attached) in [(30, ["web", "gw"]), (11, ["web"])] as [(UInt32, Set<ID<Pod>>)] {
            let desired = try desired([route(hop)], attached: attached)
            #expect(tables(desired) == common.sorted())
        }
        let nobody = try desired([route(30)]).intents.unmet(for: "blue", over: nil) { _ in nil }
        #expect(nobody == ["a pod or neighbor that has 10.1.0.30, the next hop of subnet four to 198.51.100.0/24"])
        let absent = try desired([route(11)]).intents.unmet(for: "blue", over: nil) { $0.id == "gw" ? "its attachment" : nil }
        #expect(absent == ["its attachment of pod gw (10.1.0.11), the next hop of subnet four to 198.51.100.0/24"])
        #expect(try desired([route(11)]).intents.unmet(for: "blue", over: nil) { _ in nil } == [])
    }

    @Test("to one destination lead by the first whose next hop is there; through the gateway they are none")
    func priorities() throws {
        let link = LinkName(of: "gw")
        let both = try desired([route(20, 20), route(11, 10)])
        #expect(tables(both).contains("route add 198.51.100.0/24 via 10.1.0.11 onlink dev \(link)"))
        let left = try desired([route(20, 20), route(11, 10)], attached: ["web"])
        #expect(tables(left).contains("route add 198.51.100.0/24 via 10.1.0.20 onlink dev hx7"))
        #expect(
            try tables(desired([route(1), route(11, to: .everything(.v4))])).filter { $0.contains("198.51") }
                == ["route add throw 198.51.100.0/24"])
    }

    @Test("are there while a pod of the network is attached, and take no other part along when they change")
    func parts() throws {
        var desired = try desired([route(11)])
        let whole = desired.state
        _ = desired.attach([], detach: ["web", "gw"])
        #expect(tables(desired).isEmpty)
        _ = desired.attach(["web", "gw"], detach: [])
        #expect(desired.state == whole)
        // Another next hop is one step: nothing is ever without its way. The pod is no router any more.
        var network = try #require(desired.intents.networks["blue"])
        network.subnets[0].routes = [route(20)]
        let before = desired.intents.networks["blue"]
        let touched = desired.change { intents in
            do throws(Rejected) { _ = try intents.upsert(.network(network)) } catch { Issue.record("\(error)") }
            return [(before.map(Intent.network), .network(network))]
        }
        let steps = Plan(from: whole, to: desired.state, touching: touched).steps
        #expect(steps.map { Phase.of($0) } == [.tableRuleGone, .unbind, .routeMade], "\(steps.map(\.text))")
        #expect(steps.last.map { if case .change = $0.action { true } else { false } } == true)
    }

    @Test("lead an explanation there, with what the next hop's groups say")
    func explained() throws {
        let remote = IPAddress.v4(0xc633_6407)
        func explain(_ desired: Desired, from pod: ID<Pod> = "web") throws -> Explanation {
            try desired.explain(Question(pod: pod, direction: .egress, remote: remote, content: .ports(.udp, source: nil, destination: 53)))
        }
        let near = try explain(desired([route(11)]))
        #expect(near.route.end == .pod("gw") && near.route.nextHop == .v4(0x0a01_000b) && near.route.subnet == "four")
        #expect(near.route.destination == Self.far && near.halves.map(\.pod) == ["web", "gw"])
        #expect(near.halves.map(\.isAllowed) == [true, true], "members of the default group")
        let far = try explain(desired([route(20)]))
        #expect(far.route.end == .neighbor("n", at: .v4(0xc000_0202)) && far.route.device == "hx7" && far.halves.map(\.pod) == ["web"])
        let routed = try explain(desired([route(20)], fabric: .routed))
        #expect(routed.route.end == .neighbor("n", at: .v4(0xc000_0202)) && routed.route.gateway == .v4(0xc000_0202))
        #expect(routed.route.nextHop == .v4(0x0a01_0014))
        let nowhere = try explain(desired([route(30)]))
        #expect(nowhere.route.end == .nowhere && nowhere.route.reason.contains("leads through 10.1.0.30, which can't be reached"))
        #expect(try explain(desired([route(11)]), from: "gw").route.end == .outside, "what it sends itself doesn't come back to it")
    }

    @Test("know the gateway by the subnet's MAC, on both ends")
    func gatewayMAC() throws {
        var desired = try desired([])
        var network = try #require(desired.intents.networks["blue"])
        let before = network
        network.subnets[0].gatewayMAC = MAC(0x0200_0000_00aa)
        _ = desired.change { intents in
            do throws(Rejected) { _ = try intents.upsert(.network(network)) } catch { Issue.record("\(error)") }
            return [(.network(before), .network(network))]
        }
        let name = LinkName(of: "web")
        guard case .link(let link)? = desired.state[.link(name)] else { throw LinkMissing() }
        #expect(link.hostMAC == MAC(0x0200_0000_00aa))
        let entry = desired.state[.neighbor(End(name, .pod), .v4(0x0a01_0001))]
        #expect(entry == .neighbor(NeighborEntry(End(name, .pod), .v4(0x0a01_0001), at: MAC(0x0200_0000_00aa))))
    }

    private struct LinkMissing: Error {}
}
