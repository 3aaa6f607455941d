import Foundation
import Lab
import OwnThreads
import Testing

@Suite("The command line, with the daemon", .serialized, .ownThreads) struct DaemonCommandTests {
    private let host: DaemonHost
    private let web: DaemonPod
    private let intents: String

    init() throws {
        host = try DaemonHost()
        web = try host.pod("web", 10)
        intents = try DaemonHost.groups(["a": [7000]]) + "pods:\n" + web.yaml("a") + host.pod("client", 20).yaml("open")
        try host.start()
    }

    @Test("applies, and says of each resource what became of it")
    func apply() throws {
        let applied = try host.apply(intents)
        #expect(applied.status == 0 && applied.complaints.isEmpty)
        let results = try #require(applied.object["results"] as? [[String: Any]])
        let names = results.map { "\($0["kind"] ?? "") \($0["id"] ?? "")" }
        #expect(names == ["network blue", "securityGroup open", "securityGroup a", "pod web", "pod client"])
        #expect(results.allSatisfy { $0["status"] as? String == "applied" })
        let transaction = try #require(applied.object["transaction"] as? [String: Any])
        #expect(try #require(transaction["messages"] as? Int) > 0)
        #expect(try transaction["generation"] as? Int == host.generation())
    }

    @Test("applies the same again without a message to the kernel")
    func applyTwice() throws {
        try host.folder.write(intents, to: "intents.yaml")
        #expect(try host.hawser("apply", "-f", host.folder.file("intents.yaml")).status == 0)
        // The stamps of the first time come a grace period later.
        _ = try host.settled()
        let before = try host.generation()
        #expect(before != nil)
        let watch = try KernelWatch(on: host)
        let again = try host.hawser("apply", "-f", host.folder.file("intents.yaml"))
        #expect(again.status == 0 && again.output.contains("nothing changed in the kernel"))
        #expect(try host.generation() == before)
        let told = try watch.stop()
        #expect(told.isEmpty, "\(told)")
    }

    @Test("refuses one resource and applies the others: exit status 1, and standard error says what")
    func refused() throws {
        let outcome = try host.apply(
            intents + web.yaml("a").replacing("id: web", with: "id: bad").replacing("10.1.0.10", with: "10.1.0.999"))
        #expect(outcome.status == 1)
        #expect(outcome.complaints.contains("pod bad") && outcome.complaints.contains("10.1.0.999"))
        let results = try #require(outcome.object["results"] as? [[String: Any]])
        #expect(results.count { $0["status"] as? String == "applied" } == 5)
        #expect(results.count { $0["status"] as? String == "rejected" } == 1)
        #expect(try host.links().count == 2)
    }

    @Test("rehearses: a plan, and nothing done")
    func dryRun() throws {
        let before = try host.inventory()
        let outcome = try host.hawser("apply", "-f", "-", "--dry-run", "--output", "json", input: intents)
        #expect(outcome.status == 0)
        #expect(try #require(outcome.object["plan"] as? [String]).contains { $0.hasPrefix("link add hw") })
        #expect(try host.inventory() == before)
        #expect(try host.hawser("pods", "--output", "json").list.isEmpty)
    }

    @Test("shows status, pods, groups, rules and events, as tables and as JSON")
    func shows() throws {
        #expect(try host.apply(intents).status == 0)
        let status = try host.hawser("status", "--output", "json")
        #expect(status.status == 0 && status.object["ready"] as? Bool == true)
        #expect((status.object["pods"] as? [String: Any])?["applied"] as? Int == 2)

        let pods = try host.hawser("pods", "--output", "json").list
        #expect(pods.map { $0["id"] as? String } == ["client", "web"])
        let interface = try #require(pods.last?["interface"] as? [String: Any])
        let link = try #require(try host.host.json("ip", "-j", "link", "show", "dev", "pod-web").first)
        #expect(interface["host"] as? String == link["ifname"] as? String)
        #expect(interface["index"] as? Int == link["ifindex"] as? Int)
        #expect(try host.hawser("pods").output.contains("web") && host.hawser("pods", "web").status == 0)
        #expect(try host.hawser("pods", "nobody").status == 1)

        let groups = try host.hawser("groups", "--output", "json").list
        #expect(Set(groups.compactMap { $0["id"] as? String }).isSuperset(of: ["a", "open", "blue/default"]))

        let rules = try host.hawser("rules", "web", "--output", "json")
        for direction in ["ingress", "egress"] {
            let counted = try #require(rules.object[direction] as? [String: Any], "\(rules.output)")
            for apart in ["denied", "invalid"] {
                #expect((counted[apart] as? [String: Any])?["packets"] as? Int != nil, "\(direction) \(apart): \(rules.output)")
            }
        }
        #expect(rules.status == 0)
        let table = try host.hawser("rules", "web").output
        #expect(table.contains("everything else: denied") && table.contains("invalid: of no flow that is known"))

        let events = try host.hawser("events", "--output", "json").output.split(separator: "\n")
        #expect(events.contains { $0.contains(#""web""#) && $0.contains("applied") })
        #expect(try host.hawser("events").output.contains("pod web  applied"))
    }

    @Test("deletes, also what isn't there; a group in use is deferred")
    func deletes() throws {
        let before = try host.inventory()
        #expect(try host.apply(intents).status == 0)
        let group = try host.hawser("delete", "group", "a", "--output", "json")
        #expect(group.status == 0)
        #expect((group.object["results"] as? [[String: Any]])?.first?["status"] as? String == "deferred")
        #expect(try host.hawser("delete", "pod", "web", "client").status == 0)
        #expect(try host.hawser("delete", "pod", "web").status == 0)
        #expect(try eventually { try host.inventory() == before })
        #expect(try host.hawser("delete", "hat", "web").status == 2)
        #expect(try !host.hawser("groups", "--output", "json").list.contains { $0["id"] as? String == "a" })
    }
}
