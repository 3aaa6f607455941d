import Foundation
import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("What a change costs the kernel", .ownThreads) struct PolicyCostTests {
    /// What `ip monitor` says of a namespace.
    private struct Monitor {
        var namespace: LabNamespace
        var path = FileManager.default.temporaryDirectory.appendingPathComponent("monitor-\(UUID().uuidString)").path
        var program: LabProgram

        init(_ namespace: LabNamespace) throws {
            self.namespace = namespace
            // It complains of other tests' names of namespaces that are just being made.
            program = try LabProgram(["sh", "-c", "exec ip monitor link address route neigh 2> /dev/null"], in: namespace, log: path)
            _ = try said(until: "192.0.2.111")
        }

        /// The lines that came, up to one that is made to come; that one, and those made before, left out.
        func said(until mark: String) throws -> [Substring] {
            let deadline = ContinuousClock.now + .seconds(5)
            while ContinuousClock.now < deadline {
                try namespace.run("ip", "route", "add", "blackhole", mark)
                try namespace.run("ip", "route", "del", "blackhole", mark)
                let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                if lines.contains(where: { $0.contains(mark) }) { return lines.filter { !$0.contains("blackhole") } }
            }
            throw LabError("ip monitor says nothing")
        }

        func end() throws {
            program.end(SIGKILL)
            try FileManager.default.removeItem(atPath: path)
        }
    }

    @Test("is nothing the second time: no message, no new generation, no event, on the host or in the pod")
    func twice() async throws {
        let host = try LabHost()
        let pod = try host.pod("web-0")
        func ask(_ intents: inout Intents) throws {
            try intents.put(AddressGroup(id: "office", cidrs: [Prefix("198.51.100.0/24")]))
            try intents.put(
                "web", .in("http", .tcp, 80...80), .in("office", nil, nil, .addressGroup("office")), .out("web", nil, nil, .group("web")))
            try intents.put(pod.intent(["web"]) { $0.allowedAddressPairs = [AddressPair(address: Prefix("10.1.0.200"))] })
            try intents.put(LabHost.network)
        }
        let first = try await host.apply { try ask(&$0) }
        #expect(!first.plan.isEmpty)
        let generation = try host.plane.generation()
        // What the kernel does by itself with a new interface is told later: its own addresses are tried first (RFC 4862, section 5.4).
        let places = [host.host, pod.namespace]
        let deadline = ContinuousClock.now + .seconds(10)
        while try places.contains(where: { try $0.run("ip", "-6", "addr").contains("tentative") }), ContinuousClock.now < deadline {}
        let monitors = try places.map(Monitor.init)
        let second = try await host.apply { try ask(&$0) }
        #expect(second.plan.isEmpty)
        #expect(second.applied.messages == 0)
        // A plan against all that there is, as after a start.
        let there = try host.plane.observe(expecting: host.desired.state)
        let whole = Plan(from: there, to: host.desired.state)
        #expect(whole.isEmpty)
        #expect(host.plane.apply(whole).messages == 0)
        #expect(try host.plane.generation() == generation)
        for monitor in monitors {
            let said = try monitor.said(until: "192.0.2.112")
            #expect(said.isEmpty, "\(said)")
        }

        // They do tell of a change.
        try await host.apply { try $0.put(pod.intent(["web"]) { $0.mtu = 1400 }) }
        for monitor in monitors {
            #expect(try !monitor.said(until: "192.0.2.113").isEmpty)
            try monitor.end()
        }
        #expect(try host.plane.generation() > generation)
    }

    /// What an epoch is more by for a pod's two addresses: at each, of each direction, the old stamp goes and the new one comes.
    private static let addresses = 2 * 2 * 2

    @Test("is an element for one member among ten thousand, which is in force then")
    func member() async throws {
        let host = try LabHost()
        func neighbor(_ number: Int) -> Neighbor {
            let (high, low) = (number / 250, number % 250 + 1)
            return Neighbor(
                id: ID("n-\(number)"), network: "wide", addresses: [IPAddress("10.9.\(high).\(low)"), IPAddress("fd00:9::\(high):\(low)")],
                securityGroups: ["crowd"])
        }
        try await host.apply(checked: false) {
            try $0.put(
                Network(
                    id: "wide",
                    subnets: [
                        Subnet(id: "4", cidr: Prefix("10.9.0.0/16"), gateway: IPAddress("10.9.255.254")),
                        Subnet(id: "6", cidr: Prefix("fd00:9::/64")),
                    ]))
            try $0.put(SecurityGroup(id: "crowd", network: "wide"))
            try $0.put(SecurityGroup(id: "db", network: "wide", rules: [.in("sql", .tcp, 5432...5432, .group("crowd"))]))
            for number in 0..<10_000 { try $0.put(neighbor(number)) }
        }
        let db = try host.pod("db-0")
        try await host.apply {
            try $0.put(
                db.intent(["db"]) { pod in
                    pod.network = "wide"
                    pod.addresses = [IPAddress("10.9.200.1")]
                })
        }
        var peer = db.peer
        peer.addresses = ["10.9.200.1", "fd00:9::c8:1"]
        let outsider = try host.outsider(7)
        var member = outsider
        member.addresses = ["10.9.150.1", "fd00:9::150:1"]
        try expect(.from(member, to: peer, [.v4], block: [.tcp(5432)]))
        let outcome = try await host.apply(checked: false) {
            try $0.put(Neighbor(id: "late", network: "wide", addresses: member.addresses.map { IPAddress($0) }, securityGroups: ["crowd"]))
        }
        #expect(outcome.plan.steps.count == 2)
        #expect(outcome.plan.stamps.isEmpty)
        #expect(outcome.applied.messages <= 4)
        #expect(outcome.applied.bytes < 1000)
        try expect(.from(member, to: peer, [.v4], pass: [.tcp(5432)], block: [.tcp(5433)]))
        // Taken away, it begins an epoch of the one pod that it concerned.
        let removal = try await host.apply { try $0.delete(ID<Neighbor>("late")) }
        #expect(removal.plan.steps.count + removal.plan.stamps.count <= 14 + Self.addresses, "\(removal.plan.steps.map(\.text))")
        try expect(.from(member, to: peer, [.v4], block: [.tcp(5432)]))
    }

    @Test("is an element a family for one rule among a thousand, which is in force then")
    func rule() async throws {
        let host = try LabHost()
        var rules = (1...1000 as ClosedRange<UInt16>).map { Rule.in("r-\($0)", .tcp, $0 * 4...($0 * 4 + 1)) }
        func group() -> SecurityGroup { SecurityGroup(id: "web", network: "blue", rules: rules) }
        try await host.apply { try $0.put(group()) }
        let (web, client) = (try await host.pods("web-0", groups: ["web"])[0], try await host.pods("client-0")[0])
        try expect(.from(client, to: web, pass: [.tcp(400), .tcp(4001)], block: [.tcp(402), .udp(402)]))
        rules.insert(.in("late", .tcp, 402...402), at: 500)
        let outcome = try await host.apply(checked: false) { try $0.put(group()) }
        #expect(outcome.plan.steps.count == 2, "\(outcome.plan.steps.map(\.text))")
        #expect(outcome.applied.messages <= 4)
        #expect(outcome.applied.bytes < 1000)
        try expect(.from(client, to: web, pass: [.tcp(400), .tcp(402)], block: [.tcp(403), .udp(402)]))
        rules.remove(at: 500)
        let removal = try await host.apply { try $0.put(group()) }
        #expect(removal.plan.steps.count + removal.plan.stamps.count <= 14 + Self.addresses, "\(removal.plan.steps.map(\.text))")
        try expect(.from(client, to: web, pass: [.tcp(400)], block: [.tcp(402)]))
    }

    @Test("is its own elements for one pod's binding among many")
    func binding() async throws {
        let host = try LabHost()
        try await host.apply {
            for name in ["a", "b"] as [ID<SecurityGroup>] {
                try $0.put(
                    SecurityGroup(
                        id: name, network: "blue",
                        rules: (1...50 as ClosedRange<UInt16>).map { .in("\(name)-\($0)", .udp, $0 * 2...$0 * 2) }))
            }
        }
        let pods = try (0..<30).map { try host.pod(ID("pod-\($0)")) }
        try await host.apply { for (position, pod) in pods.enumerated() { try $0.put(pod.intent([position % 2 == 0 ? "a" : "b"])) } }
        let outcome = try await host.apply { try $0.put(pods[0].intent(["b"])) }
        #expect(outcome.plan.steps.count + outcome.plan.stamps.count <= 20 + Self.addresses, "\(outcome.plan.steps.map(\.text))")
        let link = pods[0].link
        #expect(
            (outcome.plan.steps + outcome.plan.stamps).allSatisfy { step in
                switch step.object {
                case .element(let element): element.link == link
                case .chain(let chain): chain.id.name.hasPrefix("epoch-")
                default: false
                }
            })
        try expect(.from(pods[0], to: pods[1], block: [.udp(2)]))
    }
}
