import HostNetwork
import Testing

/// This kernel has neither flowtables nor IPVS: what their listings come to is shown here, and not what the
/// kernel then does with packets.
@Suite("A check") struct CheckTests {
    private static let place = Strangers.Place(family: "inet", table: "fw", chain: "forward", handle: 7)
    private static let subnets = [
        Prefix(.v4(0x0a01_0000), length: 24), Prefix(.v6(0xfd00_0001 << 96), length: 64),
    ].compactMap(\.self)

    private func strangers(_ body: (inout Strangers) -> Void = { _ in }) -> Neighborhood {
        var strangers = Strangers()
        body(&strangers)
        return [(.host, Strangers()), (.network("red"), strangers)]
    }

    @Test("finds nothing where there is nothing of others, and says nothing then")
    func sound() {
        let nobody = strangers()
        for check in [
            Check.marks(nobody, .standard), .flowtables(nobody), .ipvs(nobody, .allow, pods: Self.subnets),
        ] {
            #expect(check.status == .ok && check.found.isEmpty && check.remedy == nil, "\(check)")
        }
    }

    @Test("of marks names each rule that changes Hawser's bits, and tells which of them")
    func marks() throws {
        let check = Check.marks(
            strangers { $0.markers.add(.init(Self.place, changes: 0x00ff_00ff)) }, .standard)
        #expect(check.status == .fault && check.found.count == 1)
        let place = "table inet fw, chain forward, handle 7 in the routing domain of network red"
        #expect(check.found.first?.hasPrefix(place + " changes 0x00ff0000 of") == true)
        #expect(try #require(check.remedy).contains("ct mark and 0xffff0000"))
    }

    @Test("of flowtables is a fault where a rule adds flows, and a warning where none is seen to")
    func flowtables() {
        let table = Strangers.Flowtable(family: "inet", table: "fw", name: "fast", devices: ["eth0", "eth1"])
        let idle = Check.flowtables(strangers { $0.flowtables.add(table) })
        #expect(idle.status == .warning && idle.found.first?.contains("flowtable fast on eth0, eth1") == true)
        let used = Check.flowtables(
            strangers {
                $0.flowtables.add(table)
                $0.offloaders.add(.init(Self.place, to: "fast"))
            })
        #expect(used.status == .fault && used.found.count == 2 && used.found.first?.contains("handle 7") == true)
    }

    @Test("says how many more there are than it names, and that not all was read")
    func bounds() {
        let many = strangers { strangers in
            for _ in 0..<500 { strangers.markers.add(.init(Self.place, changes: .max)) }
            strangers.unread = "there are too many rules"
        }
        let check = Check.marks(many, .standard)
        #expect(check.found.count == 22 && check.found.contains { $0.hasPrefix("and 480 more rules") })
        #expect(check.found.last?.contains("too many rules") == true)
        let unread = Check.marks(strangers { $0.unread = "there are too many rules" }, .standard)
        #expect(unread.status == .warning && unread.found.count == 1)
        #expect(unread.remedy == "look at the rest with `nft list ruleset`")
    }

    /// As `ip_vs_info_seq_show` of net/netfilter/ipvs/ip_vs_ctl.c writes it.
    private static let listing = """
        IP Virtual Server version 1.2.1 (size=4096)
        Prot LocalAddress:Port Scheduler Flags
          -> RemoteAddress:Port Forward Weight ActiveConn InActConn
        TCP  0A600001:01BB rr 
          -> 0A01000A:1A0A      Masq    1      0          0         
          -> C0A80002:1A0A      Masq    1      0          0         
        UDP  0A60000A:0035 wlc ops persistent 10800 FFFFFFFF
        FWM  00000001 rr 
        TCP  [fd00:0060:0000:0000:0000:0000:0000:0001]:0050 rr 
          -> [fd00:0001:0000:0000:0000:0000:0000:000a]:0050      Masq    1      0          0         

        """

    @Test("of IPVS reads its services and whom they are handed on to, of both families")
    func services() throws {
        let services = VirtualServices(listing: Self.listing)
        #expect(services.count == 4 && services.unknown == 0)
        #expect(
            try services.servers
                == Set(["10.1.0.10", "192.168.0.2", "fd00:1::a"].map { try IPAddress(parsing: $0) }))
        for text in [
            "", "IP Virtual Server", "a\nb\nc\n->\n-> x y\n->  0A01000:1 a\n\n",
            "a\nb\nc\n  -> [fd00::zz]:1 Masq",
        ] {
            #expect(VirtualServices(listing: text).servers.isEmpty, "\(text)")
        }
    }

    @Test("of IPVS is a fault where a service leads to a subnet and the host's own way isn't judged")
    func ipvs() {
        let near = strangers { $0.services = VirtualServices(listing: Self.listing) }
        let check = Check.ipvs(near, .allow, pods: Self.subnets)
        #expect(check.status == .fault && check.found.first?.contains("10.1.0.10 and 1 more") == true)
        #expect(check.remedy?.contains("host.toPods") == true)
        #expect(Check.ipvs(near, .rules, pods: Self.subnets).status == .ok)
        let far = Check.ipvs(near, .allow, pods: [])
        #expect(far.status == .warning && far.found.first?.contains("4 services") == true)
        let none = strangers {
            $0.services = VirtualServices(
                listing: Self.listing.split(separator: "\n").prefix(3).joined(separator: "\n"))
        }
        #expect(Check.ipvs(none, .allow, pods: Self.subnets).status == .ok)
    }
}
