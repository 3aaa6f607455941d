import HostNetwork
import Kernel
import Lab

/// A host and pods' namespaces, and the steps that make a pod's interface.
struct LinksLab {
    let lab: Lab
    let host: LabNamespace
    let domain: NetworkNamespaceAtHost

    init() throws {
        lab = try Lab()
        host = try lab.namespace("host")
        domain = try NetworkNamespaceAtHost(host)
    }

    func table() throws -> LinkTable { try LinkTable(in: NetworkNamespace(at: host.path)) }
}

/// Turns forwarding on in the lab's host.
struct NetworkNamespaceAtHost {
    init(_ host: LabNamespace) throws {
        _ = try host.inside { try Forwarding.enable() }
    }
}

/// A pod of the tests: number `n` of the subnets 10.1.0.0/24 and fd00:1::/64.
struct SamplePod {
    let id: String
    let namespace: LabNamespace
    let number: Int
    var interface = "eth0"

    static let gateways: [IPAddress] = [.v4(0x0a01_0001), .v6(0xfd00_0001_0000_0000_0000_0000_0000_0001)]

    var name: LinkName { LinkName(of: ID(id)) }
    var mac: MAC { MAC(0x0200_0a01_0000 | UInt64(number)) }
    var addresses: [IPAddress] {
        [.v4(0x0a01_0000 | UInt32(number)), .v6(0xfd00_0001_0000_0000_0000_0000_0000_0000 | UInt128(number))]
    }
    var ipv4: String { "10.1.0.\(number)" }
    var ipv6: String { "fd00:1::\(String(number, radix: 16))" }

    func link(isUp: Bool, mtu: Int = 1450) -> Link {
        Link(
            name: name, pod: ID(id), hostMAC: Marks.hostMAC, namespace: namespace.path, interface: interface, mac: mac, mtu: mtu,
            isUp: isUp,
            reversePath: .strict)
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

    var objects: [LinkObject] { [.link(link(isUp: true))] + rest }

    /// Steps from nothing to all of it: made down, brought up, and the rest.
    var attach: [LinkStep] {
        [.add(.link(link(isUp: false))), .change(from: .link(link(isUp: false)), to: .link(link(isUp: true)))] + rest.map { .add($0) }
    }

    var place: LinkTable.Place { LinkTable.Place(namespace: namespace.path, interface: interface) }
}
