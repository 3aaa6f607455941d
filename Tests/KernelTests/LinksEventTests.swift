import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("Events of the pods' links", .ownThreads) struct LinksEventTests {
    let place: LinksLab

    init() throws { place = try LinksLab() }

    private func events(except table: borrowing LinkTable) throws -> AsyncStream<KernelEvent> {
        try KernelEvents.stream(in: NetworkNamespace(at: place.host.path), except: .init(links: [table.port]))
    }

    @Test("tell of what others do, each by its link", .timeLimit(.minutes(60)))
    func tell() async throws {
        let pods = try place.pods(10...15)
        var table = try place.table()
        #expect(table.apply(pods.attach) == [])
        let events = try events(except: table)
        try place.host.run("ip", "link", "set", pods[0].name.value, "mtu", "1300")
        try place.host.run("ip", "addr", "del", "10.1.0.1/32", "dev", pods[1].name.value)
        try place.host.run("ip", "route", "del", pods[2].ipv4)
        try place.host.run("ip", "neigh", "del", pods[3].ipv6, "dev", pods[3].name.value)
        try place.host.run("ip", "link", "add", "uplink", "up", "type", "veth")
        try place.host.run("ip", "route", "replace", pods[4].ipv4, "dev", "uplink")
        try place.host.run("ip", "link", "del", pods[5].name.value)
        var seen: Set<LinkEvent> = []
        for await case .link(let event, _) in events {
            seen.insert(event)
            if event == .gone(pods[5].name) { break }
        }
        func end(_ pod: SamplePod) -> End { End(pod.name, .host) }
        #expect(seen.contains(.became(pods[0].name, pods[0].side(mtu: 1300))))
        #expect(seen.contains(.lacks(.address(end(pods[1]), SamplePod.gateways[0]))))
        #expect(seen.contains(.lacks(.route(.host, nil, Prefix(pods[2].addresses[0])))))
        #expect(seen.contains(.lacks(.neighbor(end(pods[3]), pods[3].addresses[1]))))
        #expect(seen.contains(.usurped(Prefix(pods[4].addresses[0]), pods[4].name)))
    }

    @Test("tell that a pair is gone when its pod's namespace ends", .timeLimit(.minutes(60)))
    func namespaceEnds() async throws {
        var table = try place.table()
        let pod = SamplePod(id: "web-10", namespace: try place.lab.namespace("web-10"), number: 10)
        #expect(table.apply(pod.attach) == [])
        let events = try events(except: table)
        try pod.namespace.run("ip", "link", "del", "eth0")
        var isGone = false
        for await case .link(.gone(pod.name), _) in events {
            isGone = true
            break
        }
        #expect(isGone)
        #expect(try table.observe([pod].places) == [])
    }

    @Test("tell of what Hawser itself did no more than that a link is up", .timeLimit(.minutes(60)))
    func areQuiet() async throws {
        let pods = try place.pods(10...11)
        var table = try place.table()
        let events = try events(except: table)
        #expect(table.apply(pods.attach) == [])
        try place.host.run("ip", "link", "set", pods[1].name.value, "mtu", "1300")
        var seen: [LinkEvent] = []
        let last = LinkEvent.became(pods[1].name, pods[1].side(mtu: 1300))
        for await case .link(let event, let culprit) in events {
            seen.append(event)
            #expect(culprit == nil)
            if event == last { break }
        }
        // What the kernel names no process for is told as what is there now.
        for event in seen.dropLast() {
            switch event {
            case .became(let name, _): #expect(pods.map(\.name).contains(name))
            case .has(let object): #expect(pods.attach.contains(object), "\(object)")
            default: Issue.record("\(event)")
            }
        }
        for pod in pods { #expect(seen.contains(.became(pod.name, pod.side()))) }
    }

    @Test("end when nobody listens any more", .timeLimit(.minutes(60)))
    func end() async throws {
        let events = try KernelEvents.stream(in: NetworkNamespace(at: place.host.path))
        let reader = Task {
            var count = 0
            for await _ in events { count += 1 }
            return count
        }
        reader.cancel()
        #expect(await reader.value == 0)
    }
}

extension SamplePod {
    fileprivate func side(mtu: Int = 1450) -> LinkEvent.HostSide { .init(isUp: true, mtu: mtu, mac: Marks.hostMAC, alias: id) }
}

extension [LinkStep] {
    fileprivate func contains(_ object: Object) -> Bool {
        contains { step in
            switch (step, object) {
            case (.add(.address(let mine)), .address(let other)): mine == other
            case (.add(.route(let mine)), .route(let other)): mine == other
            case (.add(.neighbor(let mine)), .neighbor(let other)): mine == other
            default: false
            }
        }
    }
}
