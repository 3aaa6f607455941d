import HostNetwork
import Lab
import OwnThreads
import Testing

/// Fails on 7673dba: a pod of a shared network reached the tunnels of hosts, and so the pods of isolated networks.
@Suite("VXLAN that a pod sends", .ownThreads) struct PolicyTunnelTests {
    private static let underlay = Underlay(address: IPAddress("192.0.2.1"), mtu: 1500)
    private let tunnel = Segment.udp(4789)
    private let others: [Segment] = [.udp(4788), .udp(4790), .tcp(4789)]

    private func world(
        _ fromPods: HostPolicy.FromPods, portSecurity: Bool, underlay: Underlay? = underlay
    ) async throws -> (host: LabHost, pods: [LabPod]) {
        let host = try LabHost(layout: Layout(host: HostPolicy(fromPods: fromPods), underlay: underlay))
        try await host.apply { try $0.put("open", .in("in"), .out("out")) }
        let pods = try await host.pods("a", "b", groups: ["open"])
        try await host.apply { try $0.put(pods[0].intent(["open"]) { $0.portSecurity = portSecurity }) }
        return (host, pods)
    }

    @Test("reaches other pods, and never what may be a host", arguments: [true, false], [underlay, nil])
    func outwards(portSecurity: Bool, underlay: Underlay?) async throws {
        let (host, pods) = try await world(.replies, portSecurity: portSecurity, underlay: underlay)
        let outsider = try host.outsider(7)
        try expect(
            .from(pods[0], to: pods[1], pass: [tunnel] + others),
            .from(pods[0].peer, to: outsider, pass: others, block: [tunnel]))
    }

    @Test("reaches no gateway of its network, which is another host's address")
    func gateways() async throws {
        let (host, pods) = try await world(.replies, portSecurity: true)
        let outsider = try host.outsider(7)
        // A subnet whose pods are all on another host, which has its gateway's addresses.
        var network = LabHost.network
        network.subnets += [
            Subnet(id: "far-4", cidr: Prefix("198.51.100.0/24"), gateway: IPAddress(outsider.ipv4)),
            Subnet(id: "far-6", cidr: Prefix("2001:db8:1::/64"), gateway: IPAddress(outsider.ipv6)),
        ]
        try await host.apply { try $0.put(network) }
        let pod = try host.outsider(8)
        try expect(
            .from(pods[0].peer, to: pod, pass: [tunnel] + others), .from(pods[0].peer, to: outsider, pass: others, block: [tunnel]))
    }

    @Test("isn't an answer either: to whoever claims to have asked from a host's port", arguments: Family.allCases)
    func answers(family: Family) async throws {
        let (host, pods) = try await world(.replies, portSecurity: true)
        let outsider = try host.outsider(7)
        let pod = pods[0].peer
        func both(from port: UInt16, answered: Bool) throws {
            let question = Segment.udp(9000, from: port)
            try expect(.from(outsider, to: pod, [family], pass: [question]))
            let answer = Segment.udp(port, from: 9000)
            try expect(.from(pod, to: outsider, [family], pass: answered ? [answer] : [], block: answered ? [] : [answer]))
        }
        try both(from: 4790, answered: true)
        try both(from: 4789, answered: false)
    }

    @Test("never gets to its own host, whatever that lets pods begin", arguments: [true, false])
    func ownHost(portSecurity: Bool) async throws {
        let (host, pods) = try await world(.allow, portSecurity: portSecurity)
        let sockets = try [4788, 4789].map { try UDP(in: host.host, at: "192.0.2.1", port: $0) }
        let pod = try UDP(in: pods[0].namespace, at: pods[0].ipv4)
        #expect(try pod.reaches(sockets[0], at: "192.0.2.1", within: .seconds(5)))
        #expect(try !pod.reaches(sockets[1], at: "192.0.2.1", within: .milliseconds(60)))
        #expect(try pod.reaches(sockets[0], at: "192.0.2.1", within: .seconds(5)))
    }
}
