import HostNetwork
import Lab

/// Somebody in a lab who sends and receives.
struct LabPeer {
    var namespace: LabNamespace
    /// Where its packets come and go.
    var interface: String
    /// One of each family, IPv4 first.
    var addresses: [String]
    var mac: String
    /// The MAC of its next hop.
    var router: String
    /// Who is reached from here goes with it.
    var host: LabHost

    var ipv4: String { addresses[0] }
    var ipv6: String { addresses[1] }

    /// Tells its interface from others'.
    var place: String { "\(namespace.path) \(interface)" }

    func address(_ family: Family) -> String { family == .v4 ? ipv4 : ipv6 }
}

/// A pod of a lab's host: number n of the subnets 10.1.0.0/24 and fd00:1::/64 (in hexadecimal there).
struct LabPod {
    var id: ID<Pod>
    var number: UInt8
    var namespace: LabNamespace
    /// Without which it has nowhere to be.
    var host: LabHost

    var mac: MAC { MAC(0x0200_0a01_0000 | UInt64(number)) }
    var link: LinkName { LinkName(of: id) }
    var ipv4: String { "10.1.0.\(number)" }
    var ipv6: String { "fd00:1::\(String(number, radix: 16))" }
    var peer: LabPeer {
        LabPeer(
            namespace: namespace, interface: "eth0", addresses: [ipv4, ipv6], mac: mac.description, router: Marks.hostMAC.description,
            host: host)
    }

    func address(_ family: Family) -> String { family == .v4 ? ipv4 : ipv6 }

    /// As it is asked for; without groups it is bound to the default group.
    func intent(_ groups: [ID<SecurityGroup>] = [], _ change: (inout Pod) -> Void = { _ in }) -> Pod {
        let addresses = [IPAddress(ipv4), IPAddress(ipv6)]
        var pod = Pod(id: id, network: "blue", namespace: namespace.path, mac: mac, addresses: addresses, securityGroups: groups)
        change(&pod)
        return pod
    }
}

extension Intents {
    /// Takes in a resource, or throws why not.
    mutating func put(_ pod: Pod) throws { _ = try upsert(.pod(pod)) }
    mutating func put(_ group: SecurityGroup) throws { _ = try upsert(.securityGroup(group)) }
    mutating func put(_ group: AddressGroup) throws { _ = try upsert(.addressGroup(group)) }
    mutating func put(_ neighbor: Neighbor) throws { _ = try upsert(.neighbor(neighbor)) }
    mutating func put(_ network: Network) throws { _ = try upsert(.network(network)) }

    /// A group of the lab's network with just these rules.
    mutating func put(_ id: ID<SecurityGroup>, stateful: Bool = true, _ rules: Rule...) throws {
        try put(SecurityGroup(id: id, network: "blue", stateful: stateful, rules: rules))
    }

    /// Takes away a resource, or throws why not.
    mutating func delete<Of: Resource>(_ id: ID<Of>) throws { _ = try remove(id.intent) }
}

extension IPAddress {
    /// An address that is written down in a test.
    init(_ text: String) {
        do { self = try IPAddress(parsing: text) } catch { fatalError("\(error)") }
    }
}

extension Prefix {
    /// A prefix that is written down in a test.
    init(_ text: String) {
        do { self = try Prefix(parsing: text) } catch { fatalError("\(error)") }
    }
}
