import HostNetwork
import Testing

/// A small host: two networks that share addresses, one that doesn't, and a pod in each.
struct SmallHost {
    var intents = Intents()

    init() throws {
        for name in ["blue", "green", "own"] {
            let cidr = try Prefix(parsing: name == "green" ? "10.2.0.0/24" : "10.1.0.0/24")
            let subnet = Subnet(id: name, cidr: cidr, gateway: cidr.first.successor)
            try accept(.network(Network(id: ID(name), isolated: name == "own", subnets: [subnet])))
        }
        try accept(.securityGroup(SecurityGroup(id: "web", network: "blue")))
        try accept(.securityGroup(SecurityGroup(id: "any")))
        try accept(.securityGroup(SecurityGroup(id: "plain", stateful: false)))
        try accept(.pod(Self.pod("web-0", addresses: "10.1.0.10")))
    }

    static func pod(
        _ id: ID<Pod>, in network: ID<Network> = "blue", addresses: String..., groups: [ID<SecurityGroup>] = [], namespace: String? = nil
    ) throws -> Pod {
        Pod(
            id: id, network: network, namespace: namespace, addresses: try addresses.map { try IPAddress(parsing: $0) },
            securityGroups: groups)
    }

    /// Takes `intent` in, which has to be new or other than before, and returns what left with it.
    @discardableResult
    mutating func accept(_ intent: Intent) throws -> [IntentID] {
        let before = intents[intent.id]
        guard case .accepted(let previous, let left, let refused) = try intents.upsert(intent) else { throw Unexpected() }
        #expect(previous == before && refused.isEmpty)
        return left
    }

    /// Refuses `intent` with a reason that contains `reason`, and stays as it is.
    mutating func refuse(_ intent: Intent, at field: String, _ reason: String, location: SourceLocation = #_sourceLocation) {
        let before = intents
        do throws(Rejected) {
            let disposition = try intents.upsert(intent)
            Issue.record("\(disposition)", sourceLocation: location)
        } catch {
            #expect(error.intent == intent.id && error.field == field, "\(error)", sourceLocation: location)
            #expect(error.reason.contains(reason), "\(error)", sourceLocation: location)
        }
        #expect(intents == before, sourceLocation: location)
    }

    /// Refuses to remove `id`, and stays as it is.
    mutating func keep(_ id: IntentID, _ reason: String, location: SourceLocation = #_sourceLocation) {
        let before = intents
        do throws(Rejected) {
            let removal = try intents.remove(id)
            Issue.record("\(removal)", sourceLocation: location)
        } catch {
            #expect(error.intent == id && error.reason.contains(reason), "\(error)", sourceLocation: location)
        }
        #expect(intents == before, sourceLocation: location)
    }

    struct Unexpected: Error {}
}

@Suite("A pod") struct IntentsPodTests {
    var host: SmallHost

    init() throws { host = try SmallHost() }

    @Test("is refused when its address has no place in its network")
    mutating func addresses() throws {
        try host.refuse(.pod(SmallHost.pod("p", addresses: "10.1.0.11", "10.2.0.11")), at: "addresses[1]", "outside of network blue")
        try host.refuse(.pod(SmallHost.pod("p", addresses: "fd00::1")), at: "addresses[0]", "no IPv6 subnet")
        try host.refuse(.pod(SmallHost.pod("p", addresses: "10.1.0.1")), at: "addresses[0]", "gateway of subnet blue")
        try host.refuse(.pod(SmallHost.pod("p", addresses: "10.1.0.0")), at: "addresses[0]", "network address")
        try host.refuse(.pod(SmallHost.pod("p", addresses: "10.1.0.255")), at: "addresses[0]", "broadcast address")
        try host.accept(.pod(SmallHost.pod("p", addresses: "10.1.0.254")))
    }

    @Test("is refused an address that another pod has, in its network or in any that shares its addresses")
    mutating func takenAddress() throws {
        try host.refuse(.pod(SmallHost.pod("p", addresses: "10.1.0.10")), at: "addresses[0]", "pod web-0 of network blue")
        // As it was stored before overlaps were refused.
        let wide = Network(id: "wide", subnets: [Subnet(id: "wide", cidr: try Prefix(parsing: "10.0.0.0/8"))])
        host.intents = Intents(restoring: host.intents.all + [.network(wide)])
        try host.refuse(.pod(SmallHost.pod("p", in: "wide", addresses: "10.1.0.10")), at: "addresses[0]", "pod web-0 of network blue")
        try host.accept(.pod(SmallHost.pod("p", in: "own", addresses: "10.1.0.10")))
        #expect(host.intents.pod(at: .v4(0x0a01_000a), in: "own")?.id == "p")
        #expect(host.intents.pod(at: .v4(0x0a01_000a), in: "blue")?.id == "web-0")
        #expect(host.intents.pod(at: .v4(0x0a01_000a), in: "green") == nil)
    }

    @Test("gets an address as soon as another pod gave it up")
    mutating func freedAddress() throws {
        _ = try host.intents.remove(IntentID(.pod, "web-0"))
        try host.accept(.pod(SmallHost.pod("p", addresses: "10.1.0.10")))
    }

    @Test("is refused a group of another network, but may wait for one that isn't known")
    mutating func groups() throws {
        try host.refuse(
            .pod(SmallHost.pod("p", in: "green", addresses: "10.2.0.9", groups: ["any", "web"])), at: "securityGroups[1]", "network blue")
        try host.refuse(
            .pod(SmallHost.pod("p", in: "green", addresses: "10.2.0.9", groups: ["blue/default"])), at: "securityGroups[0]", "network blue")
        try host.accept(.pod(SmallHost.pod("p", in: "green", addresses: "10.2.0.9", groups: ["any", "later"])))
        #expect(host.intents.unmet(for: "p") == [IntentID(.securityGroup, "later")])
        try host.accept(.securityGroup(SecurityGroup(id: "later", network: "green")))
        #expect(host.intents.unmet(for: "p").isEmpty)
        #expect(
            host.intents.groups(of: try SmallHost.pod("p", in: "green", addresses: "10.2.0.9", groups: ["later", "any"])).map(\.id) == [
                "later", "any",
            ])
    }

    @Test("goes on waiting for a group that turns out to belong to another network, which hurts nobody else")
    mutating func foreignGroup() throws {
        let pod = try SmallHost.pod("p", in: "green", addresses: "10.2.0.9", groups: ["any", "later"])
        try host.accept(.pod(pod))
        try host.accept(.securityGroup(SecurityGroup(id: "later", network: "blue")))
        #expect(host.intents.unmet(for: "p") == [IntentID(.securityGroup, "later")])
        #expect(host.intents.groups(of: pod).map(\.id) == ["any"])
        #expect(host.intents.pods(in: "later", of: "green").isEmpty)
    }

    @Test("is refused stateful and stateless groups together")
    mutating func mixed() throws {
        try host.refuse(.pod(SmallHost.pod("p", addresses: "10.1.0.11", groups: ["web", "plain"])), at: "securityGroups[1]", "don't mix")
        try host.refuse(
            .pod(SmallHost.pod("p", addresses: "10.1.0.11", groups: ["plain", "blue/default"])), at: "securityGroups[1]", "don't mix")
        try host.accept(.pod(SmallHost.pod("p", addresses: "10.1.0.11", groups: ["plain"])))
    }

    @Test("is refused an interface that another pod has in the same namespace")
    mutating func plug() throws {
        try host.accept(.pod(SmallHost.pod("p", addresses: "10.1.0.11", namespace: "/run/netns/a")))
        try host.refuse(.pod(SmallHost.pod("q", addresses: "10.1.0.12", namespace: "/run/netns/a")), at: "interface", "pod p")
        try host.accept(.pod(SmallHost.pod("q", addresses: "10.1.0.12", namespace: "/run/netns/b")))
        try host.accept(.pod(SmallHost.pod("r", addresses: "10.1.0.13")))
        try host.accept(.pod(SmallHost.pod("s", addresses: "10.1.0.14")))
    }

    @Test("can't change its network")
    mutating func network() throws {
        try host.refuse(.pod(SmallHost.pod("web-0", in: "own", addresses: "10.1.0.10")), at: "network", "delete it first")
    }

    @Test("of an unknown network waits for it, and is refused by itself if it doesn't fit when the network comes")
    mutating func unknownNetwork() throws {
        try host.accept(.pod(SmallHost.pod("fits", in: "new", addresses: "10.9.0.9")))
        try host.accept(.pod(SmallHost.pod("outside", in: "new", addresses: "10.8.0.9")))
        try host.accept(.pod(SmallHost.pod("gateway", in: "new", addresses: "10.9.0.1")))
        try host.accept(.neighbor(Neighbor(id: "far", network: "new", addresses: [.v4(0x0a08_0007)])))
        #expect(host.intents.unmet(for: "fits") == [IntentID(.network, "new")])
        let subnets = [Subnet(id: "a", cidr: try Prefix(parsing: "10.9.0.0/24"), gateway: .v4(0x0a09_0001))]
        guard case .accepted(nil, [], let refused) = try host.intents.upsert(.network(Network(id: "new", subnets: subnets))) else {
            throw SmallHost.Unexpected()
        }
        #expect(refused.compactMap { $0.intent?.id } == ["gateway", "outside", "far"])
        #expect(Set(host.intents.pods.keys) == ["web-0", "fits"] && host.intents.neighbors.isEmpty)
        #expect(host.intents.unmet(for: "fits").isEmpty)
    }
}

@Suite("A network") struct IntentsNetworkTests {
    var host: SmallHost

    init() throws { host = try SmallHost() }

    @Test("can't leave its pods or neighbors without a subnet, nor put a gateway on one")
    mutating func subnets() throws {
        let other = try Prefix(parsing: "10.7.0.0/24")
        let same = try Prefix(parsing: "10.1.0.0/24")
        host.refuse(.network(Network(id: "blue", subnets: [Subnet(id: "blue", cidr: other)])), at: "subnets", "pod web-0")
        host.refuse(.network(Network(id: "blue")), at: "subnets", "pod web-0")
        host.refuse(
            .network(Network(id: "blue", subnets: [Subnet(id: "blue", cidr: same, gateway: .v4(0x0a01_000a))])), at: "subnets", "pod web-0")
        try host.accept(.neighbor(Neighbor(id: "far", network: "green", addresses: [.v4(0x0a02_0007)])))
        host.refuse(.network(Network(id: "green", subnets: [Subnet(id: "green", cidr: other)])), at: "subnets", "neighbor far")
        try host.accept(.network(Network(id: "blue", subnets: [Subnet(id: "blue", cidr: same), Subnet(id: "more", cidr: other)])))
    }

    @Test("can't change its isolation or go while it has pods")
    mutating func pods() throws {
        let network = try #require(host.intents.networks["blue"])
        host.refuse(.network(Network(id: "blue", isolated: true, subnets: network.subnets)), at: "isolated", "pod web-0")
        host.keep(IntentID(.network, "blue"), "pod web-0")
        #expect(
            try host.intents.remove(IntentID(.network, "green")) == .removed(.network(try #require(SmallHost().intents.networks["green"]))))
        #expect(try host.intents.remove(IntentID(.network, "green")) == .absent)
        _ = try host.intents.remove(IntentID(.pod, "web-0"))
        try host.accept(.network(Network(id: "blue", isolated: true, subnets: network.subnets)))
    }

    @Test("has a default group: egress to anyone, ingress from its members, until other content is pushed")
    mutating func defaultGroup() throws {
        let implicit = try #require(host.intents.group("blue/default"))
        #expect(implicit.stateful && implicit.network == "blue")
        #expect(
            Set(implicit.rules.map(\.meaning)) == [
                Rule(id: "", direction: .egress).meaning, Rule(id: "", direction: .ingress, remote: .group("blue/default")).meaning,
            ])
        #expect(host.intents.group("nowhere/default") == nil)
        let pushed = SecurityGroup(id: "blue/default", network: "blue", rules: [Rule(id: "r", protocol: .tcp)])
        try host.accept(.securityGroup(pushed))
        #expect(host.intents.group("blue/default") == pushed)
        #expect(try host.intents.remove(IntentID(.securityGroup, "blue/default")) == .removed(.securityGroup(pushed)))
        #expect(host.intents.group("blue/default") == implicit)
        host.keep(IntentID(.securityGroup, "blue/default"), "can't be deleted")
    }
}

@Suite("A security group") struct IntentsGroupTests {
    var host: SmallHost

    init() throws {
        host = try SmallHost()
        try host.accept(.pod(SmallHost.pod("web-0", addresses: "10.1.0.10", groups: ["web", "any"])))
    }

    @Test("can't change its statefulness while bound, not even a default group whose content comes or goes")
    mutating func statefulness() throws {
        host.refuse(.securityGroup(SecurityGroup(id: "web", network: "blue", stateful: false)), at: "stateful", "pod web-0")
        try host.accept(.pod(SmallHost.pod("p", addresses: "10.1.0.11")))
        let stateless = SecurityGroup(id: "blue/default", network: "blue", stateful: false)
        host.refuse(.securityGroup(stateless), at: "stateful", "pod p")
        _ = try host.intents.remove(IntentID(.pod, "p"))
        try host.accept(.securityGroup(stateless))
        try host.accept(.pod(SmallHost.pod("p", addresses: "10.1.0.11", groups: ["blue/default", "plain"])))
        host.keep(IntentID(.securityGroup, "blue/default"), "bound by pod p")
        _ = try host.intents.remove(IntentID(.pod, "web-0"))
        try host.accept(.securityGroup(SecurityGroup(id: "web", network: "blue", stateful: false)))
    }

    @Test("that comes late is refused when a pod is bound to it beside one of the other statefulness")
    mutating func lateMix() throws {
        try host.accept(.pod(SmallHost.pod("web-0", addresses: "10.1.0.10", groups: ["web", "later"])))
        host.refuse(.securityGroup(SecurityGroup(id: "later", stateful: false)), at: "stateful", "web too, which is stateful")
        try host.accept(.securityGroup(SecurityGroup(id: "later")))
    }

    @Test("can't change its network while bound")
    mutating func network() throws {
        host.refuse(.securityGroup(SecurityGroup(id: "web", network: "green")), at: "network", "pod web-0")
        host.refuse(.securityGroup(SecurityGroup(id: "any", network: "green")), at: "network", "pod web-0")
    }

    @Test("can't name a group of another network as a remote, but one that isn't known, or that serves any")
    mutating func remotes() throws {
        func group(_ remote: ID<SecurityGroup>) -> Intent {
            let rules = [Rule(id: "a"), Rule(id: "b", direction: .ingress, remote: .group(remote))]
            return .securityGroup(SecurityGroup(id: "shop", network: "green", rules: rules))
        }
        host.refuse(group("web"), at: "rules[1].remote.group", "network blue")
        host.refuse(group("blue/default"), at: "rules[1].remote.group", "network blue")
        for remote in ["unknown", "any", "shop", "green/default"] as [ID<SecurityGroup>] { try host.accept(group(remote)) }
        #expect(host.intents.index.groupsByRemoteGroup["green/default"] == ["shop"])
    }

    @Test("that is deleted while bound stays in force until the last pod lets go")
    mutating func deferred() throws {
        let web = IntentID(.securityGroup, "web")
        try host.accept(.pod(SmallHost.pod("p", addresses: "10.1.0.11", groups: ["web"])))
        #expect(try host.intents.remove(web) == .deferred(boundBy: [IntentID(.pod, "p"), IntentID(.pod, "web-0")]))
        #expect(host.intents.group("web") != nil && host.intents.leaving == [web] && host.intents.unmet(for: "p").isEmpty)
        #expect(try host.accept(.pod(SmallHost.pod("web-0", addresses: "10.1.0.10", groups: ["any"]))) == [])
        let pod = try #require(host.intents.pods["p"])
        #expect(try host.intents.remove(pod.id.intent) == .removed(.pod(pod), left: [web]))
        #expect(host.intents.group("web") == nil && host.intents.leaving.isEmpty)
    }

    @Test("that is asked for again while it leaves stays, whatever its revision")
    mutating func calledBack() throws {
        try host.accept(.securityGroup(SecurityGroup(id: "web", network: "blue", rules: [Rule(id: "r")], revision: 7)))
        _ = try host.intents.remove(IntentID(.securityGroup, "web"))
        try host.accept(.securityGroup(SecurityGroup(id: "web", network: "blue", revision: 1)))
        #expect(host.intents.leaving.isEmpty)
        #expect(try host.accept(.pod(SmallHost.pod("web-0", addresses: "10.1.0.10"))) == [])
        #expect(host.intents.group("web")?.revision == 1)
    }

    @Test("takes along the address group that it alone kept from leaving")
    mutating func cascade() throws {
        let office = AddressGroup(id: "office", cidrs: [.everything(.v4)])
        try host.accept(.addressGroup(office))
        let rules = [Rule(id: "r", direction: .ingress, remote: .addressGroup("office"))]
        try host.accept(.securityGroup(SecurityGroup(id: "web", network: "blue", rules: rules)))
        #expect(try host.intents.remove(office.id.intent) == .deferred(boundBy: [IntentID(.securityGroup, "web")]))
        #expect(try host.intents.remove(IntentID(.securityGroup, "web")) == .deferred(boundBy: [IntentID(.pod, "web-0")]))
        #expect(host.intents.addressGroups["office"] != nil)
        let left = try host.accept(.pod(SmallHost.pod("web-0", addresses: "10.1.0.10")))
        #expect(left == [office.id.intent, IntentID(.securityGroup, "web")])
        #expect(host.intents.addressGroups.isEmpty)
    }
}
