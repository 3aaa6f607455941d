import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("What a pod must say to get along", .ownThreads) struct PolicyBootstrapTests {
    /// What a pod may be bound to.
    enum Binding: CaseIterable { case nothing, unknown, stateless, everything, unfiltered }

    private func host(_ binding: Binding, _ policy: HostPolicy) async throws -> (host: LabHost, pod: LabPod) {
        let host = try LabHost(layout: Layout(host: policy))
        let pod = try host.pod("web")
        try await host.apply {
            try $0.put("nothing")
            try $0.put("stateless", stateful: false, .out("tcp", .tcp, 9...9))
            try $0.put("everything", .in("in"), .out("out"))
            let groups: [ID<SecurityGroup>] =
                switch binding {
                case .nothing: ["nothing"]
                case .unknown: ["unknown"]
                case .stateless: ["stateless"]
                case .everything, .unfiltered: ["everything"]
                }
            try $0.put(pod.intent(groups) { $0.portSecurity = binding != .unfiltered })
        }
        return (host, pod)
    }

    /// Counts what reaches the host's own stack behind every filter, a counter for each kind.
    private static let ruleset = """
        table inet reached {
            chain c {
                type filter hook input priority 300
                icmpv6 type nd-router-solicit counter comment "router solicitation"
                icmpv6 type nd-neighbor-solicit ip6 saddr :: counter comment "duplicate address detection"
                icmpv6 type nd-neighbor-solicit ip6 saddr != :: counter comment "neighbor solicitation"
                icmpv6 type nd-neighbor-advert counter comment "neighbor advertisement"
                icmpv6 type mld2-listener-report counter comment "listener report"
                udp sport 68 udp dport 67 counter comment "DHCPv4"
                udp sport 546 udp dport 547 counter comment "DHCPv6"
                icmpv6 type { nd-router-advert, nd-redirect } counter comment "router's messages"
                udp sport 67 udp dport 68 counter comment "DHCPv4 server"
                udp sport 547 udp dport 546 counter comment "DHCPv6 server"
            }
        }
        """

    private func counted(_ host: LabHost) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in try host.host.run("nft", "list", "table", "inet", "reached").split(separator: "\n") {
            let parts = line.split(separator: "\"")
            guard parts.count >= 2, let packets = line.split(separator: "packets ").last?.prefix(while: \.isNumber) else { continue }
            counts[String(parts[parts.count - 1])] = Int(packets)
        }
        return counts
    }

    @Test(
        "reaches its host under every binding and setting, and a server's or a router's words under none", arguments: Binding.allCases,
        PolicyHostSettingsTests.policies)
    func reaches(binding: Binding, policy: HostPolicy) async throws {
        let (host, pod) = try await host(binding, policy)
        try host.host.run(["nft", "-f", "-"], input: Self.ruleset)
        let before = try counted(host)
        let link = try RawLink(in: pod.namespace, interface: "eth0")
        let (mac, gateway) = (pod.mac.description, LabHost.gateways[1])
        let router = Marks.hostMAC.description
        func send(_ segment: Segment, from sender: String, to receiver: String) throws {
            try link.send(.of(segment, carrying: "0123456789abcdef", mac: mac, to: router, from: sender, to: receiver))
        }
        for sender in ["::", "fe80::5", pod.ipv6] {
            try send(.icmpv6(133), from: sender, to: "ff02::2")
            try send(.icmpv6(143), from: sender, to: "ff02::1")
        }
        for (sender, receiver) in [("::", "ff02::1:ff00:1"), ("fe80::5", gateway), (pod.ipv6, gateway), (pod.ipv6, "ff02::1:ff00:1")] {
            try link.send(.neighborSolicitation(mac: mac, to: router, from: sender, to: receiver, target: gateway))
        }
        for sender in ["fe80::5", pod.ipv6] {
            try link.send(.neighborAdvertisement(mac: mac, to: router, from: sender, to: "ff02::1", target: pod.ipv6))
        }
        for (sender, receiver) in [("0.0.0.0", "255.255.255.255"), (pod.ipv4, LabHost.gateways[0])] {
            try send(.udp(67, from: 68), from: sender, to: receiver)
        }
        for sender in ["fe80::5", pod.ipv6] { try send(.udp(547, from: 546), from: sender, to: "ff02::1") }
        // And what no pod may say.
        for sender in ["fe80::5", pod.ipv6] {
            for type: UInt8 in [134, 137] { try send(.icmpv6(type), from: sender, to: "ff02::1") }
            try send(.udp(546, from: 547), from: sender, to: "ff02::1")
        }
        try send(.udp(68, from: 67), from: pod.ipv4, to: LabHost.gateways[0])
        for family in Family.allCases {
            #expect(
                try Echo(in: pod.namespace, at: pod.address(family)).reaches(LabHost.gateways[family == .v4 ? 0 : 1], within: .seconds(10)))
        }
        let after = try counted(host)
        let came = after.mapValues { $0 }.merging(before) { $0 - $1 }
        #expect(came["router solicitation"] == 3 && came["listener report"].map { $0 >= 3 } == true, "\(came)")
        #expect(came["duplicate address detection"] == 1 && came["neighbor solicitation"].map { $0 >= 3 } == true, "\(came)")
        #expect(came["neighbor advertisement"].map { $0 >= 2 } == true, "\(came)")
        #expect(came["DHCPv4"] == 2 && came["DHCPv6"] == 2, "\(came)")
        #expect(came["router's messages"] == 0 && came["DHCPv4 server"] == 0 && came["DHCPv6 server"] == 0, "\(came)")
    }
}
