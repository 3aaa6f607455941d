import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("On the underlay", .ownThreads) struct FabricWireTests {
    private struct World {
        var lab: FabricLab
        var web: FabricPod
        var db: FabricPod
    }

    private func world(_ way: FabricLab.Way) throws -> World {
        let lab = try FabricLab(way)
        let hosts = try (1...2).map { try lab.host($0) }
        for host in hosts { try host.apply { try $0.put("open", .in("all"), .out("all")) } }
        let world = World(lab: lab, web: try hosts[0].pod("web", 10, ["open"]), db: try hosts[1].pod("db", 20, ["open"]))
        try hosts[0].apply { try $0.put(world.db.neighbor()) }
        try hosts[1].apply { try $0.put(world.web.neighbor()) }
        return world
    }

    /// Where VXLAN's header begins in a frame, if there is one.
    private func header(of frame: Frame, _ family: Family) -> Int? {
        let ip = family == .v4 ? 20 : 40
        guard frame.type == (family == .v4 ? 0x0800 : 0x86dd), frame.bytes.count > 14 + ip + 16 else { return nil }
        let next = frame.bytes[family == .v4 ? 23 : 20]
        let port = frame.bytes[(14 + ip + 2)..<(14 + ip + 4)]
        return next == 17 && Array(port) == [0x12, 0xb5] ? 14 + ip + 8 : nil
    }

    /// What one host sends while a pod of its speaks to another host's.
    private func captured(_ world: World, _ family: Family) throws -> Frame {
        let wire = try RawLink(in: world.lab.underlay, interface: "port1")
        let sender = try UDP(in: world.web.namespace, at: world.web.address(family))
        let receiver = try UDP(in: world.db.namespace, at: world.db.address(family), port: 7000)
        let mark = "mark \(UInt64.random(in: .min ... .max))"
        try sender.send(mark, to: world.db.address(family), port: 7000)
        #expect(receiver.receive(within: .seconds(5))?.text == mark)
        return try #require(wire.receive(within: .seconds(2)) { $0.contains(mark) })
    }

    /// What the first host would send if its pod said this.
    private func replaced(to address: String, port: UInt16, _ text: String, _ world: World, _ family: Family) throws -> Frame {
        let underlay = world.lab.way.underlay
        var frame = try captured(world, family)
        let start = try #require(header(of: frame, underlay)) + 8
        let macs = [1, 2].map { MAC(ofHost: FabricHost.address($0, underlay)).description }
        let inner = try Frame.udp(
            mac: macs[0], to: macs[1], from: world.web.address(family), port: 40000, to: address, port: port, text)
        frame.bytes.replaceSubrange(start..., with: inner.bytes)
        frame.fixHeaders(underlay)
        return frame
    }

    @Test("a network's packets are in its own identifier, between its hosts' addresses and MACs", arguments: FabricLab.Way.tunnels)
    func identifier(way: FabricLab.Way) throws {
        let world = try world(way)
        for family in way.families {
            let frame = try captured(world, family)
            let start = try #require(header(of: frame, way.underlay), "\(family) isn't encapsulated")
            // Flags, and the identifier in three bytes (RFC 7348, section 5).
            #expect(Array(frame.bytes[start..<(start + 8)]) == [8, 0, 0, 0, 0, 0x10, 0x92, 0])
            let inner = Frame(bytes: Array(frame.bytes[(start + 8)...]))
            let macs = [2, 1].map { MAC(ofHost: FabricHost.address($0, way.underlay)) }
            #expect(Array(inner.bytes[..<12]) == macs.flatMap(\.bytes))
        }
    }

    @Test("nobody is a router to a host by sending into its tunnels", arguments: FabricLab.Way.tunnels)
    func advertisements(way: FabricLab.Way) throws {
        let lab = try FabricLab(way)
        let host = try lab.host(1)
        let setting = { (name: String) in Setting("ipv6/conf/\(name)/accept_ra") }
        try host.domain.inside { try setting("default").write("2") }
        try host.apply { try $0.put("open", .in("all"), .out("all")) }
        _ = try host.pod("web", 10, ["open"])
        #expect(try host.domain.inside { try setting("hx4242").read() } == "0")
    }

    @Test("nothing of an isolated network is seen but that, whatever its pods send", arguments: FabricLab.Way.tunnels.filter(\.isolated))
    func nothingElse(way: FabricLab.Way) throws {
        let world = try world(way)
        let wire = try RawLink(in: world.lab.underlay, interface: "port1")
        let text = "told to anybody"
        for family in way.families {
            let sender = try UDP(in: world.web.namespace, at: world.web.address(family))
            let hosts = [1, 2, 9].map { FabricHost.address($0, family).description }
            let strangers = family == .v4 ? ["10.1.0.77", "198.51.100.1", "10.1.0.1"] : ["fd00:1::77", "2001:db8:1::1", "fd00:1::1"]
            for address in hosts + strangers { try sender.send(text, to: address, port: 4789) }
            // What isn't to be seen has passed before this is.
            try sender.send("the last", to: world.db.address(family), port: 7000)
            var seen: [Frame] = []
            _ = wire.receive(within: .seconds(5)) { frame in
                seen.append(frame)
                return frame.contains("the last")
            }
            #expect(seen.contains { $0.contains("the last") }, "\(family)")
            #expect(!seen.contains { $0.contains(text) }, "\(family)")
        }
    }

    @Test("what comes as it is, in no tunnel, reaches no pod of an isolated network", arguments: FabricLab.Way.tunnels.filter(\.isolated))
    func plain(way: FabricLab.Way) throws {
        let world = try world(way)
        for family in way.families {
            let (address, host) = (world.db.address(family), FabricHost.address(2, family).description)
            // As if the other host led there.
            try world.web.host.outside.run("ip", family == .v4 ? "-4" : "-6", "route", "add", address, "via", host, "dev", "uplink")
            let receiver = try UDP(in: world.db.namespace, at: address, port: 7000)
            let sender = try UDP(in: world.web.host.outside, at: FabricHost.address(1, family).description)
            let pod = try UDP(in: world.web.namespace, at: world.web.address(family))
            #expect(try pod.reaches(receiver, at: address, within: .seconds(5)), "\(family) in the tunnel")
            let arrives = (try? sender.reaches(receiver, at: address, within: .milliseconds(80))) ?? false
            #expect(!arrives, "\(family)")
            #expect(try pod.reaches(receiver, at: address, within: .seconds(5)), "\(family) in the tunnel")
        }
    }

    @Test("another identifier gets nowhere", arguments: FabricLab.Way.tunnels)
    func foreign(way: FabricLab.Way) throws {
        let world = try world(way)
        let injector = try RawLink(in: world.web.host.outside, interface: "uplink")
        for family in way.families {
            let receiver = try UDP(in: world.db.namespace, at: world.db.address(family), port: 7000)
            func arrives(_ text: String, in identifier: UInt8, within time: Duration) throws -> Bool {
                var frame = try replaced(to: world.db.address(family), port: 7000, text, world, family)
                frame.bytes[try #require(header(of: frame, way.underlay)) + 6] = identifier
                frame.fixHeaders(way.underlay)
                try injector.send(frame)
                return receiver.receive(within: time)?.text == text
            }
            #expect(try arrives("its own", in: 0x92, within: .seconds(5)), "\(family)")
            #expect(try !arrives("another's", in: 0x93, within: .milliseconds(80)), "\(family)")
        }
    }

    @Test("what comes in a tunnel is for pods: it goes to no third host, nor to the host itself", arguments: FabricLab.Way.tunnels)
    func transit(way: FabricLab.Way) throws {
        let world = try world(way)
        // The first host believes that a pod is on the second, which knows that it is on a third.
        let third = try world.lab.host(3)
        try third.apply { try $0.put("open", .in("all"), .out("all")) }
        let there = try third.pod("ghost", 30, ["open"])
        try world.db.host.apply { try $0.put(there.neighbor()) }
        try third.apply { try $0.put(world.web.neighbor()) }
        try world.web.host.apply { try $0.put(there.neighbor(on: world.db.host)) }
        for family in way.families {
            let sender = try UDP(in: world.web.namespace, at: world.web.address(family))
            let ends = try UDP(in: there.namespace, at: there.address(family), port: 7000)
            #expect(try !sender.reaches(ends, at: there.address(family), within: .milliseconds(80)), "\(family) by way of the second")
        }
        try world.web.host.apply { try $0.put(there.neighbor()) }
        try expect(world.web, to: there, passes: true)

        // To a gateway's address, which every host has: the second host's own.
        for family in way.families {
            let gateway = LabHost.gateways[family == .v4 ? 0 : 1]
            let frame = try replaced(to: gateway, port: 7001, "to the host", world, family)
            let listener = try UDP(in: world.db.host.domain, at: gateway, port: 7001)
            // A pod is let in by a setting, not by this; a packet of the host's own passes.
            #expect(try UDP(in: world.db.host.domain, at: gateway).reaches(listener, at: gateway, within: .seconds(5)))
            try RawLink(in: world.web.host.outside, interface: "uplink").send(frame)
            #expect(listener.receive(within: .milliseconds(80)) == nil, "\(family): to the host")
        }
    }
}

extension Frame {
    /// Sets the lengths and checksums of the outer headers, IP's and UDP's, to what they hold.
    fileprivate mutating func fixHeaders(_ family: Family) {
        let ip = family == .v4 ? 20 : 40
        let udp = 14 + ip
        let length = bytes.count - udp
        bytes.replaceSubrange((udp + 4)..<(udp + 6), with: UInt16(length).bigEndianBytes)
        bytes.replaceSubrange((udp + 6)..<(udp + 8), with: [0, 0])
        if family == .v4 {
            bytes.replaceSubrange(16..<18, with: UInt16(bytes.count - 14).bigEndianBytes)
            bytes.replaceSubrange(24..<26, with: [0, 0])
            bytes.replaceSubrange(24..<26, with: Checksum.of(Array(bytes[14..<34])).bigEndianBytes)
        } else {
            bytes.replaceSubrange(18..<20, with: UInt16(length).bigEndianBytes)
            let pseudo = Array(bytes[22..<54]) + UInt32(length).bigEndianBytes + [0, 0, 0, 17]
            let sum = Checksum.of(pseudo + Array(bytes[udp...]))
            bytes.replaceSubrange((udp + 6)..<(udp + 8), with: (sum == 0 ? 0xffff : sum).bigEndianBytes)
        }
    }
}
