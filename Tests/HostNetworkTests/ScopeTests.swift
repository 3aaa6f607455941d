import HostNetwork
import Testing

@Suite("A client that is held to networks") struct ScopeTests {
    /// Networks blue, green and own, the groups web (of blue) and any (of all), pod web-0 of blue.
    private let intents: Intents
    private let scope = Scope(["blue"])

    init() throws { intents = try SmallHost().intents }

    private func refusal(of intent: Intent, _ scope: Scope? = nil, in intents: Intents? = nil) -> Rejected? {
        do throws(Rejected) {
            try (scope ?? self.scope).judge(intent, in: intents ?? self.intents)
            return nil
        } catch {
            #expect(error.intent == intent.id && error.reason.hasPrefix(Scope.mark), "\(error)")
            return error
        }
    }

    private func removal(of id: IntentID, _ scope: Scope? = nil) -> Rejected? {
        do throws(Rejected) {
            try (scope ?? self.scope).judge(removing: id, in: intents)
            return nil
        } catch {
            return error
        }
    }

    private func pod(_ id: ID<Pod> = "blue/p", _ change: (inout Pod) throws -> Void = { _ in }) throws -> Intent {
        var pod = try SmallHost.pod(id, addresses: "10.1.0.11")
        try change(&pod)
        return .pod(pod)
    }

    @Test("says nothing of what a network is, but for the same again")
    func networks() throws {
        let blue = try #require(intents.networks["blue"])
        #expect(refusal(of: .network(blue)) == nil)
        let changes: [(inout Network) -> Void] = [
            { $0.isolated = true }, { $0.subnets = [] }, { $0.subnets[0].gateway = nil }, { $0.subnets[0].gatewayMAC = MAC(2) },
            { $0.subnets[0].routes = [SubnetRoute(.everything(.v4), through: .v4(0x0a01_000a))] }, { $0.subnets[0].tunnelID = TunnelID(7) },
            { $0.tunnelID = TunnelID(7) }, { $0.fabric = .routed }, { $0.revision = .max },
            { $0.subnets.append(Subnet(id: "more", cidr: .everything(.v6))) },
        ]
        for change in changes {
            var network = blue
            change(&network)
            #expect(refusal(of: .network(network)) != nil, "\(network)")
        }
        #expect(refusal(of: .network(Network(id: "new")), Scope(["new"])) != nil, "not even one that isn't there")
        #expect(refusal(of: .network(try #require(intents.networks["green"]))) != nil, "nor whether another is so")
        #expect(removal(of: IntentID(.network, "blue")) != nil && removal(of: IntentID(.network, "new"), Scope(["new"])) != nil)
    }

    @Test("says of a pod what concerns its network, and leaves to others where it is, and what it may send from beyond")
    func pods() throws {
        #expect(try refusal(of: pod()) == nil)
        #expect(try refusal(of: pod { $0.allowedAddressPairs = [.init(address: try Prefix(parsing: "10.1.0.200"))] }) == nil)
        #expect(try refusal(of: pod { $0.allowedAddressPairs = [.init(address: try Prefix(parsing: "10.1.0.128/25"))] }) == nil)
        let refused: [(field: String, change: (inout Pod) throws -> Void)] = [
            ("namespace", { $0.namespace = "/run/netns/other" }), ("portSecurity", { $0.portSecurity = false }),
            ("allowedAddressPairs[0].address", { $0.allowedAddressPairs = [.init(address: try Prefix(parsing: "10.2.0.20"))] }),
            ("allowedAddressPairs[0].address", { $0.allowedAddressPairs = [.init(address: .everything(.v4))] }),
            ("allowedAddressPairs[0].address", { $0.allowedAddressPairs = [.init(address: .everything(.v6))] }),
            ("allowedAddressPairs[0].address", { $0.allowedAddressPairs = [.init(address: try Prefix(parsing: "10.1.0.0/23"))] }),
            // The gateway's address is the host's own.
            ("allowedAddressPairs[0].address", { $0.allowedAddressPairs = [.init(address: try Prefix(parsing: "10.1.0.1"))] }),
            ("allowedAddressPairs[0].address", { $0.allowedAddressPairs = [.init(address: try Prefix(parsing: "10.1.0.0/24"))] }),
            ("network", { $0.network = "green" }),
        ]
        for (field, change) in refused {
            let refusal = try refusal(of: pod("blue/p", change))
            #expect(refusal?.field == field, "\(field): \(String(describing: refusal))")
        }
        // Where the network isn't known yet nobody knows what is inside of it.
        let early = Scope(["new"])
        var pod = try SmallHost.pod("new/p", in: "new", addresses: "10.9.0.9")
        #expect(refusal(of: .pod(pod), early) == nil)
        pod.allowedAddressPairs = [.init(address: try Prefix(parsing: "10.9.0.10"))]
        #expect(refusal(of: .pod(pod), early)?.field == "allowedAddressPairs[0].address")
    }

    @Test("may say again what others have said of its pods and neighbors, and change the rest of them")
    func again() throws {
        var intents = intents
        var router = try SmallHost.pod("router", addresses: "10.1.0.12", namespace: "/run/netns/router")
        router.portSecurity = false
        router.allowedAddressPairs = [.init(address: .everything(.v4))]
        let far = Neighbor(id: "far", network: "blue", addresses: [.v4(0x0a01_0007)], host: .v4(0xc000_0207))
        for intent in [Intent.pod(router), .neighbor(far)] { _ = try intents.upsert(intent) }
        router.securityGroups = ["web"]
        router.mtu = 1400
        #expect(refusal(of: .pod(router), in: intents) == nil)
        router.namespace = "/run/netns/other"
        #expect(refusal(of: .pod(router), in: intents)?.field == "namespace")
        var moved = far
        moved.addresses = [.v4(0x0a01_0008)]
        #expect(refusal(of: .neighbor(moved), in: intents) == nil)
        moved.host = .v4(0xc000_0208)
        #expect(refusal(of: .neighbor(moved), in: intents)?.field == "host")
    }

    @Test("takes no ids but those of its network, and is told the same of those that others have and of those that nobody has")
    func ids() throws {
        for id in ["p", "blue", "blue-p", "bluer/p", "red/p", "green/p", "web-0"] as [ID<Pod>] {
            let (new, taken) = (try pod(id), intents.pods[id] != nil)
            #expect((refusal(of: new) == nil) == taken, "\(id): its own that is there, whatever it is called")
        }
        #expect(try refusal(of: pod("blue/deep/er")) == nil)
        for (id, other) in [("green/x", ID<Network>("green")), ("x", "green")] {
            var intents = intents
            let unknown = refusal(of: try pod(ID(id)))
            _ = try intents.upsert(.pod(SmallHost.pod(ID(id), in: other, addresses: "10.2.0.9")))
            #expect(refusal(of: try pod(ID(id)), in: intents) == unknown && unknown != nil)
            do throws(Rejected) {
                try scope.judge(removing: IntentID(.pod, id), in: intents)
                Issue.record("\(id) can be removed")
            } catch {
                #expect(error == removal(of: IntentID(.pod, id)))
            }
        }
        #expect(removal(of: IntentID(.pod, "blue/none")) == nil && removal(of: IntentID(.pod, "web-0")) == nil)
        // Networks whose ids are nested: a resource is of the longest that is known.
        var nested = intents
        _ = try nested.upsert(.network(Network(id: "blue/inner")))
        #expect(refusal(of: try pod("blue/inner/p"), in: nested) != nil)
        #expect(refusal(of: try pod("blue/innermost"), in: nested) == nil)
        #expect(refusal(of: try pod("blue/inner/p"), Scope(["blue", "blue/inner"]), in: nested) == nil)
        // What was granted beside.
        #expect(refusal(of: try pod("team-a/web"), Scope(["blue"], ids: ["team-a/"])) == nil)
        #expect(refusal(of: try pod("team-b/web"), Scope(["blue"], ids: ["team-a/"])) != nil)
        #expect(refusal(of: try pod("6f9619ff-8b86-d011-b42d-00c04fc964ff"), Scope(["blue"], ids: [""])) == nil)
    }

    @Test("has its network's default group and groups of its own, and neither those of no network nor address groups")
    func groups() {
        #expect(refusal(of: .securityGroup(SecurityGroup(id: "blue/default", network: "blue"))) == nil)
        #expect(refusal(of: .securityGroup(SecurityGroup(id: "blue/web", network: "blue"))) == nil)
        #expect(refusal(of: .securityGroup(SecurityGroup(id: "web", network: "blue", rules: [Rule(id: "r")]))) == nil)
        for group in [
            SecurityGroup(id: "blue/all"), SecurityGroup(id: "any"), SecurityGroup(id: "web"), SecurityGroup(id: "any", network: "blue"),
            SecurityGroup(id: "green/default", network: "green"), SecurityGroup(id: "web", network: "green"),
        ] { #expect(refusal(of: .securityGroup(group)) != nil, "\(group)") }
        #expect(refusal(of: .addressGroup(AddressGroup(id: "blue/office"))) != nil)
        #expect(removal(of: IntentID(.addressGroup, "blue/office")) != nil && removal(of: IntentID(.securityGroup, "any")) != nil)
    }

    @Test("names groups of its network and of none, and can't find out by naming others whether there are any")
    func references() throws {
        var intents = intents
        _ = try intents.upsert(.securityGroup(SecurityGroup(id: "green/db", network: "green")))
        for group in ["web", "any", "blue/default", "blue/later"] as [ID<SecurityGroup>] {
            #expect(try refusal(of: pod { $0.securityGroups = [group] }, in: intents) == nil, "\(group)")
            let rules = [Rule(id: "r", direction: .ingress, remote: .group(group))]
            #expect(refusal(of: .securityGroup(SecurityGroup(id: "blue/g", network: "blue", rules: rules)), in: intents) == nil, "\(group)")
        }
        func reasons(_ group: ID<SecurityGroup>) throws -> [String?] {
            let neighbor = Neighbor(id: "blue/n", network: "blue", addresses: [.v4(0x0a01_0007)], securityGroups: [group])
            let rules = [Rule(id: "r", direction: .ingress, remote: .group(group))]
            return [
                try refusal(of: pod { $0.securityGroups = [group] }, in: intents), refusal(of: .neighbor(neighbor), in: intents),
                refusal(of: .securityGroup(SecurityGroup(id: "blue/g", network: "blue", rules: rules)), in: intents),
            ].map { $0.map { "\($0.field) \($0.reason) \($0.valid)" } }
        }
        let (foreign, unknown) = (try reasons("green/db"), try reasons("green/none"))
        #expect(foreign == unknown && foreign.allSatisfy { $0 != nil }, "\(foreign)")
    }

    @Test("doesn't say where neighbors live, but within what it was granted")
    func neighbors() throws {
        func neighbor(_ host: String?) throws -> Intent {
            let host = try host.map { try IPAddress(parsing: $0) }
            return .neighbor(Neighbor(id: "blue/n", network: "blue", addresses: [.v4(0x0a01_0007)], host: host))
        }
        #expect(try refusal(of: neighbor(nil)) == nil)
        #expect(try refusal(of: neighbor("192.0.2.7"))?.field == "host")
        let granted = Scope(["blue"], hosts: [try Prefix(parsing: "192.0.2.0/24")])
        #expect(try refusal(of: neighbor("192.0.2.7"), granted) == nil)
        #expect(try refusal(of: neighbor("192.0.3.7"), granted)?.valid == "an address of 192.0.2.0/24")
    }

    @Test("isn't told by a refusal what of another network is in the way")
    func blind() {
        let refused = Rejected(
            intent: IntentID(.pod, "blue/p"), field: "addresses[0]", reason: "pod x of network green", about: IntentID(.pod, "x"))
        #expect(refused.told(to: nil, in: intents) == refused)
        var intents = intents
        #expect(throws: Never.self) { try intents.upsert(.pod(SmallHost.pod("x", in: "green", addresses: "10.2.0.9"))) }
        #expect(!refused.told(to: scope, in: intents).description.contains("green"))
        #expect(refused.told(to: Scope(["green"]), in: intents) == refused)
    }
}
