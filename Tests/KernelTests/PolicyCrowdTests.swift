import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("A limit of a pod's tracked flows", .ownThreads) struct PolicyCrowdTests {
    private static let most = 50

    private func world(_ most: UInt32?) async throws -> (host: LabHost, pods: [LabPod]) {
        let host = try LabHost(layout: Layout(podFlows: most))
        try await host.apply { try $0.put("open", .in("in"), .out("out")) }
        return (host, try await host.pods("a", "b", "c", groups: ["open"]))
    }

    /// How many of so many new flows of a pod arrive at another, each from a port of its own.
    private func flood(_ count: Int, from one: LabPod, to other: LabPod, _ family: Family, first: Int) throws -> Int {
        let server = try UDP(in: other.namespace, at: other.address(family), port: 7000)
        // As many are open at once as there are files for.
        for number in 0..<count {
            let socket = try UDP(in: one.namespace, at: one.address(family), port: UInt16(first + number))
            try socket.send("flow \(number)", to: other.address(family), port: 7000)
        }
        var arrived = 0
        while server.receive(within: .milliseconds(20)) != nil { arrived += 1 }
        return arrived
    }

    private func isNew(from one: LabPod, to other: LabPod, _ family: Family) throws -> Bool {
        let server = try UDP(in: other.namespace, at: other.address(family), port: 7001)
        return try UDP(in: one.namespace, at: one.address(family)).reaches(server, at: other.address(family), within: .milliseconds(500))
    }

    private func surplus(of pod: LabPod, on host: LabHost) throws -> Int {
        let text = try host.host.run("nft", "list", "set", "inet", "hawser", "surplus")
        let words = text.split(separator: "\n").joined(separator: " ").split(separator: ",").first { $0.contains("\"\(pod.link)\"") }
        let counter = words?.split(separator: " ") ?? []
        return counter.firstIndex(of: "packets").flatMap { Int(counter[$0 + 1]) } ?? 0
    }

    @Test("lets one open so many and no more, others as many as they like, and flows that are there go on", arguments: Family.allCases)
    func holds(family: Family) async throws {
        let (host, pods) = try await world(UInt32(Self.most))
        let client = try UDP(in: pods[0].namespace, at: pods[0].address(family), port: 5000)
        let server = try UDP(in: pods[1].namespace, at: pods[1].address(family), port: 5001)
        #expect(try client.reaches(server, at: pods[1].address(family), within: .seconds(5)))
        #expect(try server.reaches(client, at: pods[0].address(family), within: .seconds(5)))

        let arrived = try flood(200, from: pods[0], to: pods[1], family, first: 10000)
        #expect((Self.most - 2...Self.most).contains(arrived), "\(arrived)")
        #expect(try surplus(of: pods[0], on: host) >= 200 - Self.most)
        #expect(try surplus(of: pods[2], on: host) == 0)
        #expect(try !isNew(from: pods[0], to: pods[1], family))
        // What it has goes on, what others open to it and among themselves, too.
        #expect(try client.reaches(server, at: pods[1].address(family), within: .seconds(5)))
        #expect(try server.reaches(client, at: pods[0].address(family), within: .seconds(5)))
        #expect(try isNew(from: pods[2], to: pods[0], family))
        #expect(try isNew(from: pods[2], to: pods[1], family))
        #expect(try isNew(from: pods[1], to: pods[0], family))
        // It ends with the flows.
        try host.host.run("conntrack", "-F")
        #expect(try eventually(within: .seconds(10)) { try isNew(from: pods[0], to: pods[1], family) })
    }

    @Test("isn't there unless it is asked for, and the listing with one is loaded back by `nft`")
    func listing() async throws {
        let (_, pods) = try await world(nil)
        #expect(try flood(200, from: pods[0], to: pods[1], .v4, first: 10000) == 200)
        let (host, _) = try await world(1000)
        let text = try host.host.run("nft", "list", "table", "inet", "hawser")
        #expect(text.contains("ct count over 1000"))
        #expect(text.contains("iifname @crowded-1000 iifname @surplus drop"))
        try host.lab.namespace("fresh").run(["nft", "-c", "-f", "-"], input: text)
        _ = try host.host.run("nft", "-j", "list", "ruleset")
    }

    private func eventually(within time: Duration, _ body: () throws -> Bool) rethrows -> Bool {
        let deadline = ContinuousClock.now + time
        repeat { if try body() { return true } } while ContinuousClock.now < deadline
        return false
    }
}
