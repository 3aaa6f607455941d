import HostNetwork
import Lab
import OwnThreads
import Testing

@Suite("What a pod says about who is where", .ownThreads) struct PolicyNeighborTests {
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

    @Test("is heard of a pair by the pair's own MAC, where it has one, in ARP and in neighbor discovery")
    func pairWithMAC() async throws {
        let (host, pods) = try await world()
        let virtual = "00:00:5e:00:01:05"
        try await host.apply {
            try $0.put(
                pods[0].intent {
                    $0.allowedAddressPairs = ["10.1.0.200", "fd00:1::200"].map {
                        AddressPair(address: Prefix($0), mac: MAC(0x0000_5e00_0105))
                    }
                })
        }
        let link = try RawLink(in: pods[0].namespace, interface: "eth0")
        let own = pods[0].mac.description
        func isAnswered(_ frame: Frame, passes: Bool) throws -> Bool {
            try link.send(frame)
            return link.receive(within: passes ? .seconds(10) : .milliseconds(60)) { answer in
                answer.type == 0x0806 && answer.payload[7] == 2
                    || answer.type == 0x86dd && answer.payload.count > 40 && answer.payload[40] == 136
            } != nil
        }
        let router = Marks.hostMAC.description
        for (mac, isPair) in [(virtual, true), (own, false)] {
            for (address, passes) in [("10.1.0.200", isPair), (pods[0].ipv4, !isPair)] {
                let question = try Frame.arp(1, mac: mac, to: Frame.broadcast, sender: address, target: LabHost.gateways[0])
                #expect(try isAnswered(question, passes: passes) == passes, "\(address) at \(mac)")
            }
            for (address, passes) in [("fd00:1::200", isPair), (pods[0].ipv6, !isPair)] {
                let question = try Frame.neighborSolicitation(
                    mac: mac, to: router, from: address, to: LabHost.gateways[1], target: LabHost.gateways[1])
                #expect(try isAnswered(question, passes: passes) == passes, "\(address) at \(mac)")
            }
        }
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

    @Test("reaches no other pod, whatever it says, and whatever the rules allow")
    func others() async throws {
        let (host, pods) = try await world()
        try await host.apply {
            try $0.put("open", .in("in"), .out("out"))
            for pod in pods { try $0.put(pod.intent(["open"])) }
        }
        let (own, target) = (pods[0].mac.description, pods[1])
        func known() throws -> [String] {
            try ["-4", "-6"].flatMap { family in
                try [target.namespace.run("ip", family, "neigh"), target.namespace.run("ip", family, "route")]
            }
        }
        let before = try known()
        let link = try RawLink(in: pods[0].namespace, interface: "eth0")
        let far = try RawLink(in: target.namespace, interface: "eth0")
        let gateway = LabHost.gateways[1]
        for mac in [Marks.hostMAC.description, target.mac.description, Frame.broadcast, "33:33:00:00:00:01"] {
            for receiver in [target.ipv6, "ff02::1"] {
                for sender in [pods[0].ipv6, gateway, "fe80::5"] {
                    try link.send(.neighborAdvertisement(mac: own, to: mac, from: sender, to: receiver, target: gateway))
                    try link.send(.neighborSolicitation(mac: own, to: mac, from: sender, to: receiver, target: target.ipv6))
                    for type: UInt8 in [134, 137] {
                        try link.send(.of(.icmpv6(type), carrying: "route", mac: own, to: mac, from: sender, to: receiver))
                    }
                }
            }
            for operation: UInt16 in [1, 2] {
                try link.send(.arp(operation, mac: own, to: mac, sender: LabHost.gateways[0], target: target.ipv4))
                try link.send(.arp(operation, mac: own, to: mac, sender: pods[0].ipv4, target: target.ipv4))
            }
            try link.send(.of(.icmp(5, code: 1), carrying: "route", mac: own, to: mac, from: pods[0].ipv4, to: target.ipv4))
        }
        // What was sent before this has come, if it ever will.
        try link.send(.of(.udp(53), carrying: "the last", mac: own, to: Marks.hostMAC.description, from: pods[0].ipv4, to: target.ipv4))
        var arrived: [Frame] = []
        while let frame = far.receive(within: .seconds(10)), !frame.contains("the last") { arrived.append(frame) }
        // The host itself says to each of its links which multicast groups it listens to, whenever it likes.
        arrived.removeAll(where: \.isListenerReport)
        // Forwarded, neighbor discovery has lost its hop limit of 255, without which nobody minds it (RFC 4861, section 7.1).
        #expect(arrived.allSatisfy { $0.type == 0x86dd && $0.payload[7] < 255 && [135, 136].contains($0.payload[40]) })
        #expect(try known() == before)
        #expect(try Echo(in: target.namespace, at: target.ipv6).reaches(gateway, within: .seconds(10)))
        #expect(try Echo(in: target.namespace, at: target.ipv4).reaches(LabHost.gateways[0], within: .seconds(10)))
    }
}
