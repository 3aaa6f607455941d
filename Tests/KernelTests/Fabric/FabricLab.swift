import HostNetwork
import Kernel
import Lab
import Testing

/// Hosts that are joined by an underlay: a namespace with a bridge, which every host is plugged into. Host n is 192.0.2.n and 2001:db8:ff::n.
final class FabricLab {
    /// How the hosts of a test are joined, and its network with them.
    struct Way: Hashable, Sendable, CustomTestStringConvertible {
        var fabric: Fabric
        /// Of the hosts' addresses.
        var underlay: Family
        /// The network is in a namespace of its own on each host.
        var isolated = false

        static let all = [
            Way(fabric: .vxlan, underlay: .v4), Way(fabric: .vxlan, underlay: .v6), Way(fabric: .vxlan, underlay: .v4, isolated: true),
            Way(fabric: .vxlan, underlay: .v6, isolated: true), Way(fabric: .routed, underlay: .v4), Way(fabric: .routed, underlay: .v6),
        ]
        static let tunnels = all.filter { $0.fabric == .vxlan }

        var testDescription: String { "\(fabric.rawValue) over \(underlay)\(isolated ? ", isolated" : "")" }
        /// Of the pods' addresses. IPv6 can't be routed through a host of IPv4.
        var families: [Family] { fabric == .routed && underlay == .v4 ? [.v4] : [.v4, .v6] }
        /// The largest packet between pods, where the underlay carries 1500 bytes.
        var mtu: Int { fabric == .routed ? 1500 : underlay == .v4 ? 1450 : 1430 }
    }

    let lab: Lab
    let way: Way
    /// The bridge's namespace; the bridge's port for host n is called `port` and n.
    let underlay: LabNamespace

    init(_ way: Way) throws {
        lab = try Lab()
        self.way = way
        underlay = try lab.namespace("underlay")
        try underlay.run("ip", "link", "add", "bridge", "type", "bridge")
        try underlay.run("ip", "link", "set", "bridge", "addrgenmode", "none", "up")
    }

    /// Its subnets' addresses are the same in every network.
    func network(_ id: ID<Network> = "blue", tunnel: TunnelID = 4242, _ change: (inout Network) -> Void = { _ in }) -> Network {
        var network = Network(
            id: id, isolated: way.isolated, subnets: LabHost.network.subnets, fabric: way.fabric,
            tunnelID: way.fabric == .vxlan ? tunnel : nil)
        change(&network)
        return network
    }

    func host(_ number: Int) throws -> FabricHost { try FabricHost(number, in: self) }
}

extension TunnelID: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int) {
        guard let id = TunnelID(value) else { fatalError("\(value) is no identifier of a tunnel") }
        self = id
    }
}

/// One host of a fabric: a network of its, made from intents as the daemon makes it.
final class FabricHost {
    let lab: FabricLab
    let number: Int
    /// Where the underlay is.
    let outside: LabNamespace
    /// Where the pods' host sides are: the same, unless the network is isolated.
    let domain: LabNamespace
    let plane: LinuxDataplane
    let underlay: Underlay
    private(set) var desired: Desired
    private(set) var believed = HostState()

    /// With the network `blue`, and nothing else.
    fileprivate init(_ number: Int, in lab: FabricLab) throws {
        outside = try lab.lab.namespace("host-\(number)")
        try Self.plug(outside, number, into: lab.underlay)
        (self.lab, self.number) = (lab, number)
        domain = lab.way.isolated ? try lab.lab.namespace("domain-\(number)") : outside
        (plane, underlay) = try Self.open(domain, outside, lab.way.underlay, number)
        desired = Desired(layout: Layout(underlay: underlay))
        try start()
    }

    /// Another network of a host, in a namespace of its own.
    init(another id: ID<Network>, tunnel: TunnelID, on host: FabricHost) throws {
        (lab, number, outside) = (host.lab, host.number, host.outside)
        domain = try host.lab.lab.namespace("domain-\(number)-\(id)")
        (plane, underlay) = try Self.open(domain, outside, lab.way.underlay, number)
        desired = Desired(layout: Layout(underlay: underlay))
        try start(host.lab.network(id, tunnel: tunnel))
    }

    private func start(_ network: Network? = nil) throws {
        _ = plane.apply(desired.plan(from: believed))
        believed = desired.state
        try apply { try $0.put(network ?? lab.network()) }
    }

    static func address(_ number: Int, _ family: Family) -> IPAddress {
        IPAddress(family == .v4 ? "192.0.2.\(number)" : "2001:db8:ff::\(String(number, radix: 16))")
    }

    private static func plug(_ host: LabNamespace, _ number: Int, into bridge: LabNamespace) throws {
        try host.run("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "port\(number)", "netns", bridge.path)
        try bridge.run("ip", "link", "set", "port\(number)", "addrgenmode", "none", "master", "bridge", "up")
        try host.run("ip", "link", "set", "uplink", "addrgenmode", "none", "up")
        try host.add(address: "\(address(number, .v4))", length: 24, to: "uplink")
        try host.add(address: "\(address(number, .v6))", length: 64, to: "uplink")
        // Without which the kernel solicits no neighbor for a packet that isn't its own (`ndisc_send_ns`, net/ipv6/ndisc.c).
        try host.add(address: "fe80::\(String(number, radix: 16))", length: 64, to: "uplink")
    }

    private static func open(
        _ domain: LabNamespace, _ outside: LabNamespace, _ family: Family, _ number: Int
    ) throws -> (LinuxDataplane, Underlay) {
        let address = address(number, family)
        let underlay = try outside.inside {
            _ = try Forwarding.enable()
            var table = try LinkTable()
            return try #require(try table.underlay(at: address))
        }
        let plane = try domain.inside {
            _ = try Forwarding.enable()
            return try LinuxDataplane(marks: .standard, over: NetworkNamespace(at: outside.path))
        }
        return (plane, underlay)
    }

    // MARK: Changes

    /// Changes the intents and carries out the plan, stamps and all; nothing is refused, and what is there then is what is wanted.
    @discardableResult
    func apply(here: SourceLocation = #_sourceLocation, _ body: (inout Intents) throws -> Void) throws -> Plan {
        let outcome = try carryOut(body)
        for refusal in outcome.applied.refusals { Issue.record("\(refusal)", sourceLocation: here) }
        try observe(here: here)
        return outcome.plan
    }

    /// The same, whatever comes of it.
    func carryOut(_ body: (inout Intents) throws -> Void) throws -> (plan: Plan, applied: Applied) {
        var intents = desired.intents
        try body(&intents)
        let before = desired.intents
        let ids = Set(before.all.map(\.id)).union(intents.all.map(\.id)).filter { before[$0] != intents[$0] }
        var touched = desired.realize(intents, changed: ids.map { (before[$0], intents[$0]) })
        touched.formUnion(desired.attach(intents.pods.keys, detach: []))
        let plan = desired.plan(from: believed, touching: touched)
        var applied = plane.apply(plan)
        applied.merge(plane.settle(plan.stamps))
        believed.take(applied)
        return (plan, applied)
    }

    /// Carries out whatever brings the kernel back to what is wanted; answers what that was.
    @discardableResult
    func repair() throws -> [String] {
        let plan = desired.plan(from: try plane.observe(expecting: desired.state))
        var applied = plane.apply(plan)
        applied.merge(plane.settle(plan.stamps))
        #expect(applied.refusals == [])
        believed = desired.state
        return (plan.steps + plan.stamps).map(\.text)
    }

    /// What the kernel has is what is wanted.
    func observe(here: SourceLocation = #_sourceLocation) throws {
        let there = try plane.observe(expecting: desired.state)
        let rest = Plan(from: there, to: desired.state)
        #expect((rest.steps + rest.stamps).map(\.text) == [], "the kernel has something else than is wanted", sourceLocation: here)
    }

    /// Another process's view of the same host, which knows nothing yet.
    func another() throws -> LinuxDataplane {
        try domain.inside { try LinuxDataplane(marks: .standard, owned: false, over: NetworkNamespace(at: outside.path)) }
    }

    // MARK: Who is there

    /// A pod that is attached: number n of the network's subnets.
    func pod(_ id: ID<Pod>, _ number: UInt8, _ groups: [ID<SecurityGroup>] = [], mtu: Int? = nil) throws -> FabricPod {
        let network = try #require(desired.intents.networks.keys.first)
        let namespace = try lab.lab.namespace("\(self.number)-\(network)-\(id)")
        let pod = FabricPod(id: id, network: network, number: number, namespace: namespace, host: self)
        try apply { try $0.put(pod.intent(groups, mtu: mtu)) }
        return pod
    }
}

/// A pod of one host, and a neighbor of the others.
struct FabricPod {
    var id: ID<Pod>
    var network: ID<Network>
    var number: UInt8
    var namespace: LabNamespace
    var host: FabricHost

    var addresses: [String] { ["10.1.0.\(number)", "fd00:1::\(String(number, radix: 16))"] }
    func address(_ family: Family) -> String { addresses[family == .v4 ? 0 : 1] }

    func intent(_ groups: [ID<SecurityGroup>] = [], mtu: Int? = nil) -> Pod {
        Pod(
            id: id, network: network, namespace: namespace.path, addresses: addresses.map { IPAddress($0) }, securityGroups: groups,
            mtu: mtu)
    }

    /// As the other hosts are told of it.
    func neighbor(_ groups: [ID<SecurityGroup>] = [], on other: FabricHost? = nil) -> Neighbor {
        let families = host.lab.way.families
        return Neighbor(
            id: ID(id.value), network: network, addresses: families.map { IPAddress(address($0)) },
            host: FabricHost.address((other ?? host).number, host.lab.way.underlay), securityGroups: groups)
    }
}

/// Datagrams between pods, of every family that the fabric carries: each arrives, or none does.
func expect(
    _ sender: FabricPod, to receiver: FabricPod, port: UInt16 = 7000, _ families: [Family]? = nil, passes: Bool,
    here: SourceLocation = #_sourceLocation
) throws {
    for family in families ?? sender.host.lab.way.families {
        let client = try UDP(in: sender.namespace, at: sender.address(family))
        let server = try UDP(in: receiver.namespace, at: receiver.address(family), port: port)
        let arrives = try client.reaches(server, at: receiver.address(family), within: passes ? .seconds(5) : .milliseconds(80))
        let words = "port \(port) from \(sender.id) to \(receiver.id), \(family)"
        #expect(arrives == passes, "\(words) \(passes ? "doesn't pass" : "isn't blocked")", sourceLocation: here)
    }
}
