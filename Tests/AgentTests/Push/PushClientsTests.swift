import HostNetwork
import Testing

@testable import Agent

@Suite("The push's allow-list") struct PushClientsTests {
    @Test("says what each client may do, by any of its names")
    func rights() throws {
        let clients = try #require(
            PushClients(["controller", "tenant=network:blue+network:red", "monitor=read", "both=read+network:blue"]))
        #expect(clients.client(named: ["controller"])?.rights == .everything)
        let tenant = try #require(clients.client(named: ["other", "tenant"]))
        #expect(tenant.name == "tenant" && tenant.source == "push:tenant")
        #expect(tenant.rights.mayPush && !tenant.rights.mayPushAll && !tenant.rights.mayRead)
        #expect(tenant.rights.scope == Scope(["blue", "red"]))
        let monitor = try #require(clients.client(named: ["monitor"]))
        #expect(!monitor.rights.mayPush && monitor.rights.mayRead)
        let both = try #require(clients.client(named: ["both"]))
        #expect(both.rights.mayPush && both.rights.mayRead)
        // All the names of one certificate count together.
        #expect(clients.client(named: ["tenant", "monitor"])?.rights.mayRead == true)
    }

    @Test("lets nobody in who isn't on it, nor anybody without a name; an empty one lets in whoever has a certificate")
    func strangers() {
        #expect(PushClients(["controller"])?.client(named: ["stranger"]) == nil)
        #expect(PushClients(["controller"])?.client(named: []) == nil)
        #expect(PushClients([])?.client(named: ["stranger"])?.rights == .everything)
        #expect(PushClients([])?.client(named: []) == nil)
        #expect(PushClients.nobody.client(named: ["stranger"]) == nil)
    }

    @Test("that can't be read is an error", arguments: ["=all", "a=", "a=write", "a=network:", "a=network:a b", "a=read+", "a=all+x"])
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
        let own = Neighbor(id: "m", network: "blue", addresses: [address], securityGroups: [], revision: 0)
        var intents = Intents()
        #expect(edit(Change(upserts: [.neighbor(green)]), &intents) == [.accepted])
        #expect(isRefused(edit(Change(upserts: [.neighbor(blue)], scope: scope), &intents).first))
        #expect(isRefused(edit(Change(deletions: [green.id.intent], scope: scope), &intents).first))
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
        // A snapshot is the whole of what the client may push, and nothing else goes.
        #expect(edit(Change(prune: true, scope: scope), &intents) == [.removed])
        #expect(intents.all == [.neighbor(green)])
    }
}
