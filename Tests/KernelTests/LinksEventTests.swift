import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("Events of the pods' links", .ownThreads) struct LinksEventTests {
    let place: LinksLab

    init() throws { place = try LinksLab() }

    @Test("tell of what others do, each by its link", .timeLimit(.minutes(15)))
    func tell() async throws {
        let pods = try place.pods(10...15)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        let events = try LinkEvents.stream(in: NetworkNamespace(at: place.host.path), except: [table.port])
        try place.host.run("ip", "link", "set", pods[0].name.value, "mtu", "1300")
        try place.host.run("ip", "addr", "del", "10.1.0.1/32", "dev", pods[1].name.value)
        try place.host.run("ip", "route", "del", pods[2].ipv4)
        try place.host.run("ip", "neigh", "del", pods[3].ipv6, "dev", pods[3].name.value)
        try place.host.run("ip", "link", "add", "uplink", "up", "type", "veth")
        try place.host.run("ip", "route", "replace", pods[4].ipv4, "dev", "uplink")
        try place.host.run("ip", "link", "del", pods[5].name.value)
        var seen: Set<LinkEvent> = []
        for await event in events {
            seen.insert(event)
            if event == .gone(pods[5].name) { break }
        }
        #expect(seen.contains(.became(pods[0].name, .init(isUp: true, mtu: 1300, mac: Marks.hostMAC))))
        for pod in pods[1...4] { #expect(seen.contains(.changed(pod.name)), "\(pod.id)") }
        #expect(!seen.contains(.missed))
    }

    @Test("tell that a pair is gone when its pod's namespace ends", .timeLimit(.minutes(15)))
    func namespaceEnds() async throws {
        var table = try place.table()
        let pod = SamplePod(id: "web-10", namespace: try place.lab.namespace("web-10"), number: 10)
        #expect(table.apply(pod.attach) == [])
        let events = try LinkEvents.stream(in: NetworkNamespace(at: place.host.path), except: [table.port])
        try pod.namespace.run("ip", "link", "del", "eth0")
        var isGone = false
        for await event in events where event == .gone(pod.name) {
            isGone = true
            break
        }
        #expect(isGone)
        #expect(try table.observe([pod].places) == [])
    }

    @Test("tell of what Hawser itself did no more than that a link is up", .timeLimit(.minutes(15)))
    func areQuiet() async throws {
        let pods = try place.pods(10...11)
        var table = try place.table()
        let events = try LinkEvents.stream(in: NetworkNamespace(at: place.host.path), except: [table.port])
        #expect(table.apply(pods.attach) == [])
        try place.host.run("ip", "link", "set", pods[1].name.value, "mtu", "1300")
        let up = LinkEvent.HostSide(isUp: true, mtu: 1450, mac: Marks.hostMAC)
        var seen: [LinkEvent] = []
        for await event in events {
            seen.append(event)
            if seen.count == 3 { break }
        }
        let other = LinkEvent.HostSide(isUp: true, mtu: 1300, mac: Marks.hostMAC)
        #expect(seen == [.became(pods[0].name, up), .became(pods[1].name, up), .became(pods[1].name, other)])
    }

    @Test("end when nobody listens any more", .timeLimit(.minutes(15)))
    func end() async throws {
        let events = try LinkEvents.stream(in: NetworkNamespace(at: place.host.path))
        let reader = Task {
            var count = 0
            for await _ in events { count += 1 }
            return count
        }
        reader.cancel()
        #expect(await reader.value == 0)
    }
}
