import Foundation
import Lab

/// An interface of a daemon's host, and a router at its other end that says so by router advertisements (RFC
/// 4861).
struct Uplink {
    let name: String
    let host: LabNamespace
    let router: LabNamespace
    private let wire: RawLink

    /// The router's, on the link.
    static let address = "fe80::1"
    private static let mac = "02:00:00:00:00:fe"

    /// Makes both, up; the kernel's settings of the host's end are as it makes them.
    init(_ name: String, of daemon: DaemonHost) throws {
        self.name = name
        host = daemon.host
        router = try daemon.lab.namespace("router-\(name)")
        try host.run("ip", "link", "add", name, "type", "veth", "peer", "name", "r0", "netns", router.path)
        try router.run("ip", "link", "set", "r0", "address", Self.mac, "addrgenmode", "none", "up")
        try router.run("ip", "address", "add", Self.address + "/64", "dev", "r0", "nodad")
        try host.run("ip", "link", "set", name, "up")
        // Until the kernel has noticed the carrier of both ends, what they send is dropped.
        for (namespace, end) in [(host, name), (router, "r0")] {
            let isUp = try eventually {
                try namespace.json("ip", "-j", "link", "show", end).first?["operstate"] as? String == "UP"
            }
            guard isUp else { throw LabError("\(end) has no carrier") }
        }
        wire = try RawLink(in: router, interface: "r0")
    }

    /// Says that it is a default router, from an address of the link; and, if there is a prefix, that hosts
    /// are to make addresses of it.
    func advertise(from address: String = Uplink.address, prefix: String? = nil) throws {
        try wire.send(.routerAdvertisement(mac: Self.mac, from: address, prefix: prefix))
    }

    /// How many advertisements have come to the host's end, taken or not.
    func arrivals() throws -> Int {
        // `Icmp6InType134 1` (net/ipv6/proc.c).
        let text = try host.run("cat", "/proc/net/dev_snmp6/\(name)")
        let line = text.split(separator: "\n").first { $0.hasPrefix("Icmp6InType134") }
        return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) } ?? 0
    }

    /// Whether the host has a default route to an address of the link, which came by an advertisement.
    func isDefault(_ address: String = Uplink.address) throws -> Bool {
        try host.run("ip", "-6", "route", "show", "default", "proto", "ra", "dev", name).contains(
            "via \(address) ")
    }

    /// A setting of the host's end.
    func setting(_ setting: String) throws -> String {
        try host.run("cat", "/proc/sys/net/ipv6/conf/\(name)/\(setting)").trimmingCharacters(
            in: .whitespacesAndNewlines)
    }

    func set(_ setting: String, _ value: String) throws {
        try host.run("sh", "-c", "echo \(value) > /proc/sys/net/ipv6/conf/\(name)/\(setting)")
    }
}
