import HostNetwork
import Testing

@testable import Agent

@Suite("The push's allow-list") struct PushClientsTests {
    private func client(_ clients: PushClients, _ names: String...) -> PushClient? {
        clients.client(named: names.map { PushName(.dns, $0) })
    }

    @Test("says what each client may do, by any of its names")
    func rights() throws {
        let clients = try #require(
            PushClients(["controller", "tenant=network:blue+network:red", "monitor=read", "both=read", "both=network:blue"]))
        #expect(client(clients, "controller")?.rights == .everything)
        let tenant = try #require(client(clients, "other", "tenant"))
        #expect(tenant.name == "tenant" && tenant.source == "push:tenant")
        #expect(tenant.rights.mayPush && !tenant.rights.mayPushAll && !tenant.rights.mayRead)
        #expect(tenant.rights.scope == Scope(["blue", "red"]))
        let monitor = try #require(client(clients, "monitor"))
        #expect(!monitor.rights.mayPush && monitor.rights.mayRead)
        let both = try #require(client(clients, "both"))
        #expect(both.rights.mayPush && both.rights.mayRead)
        #expect(clients.tenants == ["blue", "red"] && PushClients(["a", "a=network:green"])?.tenants == [])
    }

    /// Fails on 7673dba: rights of several names add up, and a common name or an e-mail address is as good as a host's name.
    @Test("takes a name for what it is, and of several names of one certificate the first on the list")
    func kinds() throws {
        let lines = ["tenant=network:blue", "controller", "cn:chosen=read", "email:me@example=read", "dns:host=read", "uri:urn:host=all"]
        let clients = try #require(PushClients(lines))
        func rights(_ names: PushName...) -> PushRights? { clients.client(named: names)?.rights }
        for text in ["controller", "tenant"] {
            #expect(rights(PushName(.dns, text)) != nil && rights(PushName(.uri, text)) != nil)
            #expect(rights(PushName(.cn, text)) == nil && rights(PushName(.email, text)) == nil)
        }
        #expect(rights(PushName(.cn, "chosen"))?.mayRead == true && rights(PushName(.dns, "chosen")) == nil)
        #expect(rights(PushName(.email, "me@example"))?.mayRead == true && rights(PushName(.dns, "me@example")) == nil)
        #expect(rights(PushName(.dns, "host"))?.mayRead == true && rights(PushName(.uri, "host")) == nil)
        #expect(rights(PushName(.uri, "urn:host")) == .everything)
        let two = try #require(client(clients, "controller", "tenant"))
        #expect(two.name == "tenant" && two.rights.scope == Scope(["blue"]) && !two.rights.mayRead)
        // How they are called can't be mistaken for a host's name.
        #expect(clients.client(named: [PushName(.cn, "chosen")])?.source == "push:cn:chosen")
        #expect(PushClients([])?.client(named: [PushName(.email, "a@b")])?.source == "push:email:a@b")
    }

    /// Fails on b183833: Swift's texts are equal where Unicode calls them equivalent.
    @Test("tells names by their bytes, whatever Unicode calls equivalent")
    func bytes() throws {
        let lines = ["cn:Kube=read", "cn:\u{212A}ube", "cn:caf\u{E9}=read", "uri:spiffe://\u{C5}/x=read", "dns:Kube.example"]
        let clients = try #require(PushClients(lines))
        func rights(_ kind: PushName.Kind, _ text: String) -> PushRights? { clients.client(named: [PushName(kind, text)])?.rights }
        #expect(rights(.cn, "Kube") == PushClients(["x=read"])?.client(named: [PushName(.dns, "x")])?.rights)
        #expect(rights(.cn, "\u{212A}ube") == .everything, "a line of its own, not the same line again")
        #expect(rights(.cn, "caf\u{E9}") != nil && rights(.cn, "cafe\u{301}") == nil)
        #expect(rights(.uri, "spiffe://\u{C5}/x") != nil && rights(.uri, "spiffe://\u{212B}/x") == nil)
        #expect(rights(.dns, "Kube.example") != nil && rights(.dns, "\u{212A}ube.example") == nil)
    }

    @Test("calls a stranger with thousands of long names by the first few")
    func manyNames() {
        let names = (0..<3000).map { PushName(.dns, "\($0)." + String(repeating: "a", count: 1000)) }
        let called = PushClients.strangers(names)
        #expect(called.hasPrefix("dns:0.aaa") && called.hasSuffix("and 2997 names more") && called.utf8.count < 400, "\(called)")
        #expect(PushClients.strangers(Array(names.prefix(1))).hasSuffix("…"))
        #expect(PushClients.strangers([PushName(.cn, "a"), PushName(.dns, "b")]) == "cn:a, dns:b")
    }

    @Test("lets nobody in who isn't on it, nor anybody without a name; an empty one lets in whoever has a certificate")
    func strangers() throws {
        let (list, all) = (try #require(PushClients(["controller"])), try #require(PushClients([])))
        #expect(client(list, "stranger") == nil)
        #expect(list.client(named: []) == nil)
        #expect(client(all, "stranger")?.rights == .everything)
        #expect(all.client(named: []) == nil)
        #expect(client(.nobody, "stranger") == nil)
    }

    @Test("grants ids and hosts of neighbors beside a network, and to no client that has none")
    func grants() throws {
        let clients = try #require(
            PushClients(["a=network:blue+ids:team-a/+hosts:192.0.2.0/24+hosts:2001:db8::7", "b=network:blue+ids:*", "c=network:blue"]))
        let hosts = [try Prefix(parsing: "192.0.2.0/24"), try Prefix(parsing: "2001:db8::7")]
        #expect(client(clients, "a")?.rights.scope == Scope(["blue"], ids: ["team-a/"], hosts: Set(hosts)))
        #expect(client(clients, "b")?.rights.scope == Scope(["blue"], ids: [""]))
        #expect(client(clients, "c")?.rights.scope == Scope(["blue"]))
    }

    @Test(
        "that can't be read is an error",
        arguments: [
            "=all", "a=", "a=write", "a=network:", "a=network:a b", "a=read+", "a=all+x", "a=ids:x", "a=read+hosts:192.0.2.1",
            "cn:", "dns:=all", "a=network:b+ids:", "a=network:b+ids:a b", "a=network:b+hosts:", "a=network:b+hosts:192.0.2.0/33",
        ])
    func unreadable(line: String) {
        #expect(PushClients([line]) == nil)
    }

    @Test("keeps a client to its networks, also where a resource would have to be taken from another")
    func scope() {
        let scope = Scope(["blue"])
        func edit(_ change: Change, _ intents: inout Intents) -> [Edits.Outcome] {
            var edits = Edits(intents)
            return edits.take(change, from: "push:tenant", into: &intents).map(\.1)
        }
        func isRefused(_ outcome: Edits.Outcome?) -> Bool {
            if case .rejected(let rejected)? = outcome { rejected.reason == Scope.words } else { false }
        }
        let address = IPAddress.v4(0x0A01_000A)
        let green = Neighbor(id: "n", network: "green", addresses: [address], securityGroups: [], revision: 0)
        let blue = Neighbor(id: "n", network: "blue", addresses: [address], securityGroups: [], revision: 0)
        let own = Neighbor(id: "blue/m", network: "blue", addresses: [address], securityGroups: [], revision: 0)
        var intents = Intents()
        #expect(edit(Change(upserts: [.neighbor(green)]), &intents) == [.accepted])
        #expect(isRefused(edit(Change(upserts: [.neighbor(blue)], scope: scope), &intents).first))
        #expect(isRefused(edit(Change(deletions: [green.id.intent], scope: scope), &intents).first))
        // Whether there is one isn't told either.
        #expect(isRefused(edit(Change(deletions: [IntentID(.neighbor, "none")], scope: scope), &intents).first))
        #expect(edit(Change(deletions: [IntentID(.neighbor, "blue/none")], scope: scope), &intents) == [.absent])
        #expect(
            isRefused(edit(Change(upserts: [.addressGroup(AddressGroup(id: "a", cidrs: [], revision: 0))], scope: scope), &intents).first))
        #expect(
            isRefused(
                edit(
                    Change(
                        upserts: [.securityGroup(SecurityGroup(id: "all", network: nil, stateful: true, rules: [], revision: 0))],
                        scope: scope), &intents
                ).first))
        #expect(edit(Change(upserts: [.neighbor(own)], scope: scope), &intents) == [.accepted])
        // What of another network is newer than what a snapshot says isn't told, and hinders nothing.
        var newer = green
        newer.revision = 7
        #expect(edit(Change(upserts: [.neighbor(newer)]), &intents) == [.unchanged])
        var old = blue
        old.revision = 1
        #expect(edit(Change(upserts: [.neighbor(own), .neighbor(old)], prune: true, scope: scope), &intents).contains(.unchanged))
        // A snapshot is the whole of what the client may push, and nothing else goes.
        #expect(edit(Change(prune: true, scope: scope), &intents) == [.removed])
        #expect(intents.all == [.neighbor(newer)])
    }

    @Test("lets no client that is held to a network say where pods are, nor let go of what waits for another's pod")
    func attachments() throws {
        let scope = Scope(["blue"])
        var intents = Intents()
        let subnets = [Subnet(id: "s", cidr: try Prefix(parsing: "10.1.0.0/24"))]
        _ = try intents.upsert(.network(Network(id: "blue", subnets: subnets)))
        _ = try intents.upsert(.pod(Pod(id: "blue/a", network: "blue", addresses: [.v4(0x0A01_000A)])))
        _ = try intents.upsert(.pod(Pod(id: "green/b", network: "green", addresses: [.v4(0x0A02_000A)])))
        var attachments: [ID<Pod>: String] = ["red/c": "/run/netns/c", "blue/d": "/run/netns/d"]
        func attach(_ pod: ID<Pod>, _ namespace: String?, _ scope: Scope?) -> Edits.Outcome? {
            var edits = Edits(intents, attachments)
            let outcomes = edits.take(Change(scope: scope, attachments: [pod: namespace]), from: "push:tenant", into: &intents)
            attachments = edits.attachments
            return outcomes.first?.1
        }
        func isRefused(_ outcome: Edits.Outcome?) -> Bool {
            if case .rejected(let rejected)? = outcome { rejected.reason.hasPrefix(Scope.mark) } else { false }
        }
        for pod in ["blue/a", "green/b", "red/c", "red/none", "blue/none"] as [ID<Pod>] {
            #expect(isRefused(attach(pod, "/run/netns/x", scope)), "\(pod)")
        }
        for pod in ["green/b", "red/c", "red/none"] as [ID<Pod>] { #expect(isRefused(attach(pod, nil, scope)), "\(pod)") }
        #expect(attach("blue/d", nil, scope) == .absent)
        #expect(attachments == ["red/c": "/run/netns/c", "blue/d": "/run/netns/d"])
        #expect(attach("blue/a", "/run/netns/x", nil) == .accepted)
        #expect(attach("blue/a", "/run/netns/x", scope) == .unchanged)
        #expect(attach("blue/a", nil, scope) == .accepted)
        #expect(attach("red/c", nil, nil) == .absent && attachments == ["blue/d": "/run/netns/d"])
    }
}
