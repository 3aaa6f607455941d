import HostNetwork
import Kernel
import Lab

/// A host that forwards, and namespaces for pods.
struct LinksLab {
    let lab: Lab
    let host: LabNamespace

    init() throws {
        lab = try Lab()
        host = try lab.namespace("host")
        _ = try host.inside { try Forwarding.enable() }
    }

    func table() throws -> LinkTable { try LinkTable(in: NetworkNamespace(at: host.path)) }

    /// A pod with a namespace of its own, which has no interface yet.
    func pod(_ number: Int) throws -> SamplePod {
        SamplePod(id: "web-\(number)", namespace: try lab.namespace("web-\(number)"), number: number)
    }

    func pods(_ numbers: ClosedRange<Int>) throws -> [SamplePod] { try numbers.map(pod) }

    /// What `ip` says of one link of the host's; nil when there is none.
    func link(_ name: String) throws -> [String: Any]? {
        try host.json("ip", "-j", "-d", "link", "show").first { $0["ifname"] as? String == name }
    }
}

extension LabNamespace {
    /// Addresses of an interface, but for those of the link alone.
    func addresses(of interface: String) throws -> [String] {
        try json("ip", "-j", "addr", "show", "dev", interface, "scope", "global")
            .flatMap { $0["addr_info"] as? [[String: Any]] ?? [] }.compactMap { $0["local"] as? String }
    }
}

/// A pod of the tests: number `n` of the subnets 10.1.0.0/24 and fd00:1::/64.
struct SamplePod {
    var id: String
    var namespace: LabNamespace
    var number: Int
    var interface = "eth0"

    static let gateways: [IPAddress] = [.v4(0x0a01_0001), .v6(0xfd00_0001_0000_0000_0000_0000_0000_0001)]

    var name: LinkName { LinkName(of: ID(id)) }
    var mac: MAC { MAC(0x0200_0a01_0000 | UInt64(number)) }
    var addresses: [IPAddress] {
        [.v4(0x0a01_0000 | UInt32(number)), .v6(0xfd00_0001_0000_0000_0000_0000_0000_0000 | UInt128(number))]
    }
    var texts: [String] { addresses.map(\.description) }
    var ipv4: String { texts[0] }
    var ipv6: String { texts[1] }

    func link(isUp: Bool = true, mtu: Int = 1450) -> Link {
        Link(
            name: name, pod: ID(id), hostMAC: Marks.hostMAC, namespace: namespace.path, interface: interface, mac: mac, mtu: mtu,
            isUp: isUp, reversePath: .strict)
    }

    /// What there is besides the pair, in the order in which it can be made: addresses, neighbors, routes.
    var rest: [LinkObject] {
        let (pod, host) = (End(name, .pod), End(name, .host))
        var objects: [LinkObject] = []
        objects += addresses.map { .address(InterfaceAddress(pod, $0)) }
        objects += Self.gateways.map { .address(InterfaceAddress(host, $0)) }
        objects += Self.gateways.map { .neighbor(NeighborEntry(pod, $0, at: Marks.hostMAC)) }
        objects += addresses.map { .neighbor(NeighborEntry(host, $0, at: mac)) }
        objects += Self.gateways.map { .route(Route(pod, to: .everything($0.family), through: $0)) }
        objects += addresses.map { .route(Route(host, to: Prefix($0))) }
        return objects
    }

    var objects: [LinkObject] { [.link(link())] + rest }

    /// Steps from nothing to all of it, in the order of plans: made down, addresses, up, the rest.
    var attach: [LinkStep] {
        let parts = rest
        let addresses = parts.prefix { if case .address = $0 { true } else { false } }
        return [.add(.link(link(isUp: false)))] + addresses.map { .add($0) } + [.change(from: .link(link(isUp: false)), to: .link(link()))]
            + parts.dropFirst(addresses.count).map { .add($0) }
    }

    var place: LinkTable.Place {
        LinkTable.Place(
            namespace: namespace.path, interface: interface, addresses: Set(addresses), neighbors: Set(Self.gateways))
    }
}

extension [SamplePod] {
    var places: [LinkName: LinkTable.Place] { Dictionary(uniqueKeysWithValues: map { ($0.name, $0.place) }) }
    var attach: [LinkStep] { flatMap(\.attach) }
    var objects: Set<LinkObject> { Set(flatMap(\.objects)) }
}
