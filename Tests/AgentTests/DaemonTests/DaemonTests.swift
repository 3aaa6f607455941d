import Foundation
import Lab
import OwnThreads
import Testing

@Suite("The daemon", .serialized, .ownThreads) struct DaemonTests {
    private static let families = 0...1

    @Test("applies files, their edits and their removal, and passes by a file that it can't read")
    func files() throws {
        let host = try DaemonHost()
        let (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
        try host.folder.write(DaemonHost.groups(["a": [7000, 7001]]), to: "intents.d/1-groups.yaml")
        try host.folder.write("pods:\n" + client.yaml("open"), to: "intents.d/2-client.yaml")
        try host.start()
        #expect(try eventually { try host.links().count == 1 })
        let before = try host.settled()

        try host.folder.write("pods:\n" + web.yaml("a"), to: "intents.d/3-web.yaml")
        #expect(try eventually { try host.status(of: "web") == "applied" })
        for family in Self.families {
            #expect(try web.isReached(at: 7000, from: client, family, witness: 7001))
            #expect(try !web.isReached(at: 7100, from: client, family, witness: 7001))
        }
        try host.folder.write(DaemonHost.groups(["a": [7100, 7001]]), to: "intents.d/1-groups.yaml")
        #expect(try eventually { try web.isReached(at: 7100, from: client, 0, witness: 7001) })
        for family in Self.families {
            #expect(try web.isReached(at: 7100, from: client, family, witness: 7001))
            #expect(try !web.isReached(at: 7000, from: client, family, witness: 7001))
        }

        // Cut off in the middle: what the file said before stays in force.
        try host.folder.write("securityGroups: [{id: a, network: blue, rul", to: "intents.d/1-groups.yaml")
        #expect(eventually { host.log.contains("1-groups.yaml") })
        #expect(try web.isReached(at: 7100, from: client, 1, witness: 7001))
        try host.folder.write(DaemonHost.groups(["a": [7100, 7001]]), to: "intents.d/1-groups.yaml")

        try host.folder.remove("intents.d/3-web.yaml")
        #expect(try eventually { try host.links().count == 1 && host.inventory() == before })
        #expect(try web.namespace.json("ip", "-j", "link", "show").count == 1)
    }

    @Test("attaches a pod when its namespace appears, and leaves nothing behind when it vanishes")
    func namespaces() throws {
        let host = try DaemonHost()
        let client = try host.pod("client", 20)
        let path = host.host.path.replacing("-host", with: "-late")
        try host.start()
        #expect(try host.apply(DaemonHost.groups(["a": [7000, 7001]]) + "pods:\n" + client.yaml("open")).status == 0)
        let before = try host.settled()
        let pod = DaemonPod(id: "late", number: 10, namespace: client.namespace).yaml("a").replacing(client.namespace.path, with: path)
        #expect(try host.apply("pods:\n" + pod).status == 0)
        #expect(try host.status(of: "late") == "pending")
        #expect(try host.hawser("pods", "late").output.contains(path))
        #expect(try host.inventory() == before)

        for _ in 0..<3 {
            let late = DaemonPod(id: "late", number: 10, namespace: try host.lab.namespace("late"))
            try #require(late.namespace.path == path)
            #expect(try eventually { try host.status(of: "late") == "applied" })
            for family in Self.families {
                #expect(try late.isReached(at: 7000, from: client, family, witness: 7001))
                #expect(try !late.isReached(at: 7100, from: client, family, witness: 7001))
            }
            late.namespace.remove()
            #expect(try eventually { try host.status(of: "late") == "pending" })
            #expect(try eventually { try host.inventory() == before })
        }
    }

    @Test("ends within five seconds of SIGTERM, and leaves the data plane; and cleanup takes all of it away")
    func ends() throws {
        let host = try DaemonHost()
        let (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
        let empty = try host.inventory()
        try host.start()
        #expect(try host.apply(DaemonHost.groups(["a": [7000, 7001]]) + "pods:\n" + web.yaml("a") + client.yaml("open")).status == 0)
        #expect(try host.cleanup().status == 1, "while the daemon runs")
        let before = try host.settled()
        let flood = try Flood(
            from: UDP(in: client.namespace, at: client.ipv4), to: UDP(in: web.namespace, at: web.ipv4, port: 7000), at: web.ipv4)
        flood.wait(for: 100)
        let (status, time) = host.end(SIGTERM)
        #expect(status == 0)
        #expect(time < .seconds(5))
        flood.wait(for: 100)
        #expect(flood.stop().lost == [])
        #expect(try host.inventory() == before)
        for family in Self.families {
            #expect(try web.isReached(at: 7000, from: client, family, witness: 7001))
            #expect(try !web.isReached(at: 7100, from: client, family, witness: 7001))
        }

        let cleanup = try host.cleanup()
        #expect(cleanup.status == 0, "\(cleanup.complaints)")
        #expect(cleanup.output.contains("table"))
        #expect(try host.inventory() == empty)
        #expect(try host.cleanup().status == 0)
    }

    @Test("confines itself when it starts: each of its threads is under a filter of system calls, whoever started it")
    func confined() throws {
        let host = try DaemonHost()
        try host.start()
        let process = try #require(host.process)
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")
        for thread in threads {
            let status = try String(contentsOfFile: "/proc/\(process)/task/\(thread)/status", encoding: .utf8)
            // SECCOMP_MODE_FILTER (proc_pid_status(5)).
            #expect(status.contains("Seccomp:\t2\n"), "\(status)")
        }
        #expect(threads.count > 3)
    }

    @Test("that can't listen where it should says where, which setting says so, and why; and ends")
    func deaf() throws {
        let host = try DaemonHost()
        let outcome = try host.run(["--push-listen", "192.0.2.77:50001", "--push-plaintext", "true"])
        #expect(outcome.status == 1)
        #expect(outcome.complaints.contains("can't listen at push.listen (192.0.2.77:50001): Cannot assign requested address"))
    }
}
