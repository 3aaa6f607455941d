import HostNetwork
import Lab
import OwnThreads
import Testing

@Suite("A permission that ends", .ownThreads) struct RevocationTests {
    @Test(
        "ends at the answer, in both directions, for all but what another rule allows; and what comes back goes on",
        arguments: RevocationWay.all, Family.allCases)
    func ends(way: RevocationWay, family: Family) async throws {
        let scene = try RevocationScene()
        let host = scene.host
        try await host.apply { try way.ask(&$0, scene, true) }
        let source = try Self.prepare(way, scene, family)

        let ends = Self.ends(way, scene)
        let cut = try RevocationFlows(from: ends.client, at: source, to: ends.server, family, port: RevocationWay.cut, echoes: true)
        let lasting = try RevocationFlows(from: ends.client, to: ends.server, family, port: RevocationWay.lasting, echoes: false)
        #expect(try cut.arrivals(witness: lasting).count == RevocationFlows.ways, "what arrives while it is allowed")
        #expect(try lasting.carry())

        try host.change { try way.ask(&$0, scene, false) }
        #expect(try cut.arrivals(witness: lasting) == [], "after the answer")
        #expect(try lasting.carry(), "what is still allowed, after the answer")
        try await host.settle()
        #expect(try cut.arrivals(witness: lasting) == [], "after the stamps")
        #expect(try lasting.carry(), "what is still allowed, after the stamps")

        try await host.apply { try way.ask(&$0, scene, true) }
        // The tracked flows of an address that a pod may not have are forgotten, so that its client must speak first.
        #expect(try cut.recover(silentClients: way.pair == nil), "what is allowed again")
        #expect(try lasting.carry())
    }

    private static func ends(_ way: RevocationWay, _ scene: RevocationScene) -> (client: LabPeer, server: LabPeer) {
        switch way.opener {
        case .pod: (scene.pod.peer, scene.other.peer)
        case .other: (scene.other.peer, scene.pod.peer)
        case .stranger: (scene.stranger, scene.pod.peer)
        case .distant: (scene.distant, scene.pod.peer)
        }
    }

    /// Gives the pod its pair's address, and the host the way to it, as an operator does.
    private static func prepare(_ way: RevocationWay, _ scene: RevocationScene, _ family: Family) throws -> String? {
        guard let source = way.pair.map({ family == .v4 ? $0[0] : $0[1] }) else { return nil }
        try scene.pod.namespace.add(address: source, to: "eth0")
        try scene.host.host.run("ip", "route", "add", source, "dev", scene.pod.link.value)
        // A host side without an address of the link alone can't ask for neighbors of IPv6 on behalf of others.
        try scene.host.host.run("ip", "neigh", "add", source, "lladdr", scene.pod.mac.description, "dev", scene.pod.link.value)
        return source
    }
}
