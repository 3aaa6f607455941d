import HostNetwork
import OwnThreads
import Testing

@Suite("An explanation of where a packet goes", .ownThreads) struct ExplainRouteTests {
    private static let own = Underlay(address: .v4(0xc000_0201), mtu: 1500)
    private static let other = IPAddress.v4(0xc000_0202)

    /// Pods web, db and late, which isn't attached, of a network, and neighbor far at 10.1.0.70.
    private func desired(
        _ fabric: Fabric?, isolated: Bool = false, underlay: Underlay? = own, host: IPAddress? = other, adminUp: Bool = true
    ) throws -> Desired {
        var intents = Intents()
        let subnet = Subnet(id: "four", cidr: try Prefix(parsing: "10.1.0.0/24"), gateway: try IPAddress(parsing: "10.1.0.1"))
        let tunnel = fabric == .vxlan ? TunnelID(4242) : nil
        _ = try intents.upsert(.network(Network(id: "blue", isolated: isolated, subnets: [subnet], fabric: fabric, tunnelID: tunnel)))
        for (number, id) in ["web", "db", "late"].enumerated() {
            let pod = Pod(
                id: ID(id), network: "blue", namespace: "/run/netns/\(id)", addresses: [.v4(0x0a01_000a + UInt32(number))],
                adminUp: id == "web" || adminUp)
            _ = try intents.upsert(.pod(pod))
        }
        let far = try IPAddress(parsing: "10.1.0.70")
        _ = try intents.upsert(.neighbor(Neighbor(id: "far", network: "blue", addresses: [far], host: host)))
        return Desired(intents: intents, layout: Layout(underlay: underlay), attachable: ["web", "db"], epochs: [:])
    }

    private func route(_ desired: Desired, to remote: String, _ hostRoute: HostRoute = .unknown) throws -> TakenRoute {
        var question = Question(pod: "web", direction: .egress, remote: try IPAddress(parsing: remote))
        question.hostRoute = hostRoute
        let explanation = try desired.explain(question)
        #expect(explanation.network == "blue")
        question.direction = .ingress
        #expect(try desired.explain(question).route == explanation.route, "what comes from there is answered by the same way")
        return explanation.route
    }

    @Test("names the pod of this host, and its interface")
    func here() throws {
        let route = try route(desired(.vxlan), to: "10.1.0.11")
        #expect(route.end == .pod("db") && route.device == LinkName(of: "db").value && route.tunnel == nil && route.fabric == nil)
        #expect(route.destination == Prefix(.v4(0x0a01_000b)))
    }

    @Test("names the tunnel, the neighbor and its host") func tunnel() throws {
        let route = try route(desired(.vxlan, isolated: true), to: "10.1.0.70")
        #expect(route.end == .neighbor("far", at: Self.other) && route.fabric == .vxlan)
        #expect(route.tunnel?.value == 4242 && route.device == "hx4242" && route.gateway == nil)
        #expect(route.reason == "neighbor far is on host 192.0.2.2: it leaves by hx4242, in VXLAN with identifier 4242")
    }

    @Test("names the host that it is routed through, and the interface that leads there") func routed() throws {
        let route = try route(desired(.routed), to: "10.1.0.70", .out(of: "eth1", through: Self.other))
        #expect(route.end == .neighbor("far", at: Self.other) && route.fabric == .routed)
        #expect(route.gateway == Self.other && route.device == "eth1" && route.tunnel == nil)
    }

    @Test("says on what a neighbor waits that nothing leads to") func waits() throws {
        let nameless = try route(desired(.vxlan, host: nil), to: "10.1.0.70")
        #expect(nameless.end == .nowhere)
        #expect(nameless.reason == "neighbor far has 10.1.0.70, and waits for the address of its host (field host)")
        let placeless = try route(desired(.vxlan, underlay: nil), to: "10.1.0.70")
        #expect(placeless.end == .nowhere && placeless.reason.contains("setting host.address"))
        let gone = try route(desired(.vxlan, host: Self.own.address), to: "10.1.0.70")
        #expect(gone.end == .nowhere && gone.reason.contains("is said to be on this host, where no pod has"))
    }

    @Test("says that nothing leads to a pod that isn't attached, or is down") func unattached() throws {
        let late = try route(desired(.vxlan), to: "10.1.0.12")
        #expect(late.end == .nowhere && late.reason.contains("pod late has 10.1.0.12, and isn't attached"))
        let down = try route(desired(.vxlan, adminUp: false), to: "10.1.0.11")
        #expect(down.end == .nowhere && down.reason.contains("is down"))
    }

    @Test("leaves what Hawser has no route for to the host, but for what is isolated, which nothing leaves") func outside() throws {
        let shared = try desired(.vxlan)
        let router = IPAddress.v4(0xc000_02fe)
        let out = try route(shared, to: "198.51.100.7", .out(of: "eth0", through: router))
        #expect(out.end == .outside && out.gateway == router && out.device == "eth0" && out.destination == nil)
        #expect(try route(shared, to: "198.51.100.7", .none).end == .nowhere)
        #expect(try route(shared, to: "192.0.2.1", .local).end == .host)
        #expect(try route(shared, to: "10.1.0.1").end == .host)
        let isolated = try desired(nil, isolated: true)
        let nowhere = try route(isolated, to: "198.51.100.7", .none)
        #expect(nowhere.end == .nowhere && nowhere.reason.hasPrefix("network blue is isolated"))
        #expect(try route(isolated, to: "10.1.0.70").reason.contains("the network's fabric is none"))
        let left = try route(desired(Fabric.none), to: "10.1.0.70", .out(of: "eth0", through: router))
        #expect(left.end == .outside && left.reason.contains("neighbor far has 10.1.0.70"))
    }
}
