import HostNetwork
import Lab
import Testing

@Suite("What a pod says about who is where") struct PolicyNeighborTests {
    private let other = "02:00:0a:01:00:63"

    private func world() async throws -> (host: LabHost, pods: [LabPod]) {
        let host = try LabHost()
        let pods = try await host.pods("a", "b")
        try await host.apply {
            try $0.put(
                pods[0].intent { $0.allowedAddressPairs = ["10.1.0.200", "10.1.0.208/30"].map { AddressPair(address: Prefix($0)) } })
        }
        return (host, pods)
    }

    /// The host's neighbors as `ip` has them: who is where, and how that is known.
    private func neighbors(of host: LabHost) throws -> Set<String> {
        Set(
            try host.host.json("ip", "-j", "neigh", "show").map { entry in
                ["dst", "dev", "lladdr"].map { entry[$0] as? String ?? "" }.joined(separator: " ")
                    + " " + (entry["state"] as? [String] ?? []).joined(separator: " ")
            })
    }

    @Test("is heard by ARP when it is true, for its own addresses and its address pairs, and otherwise neither answered nor remembered")
    func arp() async throws {
        let (host, pods) = try await world()
        let link = try RawLink(in: pods[0].namespace, interface: "eth0")
        let own = pods[0].mac.description
        /// Whether a question for the gateway is answered.
        func asks(mac: String, claiming sender: String, at senderMAC: String, passes: Bool) throws -> Bool {
            try link.send(.arp(1, mac: mac, to: Frame.broadcast, sender: sender, senderMAC: senderMAC, target: "10.1.0.1"))
            let answer = link.receive(within: passes ? .seconds(2) : .milliseconds(60)) { $0.type == 0x0806 && $0.payload[7] == 2 }
            return answer.map { Array($0.payload[8..<18]) } == Marks.hostMAC.bytes + [10, 1, 0, 1]
        }
        for sender in [pods[0].ipv4, "0.0.0.0", "10.1.0.200", "10.1.0.210"] {
            #expect(try asks(mac: own, claiming: sender, at: own, passes: true), "\(sender)")
        }
        try host.observe()
        let before = try neighbors(of: host)
        for (sender, mac) in [
            (pods[1].ipv4, own), ("10.1.0.99", own), ("10.1.0.1", own), (pods[0].ipv4, other), ("10.1.0.201", own), ("0.0.0.0", other),
            ("10.1.0.212", own), (pods[1].ipv4, pods[1].mac.description),
        ] {
            #expect(try !asks(mac: own, claiming: sender, at: mac, passes: false), "\(sender) at \(mac)")
            // Unasked, as an answer, and to oneself: the ways in which caches are poisoned.
            for target in ["10.1.0.1", sender] {
                for operation: UInt16 in [1, 2] {
                    try link.send(.arp(operation, mac: own, to: Marks.hostMAC.description, sender: sender, senderMAC: mac, target: target))
                }
            }
        }
        #expect(try asks(mac: own, claiming: pods[0].ipv4, at: own, passes: true))
        #expect(try neighbors(of: host) == before)
        try expect(.from(pods[0], to: pods[1], pass: [.udp(53)]), .from(pods[1], to: pods[0], pass: [.udp(53)]))
    }

    @Test("changes nothing by neighbor advertisements, of its own addresses or others'")
    func advertisements() async throws {
        let (host, pods) = try await world()
        let link = try RawLink(in: pods[0].namespace, interface: "eth0")
        let before = try neighbors(of: host)
        let gateway = LabHost.gateways[1]
        for (sender, target, mac) in [
            (pods[0].ipv6, pods[1].ipv6, pods[0].mac.description), (pods[1].ipv6, pods[1].ipv6, pods[0].mac.description),
            (pods[0].ipv6, pods[0].ipv6, other), (pods[0].ipv6, gateway, pods[0].mac.description), (gateway, gateway, other),
            ("fe80::5", pods[1].ipv6, pods[0].mac.description), ("2001:db8:ff::2", "2001:db8:ff::2", pods[0].mac.description),
        ] {
            for receiver in [gateway, "ff02::1"] {
                try link.send(.neighborAdvertisement(mac: mac, to: Marks.hostMAC.description, from: sender, to: receiver, target: target))
            }
        }
        #expect(try Echo(in: pods[0].namespace, at: pods[0].ipv6).reaches(gateway, within: .seconds(2)))
        #expect(try neighbors(of: host) == before)
        try expect(.from(pods[0], to: pods[1], [.v6], pass: [.udp(53)]), .from(pods[1], to: pods[0], [.v6], pass: [.udp(53)]))
    }

    @Test("is answered when it asks for the gateway as itself or as nobody yet, and otherwise neither answered nor remembered")
    func solicitations() async throws {
        let (host, pods) = try await world()
        let link = try RawLink(in: pods[0].namespace, interface: "eth0")
        let (own, gateway) = (pods[0].mac.description, LabHost.gateways[1])
        func asks(mac: String, from sender: String, to receiver: String, passes: Bool) throws -> Bool {
            try link.send(.neighborSolicitation(mac: mac, to: Marks.hostMAC.description, from: sender, to: receiver, target: gateway))
            let target = try Frame.neighborSolicitation(mac: mac, to: mac, from: gateway, to: gateway, target: gateway).payload[48..<64]
            return link.receive(within: passes ? .seconds(2) : .milliseconds(60)) {
                $0.type == 0x86dd && $0.payload.count >= 64 && $0.payload[40] == 136 && $0.payload[48..<64] == target
            } != nil
        }
        #expect(try asks(mac: own, from: pods[0].ipv6, to: gateway, passes: true))
        #expect(try asks(mac: own, from: "fe80::5", to: gateway, passes: true))
        #expect(try asks(mac: own, from: "::", to: "ff02::1:ff00:1", passes: true))
        let before = try neighbors(of: host)
        for (sender, mac) in [
            (pods[1].ipv6, own), ("fd00:1::99", own), ("2001:db8::99", own), (pods[0].ipv6, other), ("fe80::6", other), ("::", other),
            (pods[1].ipv6, pods[1].mac.description),
        ] {
            for receiver in [gateway, "ff02::1:ff00:1"] {
                #expect(try !asks(mac: mac, from: sender, to: receiver, passes: false), "\(sender) at \(mac) to \(receiver)")
            }
        }
        #expect(try neighbors(of: host) == before)
    }
}
