import Foundation
import HostNetwork
import Kernel
import Lab
import Testing

/// A host whose network is made from intents as the daemon makes it, in namespaces of a lab: wanted, planned, carried out, and read back.
///
/// Law, checked after every change: what the kernel has is what is believed to be there, and when the stamps are given too, what is wanted.
final class LabHost {
    let lab: Lab
    /// The host itself; it forwards.
    let host: LabNamespace
    let plane: LinuxDataplane
    private(set) var desired: Desired
    private(set) var believed = HostState()
    /// Stamps of plans that `settle` hasn't taken yet.
    private(set) var owed: [HostNetwork.Operation] = []
    /// What is behind the host's uplink, where its default route leads.
    private let world: LabNamespace
    private var lastNumber: UInt8 = 9

    /// What a change came to.
    struct Outcome {
        var plan: Plan
        var applied: Applied
    }

    /// With the network that `LabHost.network` says, and nothing else.
    init(layout: Layout = Layout(), owned: Bool = true) throws {
        lab = try Lab()
        host = try lab.namespace("host")
        world = try lab.namespace("world")
        plane = try host.inside {
            _ = try Forwarding.enable()
            return try LinuxDataplane(marks: layout.marks, owned: owned)
        }
        desired = Desired(layout: layout)
        let everything = Set(desired.state.entries.keys)
        try connect()
        try carryOut(desired.plan(from: believed, touching: everything), here: #_sourceLocation)
        try change(checked: true, here: #_sourceLocation) { try $0.put(Self.network) }
    }

    static let network = Network(
        id: "blue",
        subnets: [
            Subnet(id: "blue-4", cidr: Prefix("10.1.0.0/24"), gateway: IPAddress("10.1.0.1")),
            Subnet(id: "blue-6", cidr: Prefix("fd00:1::/64"), gateway: IPAddress("fd00:1::1")),
        ])
    /// Of `network`, IPv4 and IPv6.
    static let gateways = ["10.1.0.1", "fd00:1::1"]

    // MARK: Changes

    /// Changes the intents, carries out what follows, waits out the grace period and gives the stamps.
    @discardableResult
    func apply(
        checked: Bool = true, here: SourceLocation = #_sourceLocation, _ body: (inout Intents) throws -> Void
    ) async throws -> Outcome {
        var outcome = try change(checked: checked, here: here, body)
        outcome.applied.merge(try await settle(checked: checked, here: here))
        return outcome
    }

    /// Changes the intents and carries out the plan's steps, but not its stamps: what is in force when the daemon answers.
    @discardableResult
    func change(
        checked: Bool = true, here: SourceLocation = #_sourceLocation, _ body: (inout Intents) throws -> Void
    ) throws -> Outcome {
        let keys = try want(body)
        return try carryOut(desired.plan(from: believed, touching: keys), checked: checked, here: here)
    }

    /// Waits out the grace period and gives the stamps that are owed.
    @discardableResult
    func settle(checked: Bool = true, here: SourceLocation = #_sourceLocation) async throws -> Applied {
        guard !owed.isEmpty else { return Applied() }
        await GracePeriod.wait()
        // What a later change superseded has another stamp that is owed.
        let applied = plane.settle(owed.filter { desired.state.contains($0.object) && believed[$0.object.key] == nil })
        owed = []
        take(applied, here)
        if checked { try observe(here: here) }
        return applied
    }

    /// Reads everything back and compares it with what is believed, and with what is wanted unless stamps are owed.
    func observe(here: SourceLocation = #_sourceLocation) throws {
        let there = try plane.observe(expecting: desired.state)
        let differences = Plan(from: believed, to: there).steps + Plan(from: believed, to: there).stamps
        #expect(differences.map(\.text) == [], "the kernel has something else than is believed", sourceLocation: here)
        guard owed.isEmpty else { return }
        let rest = Plan(from: there, to: desired.state)
        #expect((rest.steps + rest.stamps).map(\.text) == [], "the kernel has something else than is wanted", sourceLocation: here)
    }

    /// Changes the intents alone; answers the keys of what may differ.
    private func want(_ body: (inout Intents) throws -> Void) throws -> Set<Object.Key> {
        var after = desired.intents
        try body(&after)
        let before = desired.intents
        let ids = Set(before.all.map(\.id)).union(after.all.map(\.id)).filter { before[$0] != after[$0] }
        var touched = desired.realize(after, changed: ids.map { (before[$0], after[$0]) })
        let pods = ids.filter { $0.kind == .pod }.map { ID<Pod>($0.id) }
        let (there, gone) = (pods.filter(hasNamespace), pods.filter { !hasNamespace($0) })
        touched.formUnion(desired.attach(there, detach: gone))
        return touched
    }

    private func hasNamespace(_ pod: ID<Pod>) -> Bool {
        desired.intents.pods[pod]?.namespace.map { FileManager.default.fileExists(atPath: $0) } ?? false
    }

    @discardableResult
    private func carryOut(_ plan: Plan, checked: Bool = false, here: SourceLocation) throws -> Outcome {
        let applied = plane.apply(plan)
        owed += plan.stamps
        take(applied, here)
        if checked { try observe(here: here) }
        return Outcome(plan: plan, applied: applied)
    }

    private func take(_ applied: Applied, _ here: SourceLocation) {
        believed.take(applied)
        for refusal in applied.refusals { Issue.record("\(refusal)", sourceLocation: here) }
    }

    // MARK: Who is there

    /// A pod with a namespace of its own, with a number of the network's subnets. It isn't asked for yet: see `LabPod.intent`.
    func pod(_ id: ID<Pod>, _ number: UInt8? = nil) throws -> LabPod {
        lastNumber = max(lastNumber + 1, number ?? 0)
        let namespace = try lab.namespace(id.value.replacing("/", with: "-"))
        return LabPod(id: id, number: number ?? lastNumber, namespace: namespace, host: self)
    }

    /// Namespaces for several pods, which are asked for and made at once, bound to these groups.
    func pods(_ ids: ID<Pod>..., groups: [ID<SecurityGroup>] = []) async throws -> [LabPod] {
        let pods = try ids.map { try pod($0) }
        try await apply { for pod in pods { try $0.put(pod.intent(groups)) } }
        return pods
    }

    /// A host out in the world, 198.51.100.`number` and 2001:db8:1::`number`, or a pod of another host with addresses of the network's;
    /// all of these share a namespace, behind the host's uplink.
    func outsider(_ number: UInt8, isPod: Bool = false) throws -> LabPeer {
        var peer = uplink.there
        peer.addresses = (isPod ? ["10.1.0.", "fd00:1::"] : ["198.51.100.", "2001:db8:1::"]).map { "\($0)\(number)" }
        for (address, next) in zip(peer.addresses, uplink.there.addresses) {
            try world.add(address: address, to: "lo")
            try host.run("ip", "route", "add", address, "via", next, "dev", "uplink")
        }
        return peer
    }

    /// The two ends of the host's uplink.
    private var uplink: (here: LabPeer, there: LabPeer) {
        let macs = ["02:00:c0:00:02:01", "02:00:c0:00:02:02"]
        func end(_ number: Int, in namespace: LabNamespace) -> LabPeer {
            LabPeer(
                namespace: namespace, interface: "uplink", addresses: ["192.0.2.\(number)", "2001:db8:ff::\(number)"],
                mac: macs[number - 1],
                router: macs[2 - number], host: self)
        }
        return (end(1, in: host), end(2, in: world))
    }

    private func connect() throws {
        let (here, there) = uplink
        try host.run("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "uplink", "netns", world.path)
        for own in [here, there] {
            // Without an address of the link alone, whose duplicate address detection would take a second.
            try own.namespace.run("ip", "link", "set", "uplink", "address", own.mac, "addrgenmode", "none", "up")
        }
        for own in [here, there] {
            try own.namespace.add(address: own.ipv4, length: 24, to: "uplink")
            try own.namespace.add(address: own.ipv6, length: 64, to: "uplink")
        }
        for (own, other) in [(here, there), (there, here)] {
            for address in other.addresses {
                try own.namespace.run("ip", "neigh", "add", address, "lladdr", other.mac, "dev", "uplink")
                try own.namespace.run("ip", "route", "add", "default", "via", address)
            }
        }
    }
}
