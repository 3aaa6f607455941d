import Foundation
import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("The lab", .ownThreads) struct LabTests {
    @Test("is gone with its last user, and all that was in it")
    func isGone() throws {
        var paths: [String] = []
        do {
            let lab = try Lab()
            for name in ["one", "two"] { paths.append(try lab.namespace(name).path) }
            #expect(paths.allSatisfy { FileManager.default.fileExists(atPath: $0) })
        }
        #expect(paths.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
        #expect(Set(paths).count == 2)
    }

    @Test("runs programs inside a namespace, and returns to its own")
    func runsInside() throws {
        let lab = try Lab()
        let namespace = try lab.namespace("one")
        let own = try NetworkNamespace.current().identity
        #expect(try namespace.run("ip", "-o", "link", "show").split(separator: "\n").count == 1)
        #expect(try NetworkNamespace.current().identity == own)
        #expect(try namespace.inside { try NetworkNamespace.current().identity } == NetworkNamespace(at: namespace.path).identity)
        #expect(throws: LabError.self) { try namespace.run("false") }
        #expect(throws: LabError.self) { try namespace.run("there-is-no-such-program") }
        #expect(try namespace.run(["cat"], input: "hello") == "hello")
    }

    @Test("has probes that tell a way that is open from one that is closed, refused or filtered", arguments: [0, 1])
    func probes(family: Int) throws {
        let place = try LinksLab()
        let pods = try place.pods(10...11)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        let (from, to) = (pods[0].texts[family], pods[1].texts[family])
        let listener = try TCPListener(in: pods[1].namespace, at: to)
        #expect(try TCP.attempt(from: pods[0].namespace, to: to, port: listener.port, within: .seconds(2)) == .connected)
        #expect(listener.accept(within: .seconds(2)) != nil)
        let client = try #require(
            try TCP.connect(from: pods[0].namespace, at: from, to: to, port: listener.port, within: .seconds(2)))
        let server = try #require(listener.accept(within: .seconds(2)))
        #expect(try client.carries("a question", to: server, within: .seconds(2)))
        #expect(try server.carries("an answer", to: client, within: .seconds(2)))
        #expect(try TCP.attempt(from: pods[0].namespace, to: to, port: 9, within: .seconds(2)) == .refused)
        #expect(try Echo(in: pods[0].namespace, at: from).reaches(to, within: .seconds(2)))

        try place.host.run(["nft", "-f", "-"], input: "table inet t { chain c { type filter hook forward priority 0; drop; }\n }")
        #expect(try TCP.attempt(from: pods[0].namespace, to: to, port: listener.port, within: .milliseconds(100)) == .silence)
        #expect(try !client.carries("more", to: server, within: .milliseconds(100)))
        #expect(try !Echo(in: pods[0].namespace, at: from).reaches(to, within: .milliseconds(100)))
        let sockets = try (UDP(in: pods[0].namespace, at: from), UDP(in: pods[1].namespace, at: to))
        #expect(try !sockets.0.reaches(sockets.1, at: to, within: .milliseconds(100)))
    }

    @Test("counts what a flood loses, and when")
    func floods() throws {
        let place = try LinksLab()
        let pods = try place.pods(10...11)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        let sockets = try (UDP(in: pods[0].namespace, at: pods[0].ipv4), UDP(in: pods[1].namespace, at: pods[1].ipv4))
        let flood = try Flood(from: sockets.0, to: sockets.1, at: pods[1].ipv4)
        flood.wait(for: 100)
        let before = ContinuousClock.now
        try place.host.run("ip", "link", "set", pods[1].name.value, "down")
        flood.wait(for: 100)
        try place.host.run("ip", "link", "set", pods[1].name.value, "up")
        // What went with the link: the route, and the neighbor.
        _ = table.apply(pods[1].rest.map { .add($0) })
        flood.wait(for: 100)
        let report = flood.stop()
        #expect(report.sent >= 300)
        #expect(report.received + report.lost.count == report.sent)
        #expect(report.duplicated == 0)
        #expect(report.lost.count >= 100)
        #expect(report.lost.first.map { $0 >= 100 } == true)
        #expect(report.gap.map { $0.upperBound > before && $0.lowerBound < .now } == true)
    }

    @Test("loses nothing of a flood by itself")
    func floodsWhole() throws {
        let place = try LinksLab()
        let pods = try place.pods(10...11)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        for (from, to) in [(0, 0), (1, 1)] {
            let sockets = try (UDP(in: pods[0].namespace, at: pods[0].texts[from]), UDP(in: pods[1].namespace, at: pods[1].texts[to]))
            let flood = try Flood(from: sockets.0, to: sockets.1, at: pods[1].texts[to], every: .microseconds(200))
            flood.wait(for: 1000)
            let report = flood.stop()
            #expect(report.sent >= 1000)
            #expect(report.lost == [])
            #expect(report.received == report.sent)
        }
    }

    @Test("pretends: frames with any sender reach the other end as they are")
    func pretends() throws {
        let place = try LinksLab()
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        let (inside, outside) = try (
            RawLink(in: pod.namespace, interface: "eth0"), RawLink(in: place.host, interface: pod.name.value)
        )
        let gateway = "02:68:77:73:72:00"
        let frames = try [
            Frame.udp(
                mac: "02:00:00:00:00:99", to: gateway, from: "10.1.0.99", port: 1, to: "10.1.0.1", port: 2, "pretended in IPv4"),
            Frame.udp(
                mac: "02:00:00:00:00:99", to: gateway, from: "fd00:1::99", port: 1, to: "fd00:1::1", port: 2, "pretended in IPv6"),
            Frame.arp(2, mac: "02:00:00:00:00:99", to: gateway, sender: "10.1.0.1", target: "10.1.0.1"),
            Frame.neighborAdvertisement(
                mac: "02:00:00:00:00:99", to: gateway, from: "fd00:1::99", to: "fd00:1::1", target: "fd00:1::1"),
        ]
        for frame in frames {
            try inside.send(frame)
            #expect(outside.receive(within: .seconds(2)) { $0 == frame } != nil)
        }
        #expect(outside.receive(within: .milliseconds(20)) { $0.contains("nobody sent this") } == nil)
    }

    @Test("makes packets whose checksums a kernel finds right", arguments: [0, 1])
    func checksums(family: Int) throws {
        let place = try LinksLab()
        let pod = try place.pod(10)
        var table = try place.table()
        #expect(table.apply(pod.attach) == [])
        let gateway = ["10.1.0.1", "fd00:1::1"][family]
        let receiver = try UDP(in: place.host, at: gateway)
        try RawLink(in: pod.namespace, interface: "eth0").send(
            Frame.udp(
                mac: pod.mac.description, to: "02:68:77:73:72:00", from: pod.texts[family], port: 4000, to: gateway, port: receiver.port,
                "right"))
        let datagram = try #require(receiver.receive(within: .seconds(2)))
        #expect(datagram.text == "right")
        #expect(datagram.address == pod.texts[family])
        #expect(datagram.port == 4000)
    }
}
