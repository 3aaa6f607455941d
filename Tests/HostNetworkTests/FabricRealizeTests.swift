import HostNetwork
import Testing

@Suite("What leads to neighbors") struct FabricRealizeTests {
    private static let own = IPAddress.v4(0xc000_0201)
    private static let other = IPAddress.v4(0xc000_0202)
    private static let six = IPAddress.v6(0x2001_0db8 << 96 | 2)

    private func desired(_ fabric: Fabric, underlay: Underlay? = Underlay(address: own, mtu: 1500), pods: Int = 1) throws -> Desired {
        var intents = Intents()
        let subnets = [
            Subnet(id: "four", cidr: Prefix(.v4(0x0a01_0000), length: 24) ?? .everything(.v4)),
            Subnet(id: "six", cidr: Prefix(.v6(0xfd00 << 112), length: 64) ?? .everything(.v6), tunnelID: TunnelID(8)),
        ]
        _ = try intents.upsert(.network(Network(id: "blue", subnets: subnets, fabric: fabric, tunnelID: TunnelID(7))))
        for number in 0..<pods {
            let addresses = [IPAddress.v4(0x0a01_000a + UInt32(number))]
            _ = try intents.upsert(
                .pod(Pod(id: ID("p\(number)"), network: "blue", namespace: "/run/netns/p\(number)", addresses: addresses)))
        }
        return Desired(intents: intents, layout: Layout(underlay: underlay), attachable: Set(intents.pods.keys), epochs: [:])
    }

    private func neighbor(_ id: ID<Neighbor> = "n", _ number: UInt32 = 20, host: IPAddress? = other) -> Neighbor {
        Neighbor(id: id, network: "blue", addresses: [.v4(0x0a01_0000 + number), .v6(0xfd00 << 112 | UInt128(number))], host: host)
    }

    /// What a neighbor adds, as an operator would write it.
    private func added(_ neighbor: Neighbor, to desired: inout Desired) throws -> [String] {
        let before = desired.state
        var thrown: Rejected?
        let touched = desired.change { intents in
            do throws(Rejected) { _ = try intents.upsert(.neighbor(neighbor)) } catch { thrown = error }
            return [(nil, .neighbor(neighbor))]
        }
        if let thrown { throw thrown }
        return Plan(from: before, to: desired.state, touching: touched).steps.map(\.text).sorted()
    }

    @Test("by vxlan is a route into the tunnel of each address's subnet, the MAC of its host, and where that is")
    func vxlan() throws {
        var desired = try desired(.vxlan)
        let mac = MAC(ofHost: Self.other)
        #expect(
            try added(neighbor(), to: &desired) == [
                "fdb add \(mac) dst 192.0.2.2 dev hx7 self permanent", "fdb add \(mac) dst 192.0.2.2 dev hx8 self permanent",
                "neighbor add 10.1.0.20 lladdr \(mac) dev hx7", "neighbor add fd00::14 lladdr \(mac) dev hx8",
                "route add 10.1.0.20/32 dev hx7", "route add fd00::14/128 dev hx8",
            ])
        // The host is known by now.
        #expect(try added(neighbor("m", 21), to: &desired).count == 4)
        #expect(desired.unmet(for: "n").isEmpty)
    }

    @Test("by routes is one to each address through its host")
    func routed() throws {
        var desired = try desired(.routed, underlay: nil)
        #expect(try added(neighbor(), to: &desired) == ["route add 10.1.0.20/32 via 192.0.2.2"])
        #expect(desired.unmet(for: "n") == ["an IPv6 address of its host, for fd00::14 can't be routed through 192.0.2.2"])
        #expect(
            try added(neighbor("m", 21, host: Self.six), to: &desired) == [
                "route add 10.1.0.21/32 via inet6 2001:db8::2", "route add fd00::15/128 via 2001:db8::2",
            ])
        #expect(desired.unmet(for: "m").isEmpty)
    }

    @Test("is nothing where the fabric is none, where the host isn't known, and where the pod is on this host")
    func nothing() throws {
        var none = try desired(.none)
        #expect(try added(neighbor(), to: &none) == [] && none.unmet(for: "n") == [])
        var vxlan = try desired(.vxlan)
        #expect(try added(neighbor("own", 20, host: Self.own), to: &vxlan) == [] && vxlan.unmet(for: "own") == [])
        #expect(try added(neighbor("lost", 21, host: nil), to: &vxlan) == [])
        #expect(vxlan.unmet(for: "lost") == ["the address of its host (field host)"])
        #expect(try added(neighbor("six", 22, host: Self.six), to: &vxlan) == [])
        #expect(vxlan.unmet(for: "six") == ["an IPv4 address of its host, for this host's own is 192.0.2.1"])
        var nowhere = try desired(.vxlan, underlay: nil)
        #expect(try added(neighbor(), to: &nowhere) == [])
        #expect(nowhere.unmet(for: "n") == ["the host's own address (setting host.address)"])
    }

    @Test("waits for a pod of the network, as its tunnels do")
    func inhabited() throws {
        var desired = try desired(.vxlan)
        _ = try added(neighbor(), to: &desired)
        let full = desired.state
        func overThere(_ state: HostState) -> Int { state.entries.values.count { $0.because.kind != .pod && !$0.object.isRuleset } }
        #expect(overThere(full) == 8)
        _ = desired.attach([], detach: ["p0"])
        #expect(overThere(desired.state) == 0)
        _ = desired.attach(["p0"], detach: [])
        #expect(desired.state == full)
    }

    @Test("gives way to a pod of this host, whichever comes first", arguments: [true, false])
    func rivals(podFirst: Bool) throws {
        var desired = try desired(.vxlan)
        let pod = Pod(id: "here", network: "blue", namespace: "/run/netns/here", addresses: [.v4(0x0a01_0014)])
        _ = desired.attach(["here"], detach: [])
        let key = Object.Key.route(.host, nil, Prefix(.v4(0x0a01_0014)))
        let intents: [Intent] = podFirst ? [.pod(pod), .neighbor(neighbor())] : [.neighbor(neighbor()), .pod(pod)]
        for intent in intents {
            _ = desired.change { present in
                do throws(Rejected) { _ = try present.upsert(intent) } catch { Issue.record("\(error)") }
                return [(nil, intent)]
            }
        }
        #expect(desired.state[key] == .route(Route(End(LinkName(of: "here"), .host), to: Prefix(.v4(0x0a01_0014)))))
        let before = desired.state
        let touched = desired.attach([], detach: ["here"])
        #expect(desired.state[key]?.link?.isTunnel == true)
        #expect(before.applying(Plan(from: before, to: desired.state, touching: touched)) == desired.state)
    }

    @Test("moves with its pod by the least: the MAC of its host", arguments: [Fabric.vxlan, .routed])
    func moves(fabric: Fabric) throws {
        var desired = try desired(fabric)
        _ = try added(neighbor(), to: &desired)
        let before = desired.state
        let moved = neighbor(host: .v4(0xc000_0203))
        let touched = desired.change { intents in
            let old = intents[moved.id.intent]
            do throws(Rejected) { _ = try intents.upsert(.neighbor(moved)) } catch { Issue.record("\(error)") }
            return [(old, .neighbor(moved))]
        }
        let steps = Plan(from: before, to: desired.state, touching: touched).steps
        #expect(!steps.contains { if case .route = $0.object { $0.action == .remove } else { false } })
        // Where the new host is is known before anything is sent to it, and of the old one until nothing is.
        #expect(
            steps.map { Phase.of($0) }
                == (fabric == .routed
                    ? [.routeMade] : [.forwardingMade, .forwardingMade, .neighborMade, .neighborMade, .forwardingGone, .forwardingGone]))
    }

    @Test("leaves pods room: a packet of theirs fits into the tunnel's, unless they are told otherwise")
    func mtu() throws {
        func mtu(_ fabric: Fabric, _ underlay: Underlay?, own: Int? = nil) throws -> Int? {
            var desired = try desired(fabric, underlay: underlay, pods: 0)
            _ = desired.attach(["p"], detach: [])
            let pod = Pod(id: "p", network: "blue", namespace: "/run/netns/p", addresses: [.v4(0x0a01_000a)], mtu: own)
            _ = desired.change { intents in
                do throws(Rejected) { _ = try intents.upsert(.pod(pod)) } catch { Issue.record("\(error)") }
                return [(nil, .pod(pod))]
            }
            guard case .link(let link)? = desired.state[.link(LinkName(of: "p"))] else { return nil }
            #expect(link.mtu == desired.mtu(of: pod))
            return link.mtu
        }
        let four = Underlay(address: Self.own, mtu: 1500)
        let six = Underlay(address: Self.six, mtu: 9000)
        #expect(try mtu(.vxlan, four) == 1450)
        #expect(try mtu(.vxlan, six) == 8930)
        #expect(try mtu(.vxlan, four, own: 1400) == 1400)
        #expect(try mtu(.routed, four) == 1500)
        #expect(try mtu(.none, nil) == 1500)
    }

    @Test("goes by MACs that every host works out alike, and that no two hosts share")
    func macs() {
        #expect(MAC(ofHost: Self.own).description == "d2:87:d4:39:45:64")
        let macs = Set((0..<20_000).map { MAC(ofHost: .v4(0x0a00_0000 + $0)) })
        #expect(macs.count == 20_000)
        #expect(macs.allSatisfy { $0.isUnicast && $0.value & 0x0200_0000_0000 != 0 })
    }

    @Test("goes by names that are no pods', and tell the tunnel")
    func names() throws {
        for value in [1, 4242, 16_777_215] {
            let name = LinkName(of: try #require(TunnelID(value)))
            #expect(name.value == "hx\(value)" && name.isTunnel && name.value.utf8.count <= 15)
        }
        #expect(!LinkName(of: "hx7").isTunnel)
        #expect(TunnelID(0) == nil && TunnelID(1 << 24) == nil)
    }
}
