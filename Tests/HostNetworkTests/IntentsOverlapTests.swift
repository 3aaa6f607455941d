import Testing

@testable import HostNetwork

@Suite("Networks that share the host's routing") struct IntentsOverlapTests {
    private var host: SmallHost

    init() throws {
        host = try SmallHost()
        // 192.0.2.1/24 on eth0, an address alone, a wide route to nearly everywhere, and IPv6.
        host.intents.hostPlaces = HostPlaces([
            .init(try Prefix(parsing: "192.0.2.1"), at: "eth0", isOwn: true),
            .init(try Prefix(parsing: "192.0.2.0/24"), at: "eth0", isOwn: false),
            .init(try Prefix(parsing: "198.51.100.9"), at: "lo", isOwn: true),
            .init(try Prefix(parsing: "8.0.0.0/7"), at: "tun0", isOwn: false),
            .init(try Prefix(parsing: "2001:db8::/64"), at: "eth0", isOwn: false),
        ])
    }

    private func network(_ id: ID<Network>, _ cidrs: String..., isolated: Bool = false) throws -> Intent {
        let subnets = try cidrs.enumerated().map { Subnet(id: "\(id)-\($0)", cidr: try Prefix(parsing: $1)) }
        return .network(Network(id: id, isolated: isolated, subnets: subnets))
    }

    @Test("take nothing of each other's subnets, be it all, a part, or around one; an isolated one may")
    mutating func eachOther() throws {
        for cidr in ["10.1.0.0/24", "10.1.0.128/25", "10.1.0.7/32", "10.0.0.0/8"] {
            try host.refuse(network("new", "10.9.0.0/24", cidr), at: "subnets[1].cidr", "overlaps 10.1.0.0/24, subnet blue of network blue")
            var isolated = host
            try isolated.accept(network("new", "10.9.0.0/24", cidr, isolated: true))
        }
        try host.accept(network("new", "10.9.0.0/24", "10.1.1.0/24"))
        try host.refuse(network("green", "10.2.0.0/24", "10.9.0.0/25"), at: "subnets[1].cidr", "subnet new-0 of network new")
        // What was given up is free.
        try host.accept(network("new", "10.9.1.0/24"))
        try host.accept(network("green", "10.2.0.0/24", "10.9.0.0/25"))
    }

    @Test("that come from isolation are held to the same")
    mutating func joining() throws {
        try host.refuse(network("own", "10.1.0.0/24"), at: "subnets[0].cidr", "subnet blue of network blue")
        try host.accept(network("own", "10.3.0.0/24"))
        try host.refuse(network("new", "10.3.0.0/24"), at: "subnets[0].cidr", "network own")
    }

    @Test("take nothing of the host's own addresses, nor of the prefixes on its links, whoever pushes")
    mutating func hosts() throws {
        let cases = [
            ("192.0.2.0/24", "192.0.2.0/24, which is on the host's link eth0"), ("192.0.2.128/25", "192.0.2.0/24, which is on"),
            ("198.51.100.0/24", "198.51.100.9, the host's own (lo)"), ("2001:db8::/56", "2001:db8::/64, which is on"),
        ]
        for (cidr, reason) in cases {
            try host.refuse(network("new", "10.9.0.0/24", cidr), at: "subnets[1].cidr", "overlaps \(reason)")
            var isolated = host
            try isolated.accept(network("new", "10.9.0.0/24", cidr, isolated: true))
        }
        // A route to nearly everywhere is a way out, and no place of anybody's.
        try host.accept(network("new", "10.9.0.0/24", "192.0.3.0/24", "8.8.8.0/24", "2001:db8:0:1::/64"))
    }

    @Test("keep what is in force when the host gets an address inside of it later, may change beside it, and say so")
    mutating func later() throws {
        host.intents.hostPlaces = HostPlaces([.init(try Prefix(parsing: "10.1.0.5"), at: "eth1", isOwn: true)])
        #expect(
            host.intents.overlaps(of: "blue") == [
                "an end of the overlap of subnet blue (10.1.0.0/24) with 10.1.0.5, the host's own (eth1)"
            ])
        #expect(host.intents.overlaps(of: "own").isEmpty && host.intents.overlaps(of: "green").isEmpty)
        let blue = try #require(host.intents.networks["blue"])
        var more = blue
        more.subnets.append(Subnet(id: "more", cidr: try Prefix(parsing: "10.8.0.0/24")))
        try host.accept(.network(more))
        try host.accept(.pod(SmallHost.pod("p", addresses: "10.1.0.11")))
        host.intents.hostPlaces = HostPlaces()
        #expect(host.intents.overlaps(of: "blue").isEmpty)
    }

    @Test("that were in force with overlaps before those were refused stay, say so, and keep their pods' addresses apart")
    mutating func stored() throws {
        let cidr = try Prefix(parsing: "10.1.0.0/16")
        let wide = Network(id: "wide", subnets: [Subnet(id: "wide", cidr: cidr)])
        host.intents = Intents(restoring: host.intents.all + [.network(wide)])
        #expect(
            host.intents.overlaps(of: "wide") == [
                "an end of the overlap of subnet wide (10.1.0.0/16) with 10.1.0.0/24, subnet blue of network blue"
            ])
        try host.refuse(.pod(SmallHost.pod("p", in: "wide", addresses: "10.1.0.10")), at: "addresses[0]", "pod web-0 of network blue")
        try host.accept(.pod(SmallHost.pod("p", in: "wide", addresses: "10.1.7.10")))
    }

    @Test("can't be changed so that what their pods are allowed to send from leaves them, or becomes the gateway")
    mutating func pairs() throws {
        var pod = try SmallHost.pod("p", addresses: "10.1.0.11")
        pod.allowedAddressPairs = [AddressPair(address: try Prefix(parsing: "10.1.0.192/26"))]
        try host.accept(.pod(pod))
        let half = try Prefix(parsing: "10.1.0.0/25")
        host.refuse(
            .network(Network(id: "blue", subnets: [Subnet(id: "blue", cidr: half)])), at: "subnets", "pod p has this allowed address pair")
        let whole = try Prefix(parsing: "10.1.0.0/24")
        host.refuse(
            .network(Network(id: "blue", subnets: [Subnet(id: "blue", cidr: whole, gateway: .v4(0x0a01_00c8))])), at: "subnets",
            "pod p has this allowed address pair")
        // What was outside before, by the word of somebody who may, hinders nobody.
        pod.allowedAddressPairs = [AddressPair(address: .everything(.v4))]
        try host.accept(.pod(pod))
        try host.accept(.network(Network(id: "blue", subnets: [Subnet(id: "blue", cidr: half)])))
    }

    @Test("have neighbors inside of their subnets only, whichever comes first: no host route leads anywhere else")
    mutating func neighbors() throws {
        let far = Neighbor(id: "far", network: "blue", addresses: [.v4(0x0808_0808)], host: .v4(0xc000_0207))
        host.refuse(.neighbor(far), at: "addresses[0]", "outside of network blue")
        var early = far
        early.network = "new"
        try host.accept(.neighbor(early))
        guard case .accepted(_, _, let refused) = try host.intents.upsert(network("new", "10.9.0.0/24")) else {
            throw SmallHost.Unexpected()
        }
        #expect(refused.map(\.intent) == [far.id.intent] && host.intents.neighbors.isEmpty)
        try host.accept(.neighbor(Neighbor(id: "far", network: "new", addresses: [.v4(0x0a09_0007)], host: .v4(0xc000_0207))))
    }
}

@Suite("Pods whose ids are different", .serialized) struct IntentsLinkNameTests {
    @Test("and whose interfaces on the host would have one name aren't both there: neither takes the other's place")
    mutating func collision() throws {
        // Found by trying 2^27 ids.
        let (first, second): (ID<Pod>, ID<Pod>) = ("red/pgj75vt2wq7", "blue/q52atdoog6v")
        #expect(LinkName(of: first) == LinkName(of: second))
        var host = try SmallHost()
        try host.accept(.pod(SmallHost.pod(first, in: "green", addresses: "10.2.0.9")))
        try host.refuse(.pod(SmallHost.pod(second, addresses: "10.1.0.11")), at: "id", "as that of pod red/pgj75vt2wq7 is")
        try host.accept(.pod(SmallHost.pod("blue/other", addresses: "10.1.0.11")))
        _ = try host.intents.remove(first.intent)
        try host.accept(.pod(SmallHost.pod(second, addresses: "10.1.0.12")))
    }
}

@Suite("A group's name") struct IntentsForeignBindingTests {
    @Test("in a pod of a network that it doesn't serve holds up nothing: not its deletion, not its change")
    mutating func foreign() throws {
        var host = try SmallHost()
        try host.accept(.pod(SmallHost.pod("p", in: "green", addresses: "10.2.0.9", groups: ["any", "later"])))
        try host.accept(.securityGroup(SecurityGroup(id: "later", network: "blue")))
        try host.accept(.securityGroup(SecurityGroup(id: "later", network: "blue", stateful: false)))
        try host.accept(.pod(SmallHost.pod("web-0", addresses: "10.1.0.10", groups: ["later"])))
        let later = IntentID(.securityGroup, "later")
        #expect(try host.intents.remove(later) == .deferred(boundBy: [IntentID(.pod, "web-0")]))
        #expect(try host.accept(.pod(SmallHost.pod("web-0", addresses: "10.1.0.10"))) == [later])
        // It can't come to serve a pod that has groups of the other kind either.
        try host.accept(.securityGroup(SecurityGroup(id: "later", network: "blue", stateful: false)))
        host.refuse(.securityGroup(SecurityGroup(id: "later", network: "green", stateful: false)), at: "stateful", "pod p")
        try host.accept(.securityGroup(SecurityGroup(id: "later", network: "green")))
    }
}
