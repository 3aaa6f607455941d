import Foundation
import HawserAPI
import HostNetwork
import Lab
import OwnThreads
import PolicyModel
import Testing

@Suite("The daemon, and pods that fail", .serialized, .ownThreads) struct DaemonPodFaultTests {
    private let host: DaemonHost
    /// Two that talk to each other all the time, and may.
    private let quiet: [DaemonPod]

    init() throws {
        host = try DaemonHost()
        quiet = try [host.pod("quiet-0", 20), host.pod("quiet-1", 21)]
        try host.start()
        let groups = DaemonHost.groups(["a": [7000, 7001], "b": [7100, 7001]])
        #expect(try host.apply(groups + "pods:\n" + quiet.map { $0.yaml("open") }.joined()).status == 0)
    }

    private func flood(from one: DaemonPod, to other: DaemonPod, port: UInt16, every time: Duration = .milliseconds(2)) throws -> Flood {
        try Flood(
            from: UDP(in: one.namespace, at: one.ipv4), to: UDP(in: other.namespace, at: other.ipv4, port: port), at: other.ipv4,
            every: time)
    }

    private func push(_ text: String, _ client: ControlClient) async throws -> ApplyView {
        try await client.apply([.init(name: "test.yaml", content: Data(text.utf8))])
    }

    @Test(
        "whose namespaces are killed in the middle of an attach: nothing of them stays, others lose nothing, and the next of the name is whole"
    )
    func killedInTheMiddle() async throws {
        let seed = Int.random(in: 1...999_999_999)
        var random = Seeded(seed)
        let flood = try flood(from: quiet[0], to: quiet[1], port: 6000)
        let before = try host.settled()
        let debug = DebugClient(socket: host.folder.file("debug.sock"))
        var came: [String: Int] = [:]
        try await ControlClient.connected(to: host.folder.file("control.sock")) { client in
            for round in 0..<40 {
                let namespace = try host.lab.namespace("short")
                let pod = DaemonPod(id: "short", number: 30, namespace: namespace).yaml("a")
                let delay = random.number(0...25_000)
                let killer = Thread { [lab = host.lab] in
                    usleep(UInt32(delay))
                    lab.kill(namespace)
                }
                killer.start()
                let answer = try await push("pods:\n" + pod, client)
                came[answer.results.map(\.status.rawValue).joined(), default: 0] += 1
                // The kernel's refusal may be told before the daemon has seen that the namespace is gone.
                let deadline = ContinuousClock.now + .seconds(60)
                var (status, after) = (try await debug.pod("short").status, try host.inventory())
                while status != .pending || after != before, ContinuousClock.now < deadline {
                    (status, after) = (try await debug.pod("short").status, try host.inventory())
                }
                #expect(status == .pending && after == before, "round \(round) of seed \(seed), after \(delay) µs")
            }
        }
        print("killed in the middle of an attach: seed \(seed), answers \(came)")
        #expect(came.count > 1, "the kills all came at the same point")
        let late = DaemonPod(id: "short", number: 30, namespace: try host.lab.namespace("short"))
        #expect(try eventually(within: .seconds(60)) { try host.status(of: "short") == "applied" })
        #expect(try late.isReached(at: 7000, from: quiet[0], 0, witness: 7001))
        #expect(try !late.isReached(at: 7100, from: quiet[0], 0, witness: 7001))
        let report = flood.stop(after: 1000)
        print("others meanwhile: \(report.lost.count) of \(report.sent) lost, the longest gap \(report.longestGap)")
        #expect(report.lost == [])
    }

    @Test("whose name comes back with another namespace while the old one lives on: the old one is cut off, the new one is the pod")
    func replaced() throws {
        let old = DaemonPod(id: "twice", number: 30, namespace: try host.lab.namespace("twice"))
        #expect(try host.apply("pods:\n" + old.yaml("a", "open")).status == 0)
        let (outgoing, incoming) = (try flood(from: old, to: quiet[1], port: 6001), try flood(from: quiet[0], to: old, port: 7000))
        outgoing.wait(for: 100)
        // Its sockets and the lab hold the old namespace, as a process of the container would.
        old.namespace.remove()
        let new = DaemonPod(id: "twice", number: 30, namespace: try host.lab.namespace("twice"))
        try #require(new.namespace.path == old.namespace.path)
        #expect(try eventually { try old.namespace.json("ip", "-j", "link", "show").count == 1 }, "the old one has no interface any more")
        #expect(try eventually { try host.status(of: "twice") == "applied" && new.namespace.json("ip", "-j", "link", "show").count == 2 })
        let (sent, arrived) = (outgoing.progress.received, incoming.progress.received)
        #expect(try new.isReached(at: 7000, from: quiet[0], 1, witness: 7001))
        #expect(try eventually { try quiet[1].isReached(at: 6003, from: new, 1, witness: 6004) })
        outgoing.wait(for: 200)
        #expect(outgoing.progress.received <= sent + 1 && incoming.progress.received <= arrived + 1, "nothing of the old one passes")
        #expect(sent > 0 && arrived > 0)
        _ = (outgoing.stop(), incoming.stop())
    }

    @Test("whose address another has at once: no packet of the first one's flows comes to the second, in either direction")
    func reused() async throws {
        let seed = Int.random(in: 1...999_999_999)
        var random = Seeded(seed)
        var (leaked, passed) = (0, 0)
        for round in 0..<10 {
            let first = DaemonPod(id: "first", number: 30, namespace: try host.lab.namespace("first"))
            let second = DaemonPod(id: "second", number: 30, namespace: try host.lab.namespace("second"))
            #expect(try host.apply("pods:\n" + first.yaml("a", "open")).status == 0)
            // A flow that a pod has opened to it, and one that it has opened itself and that is answered.
            let stream = try flood(from: quiet[0], to: first, port: 7000, every: .microseconds(500))
            let (asker, server) = (
                try UDP(in: first.namespace, at: first.ipv4, port: 5000), try UDP(in: quiet[1].namespace, at: quiet[1].ipv4, port: 6002)
            )
            #expect(try asker.reaches(server, at: quiet[1].ipv4, within: .seconds(5)))
            let answers = try Flood(from: server, to: asker, at: first.ipv4, every: .microseconds(500))
            stream.wait(for: random.number(20...100))

            let ids = ["first"]
            let statuses = try await ControlClient.connected(to: host.folder.file("control.sock")) { client in
                let gone = try await client.delete(.pod, ids)
                return try await (gone.results + push("pods:\n" + second.yaml("b"), client).results).map(\.status)
            }
            #expect(statuses == [.applied, .applied])
            // At its interface: what comes, whatever port it is for.
            let link = try RawLink(in: second.namespace, interface: "eth0")
            #expect(try second.isReached(at: 7100, from: quiet[0], 0, witness: 7001), "round \(round) of seed \(seed)")
            #expect(try !second.isReached(at: 7000, from: quiet[0], 0, witness: 7001))
            passed += 1
            leaked += link.receiveAll(until: .milliseconds(5)).count { $0.contains("flood ") }
            #expect(stream.progress.received > 10 && answers.progress.received > 10)
            _ = (stream.stop(), answers.stop())
            #expect(try host.hawser("delete", "pod", "second").status == 0)
            host.lab.kill(first.namespace)
            host.lab.kill(second.namespace)
        }
        print(
            "an address that is reused at once: seed \(seed), \(leaked) datagrams of the first one's flows reached the second in \(passed) rounds"
        )
        #expect(leaked == 0)
    }

    @Test("that flood ARP and neighbor discovery, and forge whatever there is: others notice nothing, and the host learns nothing")
    func floods() throws {
        let evil = DaemonPod(id: "evil", number: 30, namespace: try host.lab.namespace("evil"))
        #expect(try host.apply("pods:\n" + evil.yaml("open")).status == 0)
        let before = try host.settled()
        let flood = try flood(from: quiet[0], to: quiet[1], port: 6000, every: .microseconds(200))
        let link = try RawLink(in: evil.namespace, interface: "eth0")
        let ears = try quiet.map { try RawLink(in: $0.namespace, interface: "eth0") }
        let pods = try host.hawser("pods", "--output", "json").list
        func mac(_ id: String) throws -> String { try #require(pods.first { $0["id"] as? String == id }?["mac"] as? String) }
        let (own, victim, router) = (try mac("evil"), try mac("quiet-0"), "\(Marks.hostMAC)")
        let table = { try host.host.run("ip", "-o", "neigh", "show").split(separator: "\n").sorted() }
        let learned = try table()

        let mark = "forged by evil"
        var frames: [Frame] = []
        for number in 0..<200 {
            let address = "10.1.0.\(number)"
            // Whose address is at whose MAC, asked and said, for itself and for others.
            try frames.append(.arp(1, mac: own, to: Frame.broadcast, sender: address, target: "10.1.0.1"))
            try frames.append(.arp(2, mac: own, to: router, sender: address, senderMAC: victim, target: "10.1.0.1"))
            let ipv6 = "fd00:1::\(String(number, radix: 16))"
            frames.append(try .neighborAdvertisement(mac: own, to: router, from: ipv6, to: "fd00:1::1", target: ipv6))
            frames.append(try .neighborSolicitation(mac: own, to: router, from: ipv6, to: "fd00:1::1", target: "fd00:1::\(number % 10)"))
        }
        // In another's name: its MAC, its address, both; as DHCP server, as router.
        let forged: [Frame] = try [
            .udp(mac: own, to: router, from: quiet[0].ipv4, port: 7, to: quiet[1].ipv4, port: 6000, mark),
            .udp(mac: victim, to: router, from: quiet[0].ipv4, port: 7, to: quiet[1].ipv4, port: 6000, mark),
            .udp(mac: victim, to: router, from: evil.ipv4, port: 7, to: quiet[1].ipv4, port: 6000, mark),
            .udp(mac: own, to: router, from: quiet[0].ipv6, port: 7, to: quiet[1].ipv6, port: 6000, mark),
            .udp(mac: own, to: router, from: "198.51.100.7", port: 7, to: quiet[1].ipv4, port: 6000, mark),
            .udp(mac: own, to: router, from: evil.ipv4, port: 67, to: quiet[1].ipv4, port: 68, mark),
            .udp(mac: own, to: router, from: evil.ipv6, port: 547, to: quiet[1].ipv6, port: 546, mark),
            .of(Segment(.icmp(type: 134, code: 0, isIPv6: true)), carrying: mark, mac: own, to: router, from: evil.ipv6, to: quiet[1].ipv6),
            .of(Segment(.icmp(type: 5, code: 0, isIPv6: false)), carrying: mark, mac: own, to: router, from: evil.ipv4, to: quiet[1].ipv4),
        ]
        let start = ContinuousClock.now
        var sent = 0
        for round in 0..<25 {
            for frame in frames { try link.send(frame) }
            for frame in forged { try link.send(frame) }
            sent += frames.count + forged.count
            // Its own words pass all the while.
            guard round % 5 == 0 else { continue }
            #expect(try quiet[1].isReached(at: 6003, from: evil, 0, witness: 6004))
        }
        let time = start.duration(to: .now)
        #expect(try quiet[1].isReached(at: 6003, from: evil, 0, witness: 6004))
        #expect(try table() == learned, "the host learns nothing from a pod")
        #expect(try host.inventory() == before)
        let report = flood.stop(after: 100)
        let heard = ears.map { $0.receiveAll(until: .milliseconds(50)) }
        #expect(heard[1].contains { $0.contains("flood ") }, "an ear that hears nothing")
        for frames in heard {
            #expect(!frames.contains { $0.contains(mark) }, "forged, and it came")
            #expect(!frames.contains { $0.type == 0x0806 }, "nobody hears another's ARP")
        }
        print(
            "ARP, discovery and forgeries: \(sent) frames in \(time); others lost \(report.lost.count) of \(report.sent), the longest gap \(report.longestGap)"
        )
        #expect(report.lost == [])
    }
}
