import Foundation
import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("A hundred rebindings under traffic", .serialized, .ownThreads) struct RebindingTests {
    /// When the stamps of a rebinding come.
    enum Stamps: CaseIterable { case atOnce, never }

    @Test(
        "lose nothing that stays allowed, let nothing through that isn't, and leave nothing behind",
        arguments: Family.allCases, Stamps.allCases)
    func floods(family: Family, stamps: Stamps) async throws {
        let host = try LabHost()
        try await host.apply { try RebindingPolicy.put(into: &$0) }
        let first: [ID<SecurityGroup>] = ["g0", "g1"]
        let pod = try await host.pods("web", groups: first)[0]
        let peer = try await host.pods("client", groups: ["open"])[0]
        let start = try host.inventory()

        var floods = try Self.floods(of: pod, with: peer, family, in: first)
        let streams = try Self.streams(of: pod, with: peer, family)
        var dice = RebindingDice()
        var groups = first
        let attempts = try Self.Attempts(at: [pod, peer], family)
        for round in 0..<100 {
            groups = round == 99 ? first : Array(RebindingPolicy.groups.shuffled(using: &dice).prefix(.random(in: 1...3, using: &dice)))
            try RebindingFlood.across(&floods, to: groups, isStamped: stamps == .atOnce) {
                try host.change(checked: false) { try $0.put(pod.intent(groups)) }
            }
            if stamps == .atOnce { try await host.settle(checked: false) }
            try attempts.knock()
            floods[0].flood.wait(for: 12)
        }
        try await host.settle()
        try host.observe()

        for flood in floods {
            let result = flood.stop(after: 1000)
            #expect(result.lost == [], "\(flood.name), seed \(dice.seed)")
            #expect(result.leaked == [], "\(flood.name), seed \(dice.seed)")
            #expect(result.duplicated == 0, "\(flood.name)")
            if flood.isAllowed(["g0"]) { #expect(result.allowed == result.sent, "\(flood.name)") }
        }
        for stream in streams {
            let (sent, received, isIntact) = stream.stop(after: 500, waiting: .seconds(5))
            #expect(received == sent && isIntact)
        }
        for namespace in [pod, peer].map(\.namespace) {
            let sockets = try namespace.run("ss", "-tin")
            #expect(!sockets.contains("retrans:"), "something was lost and sent again: \(sockets)")
        }
        #expect(attempts.arrived == 0)
        #expect(try host.inventory() == start)
    }

    @Test("deny no packet of a flow that stays allowed, when as many come as the host can take")
    func saturation() async throws {
        let host = try LabHost()
        try await host.apply { try RebindingPolicy.put(into: &$0) }
        let pod = try await host.pods("web", groups: ["g0"])[0]
        let peer = try await host.pods("client", groups: ["open"])[0]
        let floods = try [(pod, peer), (peer, pod)].map { from, to in
            try Flood(
                from: UDP(in: from.namespace, at: from.ipv4), to: UDP(in: to.namespace, at: to.ipv4, port: RebindingPolicy.always),
                at: to.ipv4, every: .microseconds(20))
        }
        var dice = RebindingDice()
        for _ in 0..<60 {
            let groups = Array(RebindingPolicy.groups.shuffled(using: &dice).prefix(.random(in: 1...3, using: &dice)))
            try host.change(checked: false) { try $0.put(pod.intent(groups)) }
            try await host.settle(checked: false)
            floods[0].wait(for: 30)
        }
        for flood in floods { _ = flood.stop(after: 1000) }
        // What a socket had no room for is lost, too, but nobody denied it.
        for pod in [pod, peer] {
            for flow in HostNetwork.Flow.allCases { #expect(try host.denied(to: pod, flow) == Counter(), "seed \(dice.seed)") }
        }
    }

    /// Few rules of a kind stand in the group's chain, and more of them are elements of a set.
    @Test("deny no packet that stays allowed either when a group gets so many rules that they become a set, or so few that it goes")
    func crossings() async throws {
        let host = try LabHost()
        func rules(_ count: UInt16) -> [Rule] {
            // A larger transaction takes the kernel longer to be done with.
            let others = count > 4 ? (0..<150).map { Remote.cidr(Prefix("198.51.100.\($0)")) } : []
            return Rule.Direction.allCases.flatMap { direction in
                (0..<count).flatMap { port in
                    ([.anyone, .group("open")] + (port == 0 ? others : [])).map { remote in
                        Rule(
                            id: "\(direction)-\(port)-\(remote)", direction: direction, protocol: remote == .anyone ? .udp : .tcp,
                            ports: PortRange(RebindingPolicy.always + port), remote: remote)
                    }
                }
            }
        }
        try await host.apply {
            try $0.put("open", Rule(id: "out", direction: .egress), Rule(id: "in", direction: .ingress))
            try $0.put(SecurityGroup(id: "web", network: "blue", rules: rules(1)))
        }
        let pod = try await host.pods("web", groups: ["web"])[0]
        let peer = try await host.pods("client", groups: ["open"])[0]
        let floods = try Family.allCases.flatMap { family in
            try [(pod, peer), (peer, pod)].map { from, to in
                try Flood(
                    from: UDP(in: from.namespace, at: from.address(family)),
                    to: UDP(in: to.namespace, at: to.address(family), port: RebindingPolicy.always), at: to.address(family),
                    every: .microseconds(20))
            }
        }
        let streams = try Self.streams(of: pod, with: peer, .v4)
        let start = try host.inventory()
        for round in 0..<60 {
            let count: UInt16 = [5, 4, 20, 1][round % 4]
            try host.change(checked: false) { try $0.put(SecurityGroup(id: "web", network: "blue", rules: rules(count))) }
            let isSet = host.believed.entries.values.contains { entry in
                if case .set(let set) = entry.object { set.id.name.hasPrefix("in-ports-4/web") } else { false }
            }
            #expect(isSet == (count > 4))
            try await host.settle(checked: false)
            floods[0].wait(for: 30)
        }
        for flood in floods { _ = flood.stop(after: 1000) }
        for stream in streams {
            let (sent, received, isIntact) = stream.stop(after: 500, waiting: .seconds(5))
            #expect(received == sent && isIntact)
        }
        // What a socket had no room for is lost, too, but nobody denied it.
        for pod in [pod, peer] {
            for flow in HostNetwork.Flow.allCases { #expect(try host.denied(to: pod, flow) == Counter()) }
        }
        try host.observe()
        #expect(try host.inventory() == start)
    }

    /// Floods on each port, opened by each side, and such where only who was asked talks.
    private static func floods(
        of pod: LabPod, with peer: LabPod, _ family: Family, in groups: [ID<SecurityGroup>]
    ) throws -> [RebindingFlood] {
        var floods: [RebindingFlood] = []
        let ports: [(String, UInt16, ([ID<SecurityGroup>]) -> Bool)] = [
            ("always", RebindingPolicy.always, { _ in true }), ("sometimes", RebindingPolicy.sometimes, RebindingPolicy.allowsSometimes),
            ("never", RebindingPolicy.never, { _ in false }),
        ]
        for (name, port, isAllowed) in ports {
            for (way, from, to) in [("out", pod, peer), ("in", peer, pod)] {
                floods.append(
                    try RebindingFlood("\(name) \(way)", from: from, to: to, family, port: port, in: groups, isAllowed: isAllowed))
            }
            guard name != "never" else { continue }
            for (way, from, to) in [("answers out", pod, peer), ("answers in", peer, pod)] {
                floods.append(
                    try RebindingFlood(
                        "\(name) \(way)", from: from, port + 1, to: to, family, port: 0, opened: true, in: groups, isAllowed: isAllowed))
            }
        }
        return floods
    }

    /// A connection opened by each side to the port that is always allowed; on each only who was asked talks, or only who asks.
    private static func streams(of pod: LabPod, with peer: LabPod, _ family: Family) throws -> [RebindingStream] {
        var streams: [RebindingStream] = []
        for (client, server) in [(pod, peer), (peer, pod)] {
            let listener = try TCPListener(in: server.namespace, at: server.address(family), port: RebindingPolicy.always)
            for clientTalks in [true, false] {
                let near = try #require(
                    try TCP.connect(
                        from: client.namespace, to: server.address(family), port: listener.port, within: .seconds(5)))
                let far = try #require(listener.accept(within: .seconds(5)))
                streams.append(clientTalks ? RebindingStream(from: near, to: far) : RebindingStream(from: far, to: near))
            }
        }
        return streams
    }

    /// Attempts to connect to the port that is never allowed.
    private struct Attempts {
        let pods: [LabPod]
        let family: Family
        let listeners: [TCPListener]

        init(at pods: [LabPod], _ family: Family) throws {
            self.pods = pods
            self.family = family
            listeners = try pods.map { try TCPListener(in: $0.namespace, at: $0.address(family), port: RebindingPolicy.never) }
        }

        func knock() throws {
            for (from, to) in [(0, 1), (1, 0)] {
                let attempt = try TCP.attempt(
                    from: pods[from].namespace, to: pods[to].address(family), port: RebindingPolicy.never, within: .zero)
                #expect(attempt == .silence)
            }
        }

        var arrived: Int { listeners.count { $0.accept(within: .zero) != nil } }
    }
}
