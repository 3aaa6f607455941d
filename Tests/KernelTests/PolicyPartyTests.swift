import HostNetwork
import Lab
import OwnThreads
import Testing

/// Fails on 7673dba: stamps counted for every link that a flow's packets took, so what one pod's rules had let in passed
/// at another.
@Suite("A stamp", .ownThreads) struct PolicyPartyTests {
    private static let green = Network(
        id: "green",
        subnets: [
            Subnet(id: "green-4", cidr: Prefix("10.2.0.0/24"), gateway: IPAddress("10.2.0.1")),
            Subnet(id: "green-6", cidr: Prefix("fd00:2::/64"), gateway: IPAddress("fd00:2::1")),
        ])
    private static let server = ["10.2.0.20", "fd00:2::20"]

    /// `LabHost.network`, with routes to the other network through these pods, by priority.
    private static func network(through hops: [LabPod]) -> Network {
        var network = LabHost.network
        for (place, subnet) in green.subnets.enumerated() {
            network.subnets[place].routes = hops.enumerated().map { priority, hop in
                SubnetRoute(
                    subnet.cidr, through: IPAddress(hop.address(place == 0 ? .v4 : .v6)), priority: UInt32(priority))
            }
        }
        return network
    }

    private struct World {
        var host: LabHost
        var client: LabPod
        var routers: [LabPod]
        var server: LabPeer
    }

    /// A client, two pods that may be its next hops, of which the first lets everything in and the second nothing, and a
    /// server in another network that lets nothing in either.
    private func world() async throws -> World {
        let host = try LabHost()
        try await host.apply { intents in
            try intents.put("open", .in("in"), .out("out"))
            try intents.put("sends", .out("out"))
            try intents.put(Self.green)
        }
        let client = try await host.pods("client", groups: ["open"])[0]
        let open = try await host.pods("open-router", groups: ["open"])[0]
        let closed = try await host.pods("closed-router", groups: ["sends"])[0]
        let namespace = try host.lab.namespace("server")
        let mac = MAC(0x0200_0a02_0014)
        let pod = Pod(
            id: "server", network: "green", namespace: namespace.path, mac: mac, addresses: Self.server.map { IPAddress($0) },
            securityGroups: ["green-closed"])
        try await host.apply { intents in
            try intents.put(SecurityGroup(id: "green-closed", network: "green", rules: [.out("out")]))
            try intents.put(pod)
        }
        let peer = LabPeer(
            namespace: namespace, interface: "eth0", addresses: Self.server, mac: mac.description,
            router: Marks.hostMAC.description, host: host)
        return World(host: host, client: client, routers: [open, closed], server: peer)
    }

    /// The client's packets, as they look wherever they arrive.
    private func sent(_ world: World) -> LabPeer {
        var sender = world.client.peer
        sender.host = world.host
        return sender
    }

    /// Packets to the server's addresses, looked for at a pod's interface.
    private func trial(_ world: World, at receiver: LabPeer, pass: [Segment] = [], block: [Segment] = []) -> Trial {
        var receiver = receiver
        receiver.addresses = Self.server
        return .from(sent(world), to: receiver, pass: pass, block: block)
    }

    private let segments: [Segment] = [.tcp(22, from: 41000), .udp(7000, from: 41001), .sctp(7001, from: 41002), .other(47)]

    @Test("that a flow got on its way through a next hop lets nothing in at the pod that it is for")
    func routeGone() async throws {
        let world = try await world()
        try expect(trial(world, at: world.server, block: segments))
        try await world.host.apply { try $0.put(Self.network(through: [world.routers[0]])) }
        try expect(trial(world, at: world.routers[0].peer, pass: segments))
        try await world.host.apply { try $0.put(LabHost.network) }
        try expect(trial(world, at: world.server, block: segments))
        // What the server lets in arrives there, so the route is gone indeed.
        try await world.host.apply { try $0.put(SecurityGroup(id: "green-closed", network: "green", rules: [.in("in")])) }
        try expect(trial(world, at: world.server, pass: segments))
    }

    @Test("that one next hop's rules earned isn't the next one's, whether the first goes or only comes second")
    func failover() async throws {
        let world = try await world()
        let (first, second) = (world.routers[0], world.routers[1])
        try await world.host.apply { try $0.put(Self.network(through: [first, second])) }
        try expect(trial(world, at: first.peer, pass: segments))
        try await world.host.apply { try $0.put(Self.network(through: [second, first])) }
        try expect(trial(world, at: second.peer, block: segments), trial(world, at: first.peer, block: segments))
        try await world.host.apply { try $0.put(Self.network(through: [first, second])) }
        try expect(trial(world, at: first.peer, pass: segments))
        try await world.host.apply { try $0.delete(first.id) }
        try expect(trial(world, at: second.peer, block: segments))
        try await world.host.apply { try $0.put(second.intent(["open"])) }
        try expect(trial(world, at: second.peer, pass: segments))
    }

    @Test("isn't given, taken or made good by a pod that somebody else's route leads through")
    func foreignRoute() async throws {
        let world = try await world()
        let (host, router) = (world.host, world.routers[0])
        for (family, cidr) in zip(Family.allCases, ["10.2.0.20/32", "fd00:2::20/128"]) {
            try host.host.run("ip", family == .v4 ? "-4" : "-6", "rule", "add", "to", cidr, "lookup", "77", "priority", "100")
            try host.host.run("ip", "route", "add", cidr, "via", router.address(family), "dev", router.link.value, "onlink", "table", "77")
        }
        try expect(trial(world, at: router.peer, pass: segments))
        for family in Family.allCases {
            try host.host.run("ip", family == .v4 ? "-4" : "-6", "rule", "del", "priority", "100")
        }
        try expect(trial(world, at: world.server, block: segments))
    }

    @Test("is earned by the pod that wrote it, not by another that may use its address", arguments: Family.allCases)
    func pairs(family: Family) async throws {
        let host = try LabHost()
        try await host.apply { intents in
            try intents.put("open", .in("in"), .out("out"))
            try intents.put("closed")
        }
        let owner = try await host.pods("owner", groups: ["closed"])[0]
        let sharer = try host.pod("sharer")
        try await host.apply { try $0.put(sharer.intent(["open"])) }
        let outsider = try host.outsider(7)
        let (own, shared, far) = try (
            RawLink(in: owner.namespace, interface: "eth0"), RawLink(in: sharer.namespace, interface: "eth0"),
            RawLink(in: outsider.namespace, interface: outsider.interface)
        )
        func frame(_ text: String, _ sender: LabPod) throws -> Frame {
            try .of(
                .udp(7000, from: 41000), carrying: text, mac: sender.peer.mac, to: sender.peer.router, from: owner.address(family),
                to: outsider.address(family))
        }
        try host.change { intents in
            try intents.put(
                sharer.intent(["open"]) { $0.allowedAddressPairs = [AddressPair(address: Prefix(IPAddress(owner.address(family))))] })
        }
        func alternate() throws {
            try own.send(try frame("closed", owner))
            try shared.send(try frame("shared", sharer))
            #expect(far.receive(within: .seconds(5)) { $0.contains("shared") } != nil)
            try own.send(try frame("closed", owner))
            #expect(far.receive(within: .milliseconds(60)) { $0.contains("closed") } == nil)
        }
        // Before the pod that shares has got new stamps, and after it.
        try alternate()
        try await host.settle()
        try alternate()
        // Both at once, on one flow: the closed pod's packets write, the other's are allowed.
        let frames = (shared: try frame("shared", sharer), closed: try frame("closed", owner))
        async let sharing: Void = Self.send(20_000, frames.shared, by: shared)
        try await Self.send(20_000, frames.closed, by: own)
        try await sharing
        let arrived = far.receiveAll(until: .milliseconds(200))
        #expect(arrived.contains { $0.contains("shared") })
        #expect(arrived.filter { $0.contains("closed") }.count == 0)
    }

    private static func send(_ count: Int, _ frame: Frame, by link: RawLink) async throws {
        for _ in 0..<count { try link.send(frame) }
    }
}
