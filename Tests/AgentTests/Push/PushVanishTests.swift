import Foundation
import Lab
import OwnThreads
import Testing

@Suite("The push port, and a controller that vanishes", .serialized, .ownThreads) struct PushVanishTests {
    private let host: DaemonHost
    private let controller: LabNamespace
    private let web: DaemonPod
    private let client: DaemonPod

    /// The controller is at the end of a cable.
    init() throws {
        host = try DaemonHost()
        controller = try host.lab.namespace("controller")
        (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
        try host.host.run("ip", "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", controller.path)
        for (place, address) in [(host.host, "192.0.2.1/24"), (controller, "192.0.2.2/24")] {
            try place.run("ip", "addr", "add", address, "dev", "cable")
            try place.run("ip", "link", "set", "cable", "up")
        }
    }

    private func start(_ more: String...) throws {
        try host.start(["--push-listen", "192.0.2.1:50001", "--push-plaintext", "true"] + more)
    }

    private func push(_ steps: String...) throws -> [[String: Any]] {
        try host.python(steps.joined(separator: "\n"), from: controller, to: "192.0.2.1:50001")
    }

    private var everything: String {
        DaemonHost.resources(["a": [7000, 7001], "b": [7100, 7001]], pods: web.json("a") + "," + client.json("open"))
    }

    private func connections() throws -> Int? {
        (try host.hawser("status", "--output", "json").object["push"] as? [String: Any])?["connections"] as? Int
    }

    /// Whatever comes to the controller and goes from it is lost on the way, and nobody is told.
    private func swallow(_ isSwallowed: Bool) throws {
        let chains = """
                chain in { type filter hook prerouting priority -500; policy drop; }
                chain out { type filter hook postrouting priority 500; policy drop; }
            """
        try controller.run(
            ["nft", "-f", "-"],
            input: "add table inet hole\ndelete table inet hole\n" + (isSwallowed ? "table inet hole {\n\(chains)\n}\n" : ""))
    }

    private func flood(at port: UInt16) throws -> Flood {
        try Flood(
            from: UDP(in: client.namespace, at: client.ipv4), to: UDP(in: web.namespace, at: web.ipv4, port: port), at: web.ipv4,
            every: .milliseconds(2))
    }

    @Test("in a black hole gives back its connections and streams when it doesn't answer, and costs the pods nothing")
    func blackHole() throws {
        try start("--push-keepalive", "3s", "--push-max-connections", "3", "--push-max-streams", "2")
        #expect(Set(try push(DaemonHost.apply(#"{"upserts": \#(everything)}"#))[0].statuses) == ["APPLIED"])
        #expect(try eventually { try connections() == 0 })
        let before = try host.settled()
        let (allowed, forbidden) = (try flood(at: 7000), try flood(at: 7100))
        let watch = try KernelWatch(on: host)

        // One with a stream and a push that isn't settled, one in the middle of a snapshot.
        let ready = ["stream", "snapshot"].map { host.folder.file($0) }
        let pending = #"{"upserts": {"pods": [{"id": "later", "network": "blue", "addresses": ["10.1.0.9"], "securityGroups": ["a"]}]}}"#
        let piece = #"{"send": {"id": "s", "snapshot": {"resources": \#(DaemonHost.resources(["a": [7000]])), "last": false}}}"#
        let lost = try [
            host.beside(
                "one", from: controller, to: "192.0.2.1:50001", #"{"open": "Push"}"#, DaemonHost.send(pending, id: "p"), #"{"receive": 1}"#,
                #"{"touch": "\#(ready[0])"}"#, #"{"exists": "/nowhere"}"#),
            host.beside(
                "two", from: controller, to: "192.0.2.1:50001", #"{"open": "Push"}"#, DaemonHost.send("{}", id: "e"), #"{"receive": 1}"#,
                piece, #"{"touch": "\#(ready[1])"}"#, #"{"exists": "/nowhere"}"#),
        ]
        #expect(eventually(within: .seconds(30)) { ready.allSatisfy { FileManager.default.fileExists(atPath: $0) } })
        #expect(try eventually { try connections() == 2 })
        // One that says nothing at all is ended; the two, which answer when they are asked, stay.
        let mute = try LabProgram(
            ["bash", "-c", "exec 3<>/dev/tcp/192.0.2.1/50001; exec cat <&3"], in: controller, log: host.folder.file("mute.out"))
        let isEnded = eventually(within: .seconds(30)) { mute.hasEnded }
        if !isEnded { mute.end(SIGKILL) }
        #expect(isEnded && mute.wait() == 0, "its connection was ended, and it with it")
        #expect(try connections() == 2)
        try swallow(true)
        let start = ContinuousClock.now
        #expect(try eventually(within: .seconds(30)) { try connections() == 0 })
        print("black hole: two connections were given back after \(start.duration(to: .now)), with push.keepalive 3s")
        #expect(lost.allSatisfy { !$0.hasEnded }, "they themselves know nothing of it")

        #expect(try host.inventory() == before)
        #expect(try host.status(of: "web") == "applied" && host.status(of: "later") == "pending")
        // What the kernel learns of the controller's own address, and that the cable has one of its own by now, is nobody's doing.
        let told = try watch.stop().filter { !$0.contains("dev cable") && !$0.contains(": cable ") }
        #expect(told.isEmpty, "nothing is torn down because nobody calls: \(told)")
        for program in lost { program.end(SIGKILL) }
        try swallow(false)
        // It is back, and there is room for as many as ever; one that answers stays for longer than the silence that is allowed.
        let stays = host.folder.file("stays")
        let patient = try host.beside(
            "patient", from: controller, to: "192.0.2.1:50001", #"{"open": "Push"}"#,
            DaemonHost.send(#"{"upserts": {"pods": [\#(web.json("a"))]}}"#, id: "1"), #"{"receive": 1}"#, #"{"touch": "\#(stays)"}"#,
            #"{"exists": "\#(stays).go"}"#, DaemonHost.send(#"{"upserts": {"pods": [\#(web.json("a"))]}}"#, id: "2"), #"{"receive": 1}"#,
            #"{"close": true}"#)
        #expect(eventually(within: .seconds(30)) { FileManager.default.fileExists(atPath: stays) })
        forbidden.wait(for: 3000)
        #expect(FileManager.default.createFile(atPath: stays + ".go", contents: nil))
        #expect(patient.wait() == 0)
        let answers = try String(contentsOfFile: host.folder.file("patient.out"), encoding: .utf8)
        #expect(answers.split(separator: "\n").count == 3 && answers.contains(#""code": "OK""#), "\(answers)")

        let (passed, blocked) = (allowed.stop(after: 1000), forbidden.stop(after: 1000))
        #expect(passed.lost == [], "\(passed.lost.count) of \(passed.sent)")
        #expect(blocked.received == 0)
        print("black hole: \(passed.sent) datagrams, \(passed.lost.count) lost; \(blocked.sent) forbidden, \(blocked.received) leaked")
    }

    @Test("cut off in the middle of a snapshot leaves all in force, and its next snapshot is taken whole")
    func cut() throws {
        try start()
        #expect(Set(try push(DaemonHost.apply(#"{"upserts": \#(everything)}"#))[0].statuses) == ["APPLIED"])
        let before = try host.settled()
        let flood = try flood(at: 7000)
        func piece(_ resources: String, last: Bool) -> String {
            #"{"send": {"id": "s", "snapshot": {"resources": \#(resources), "last": \#(last)}}}"#
        }
        for round in 0..<3 {
            let sent = host.folder.file("sent-\(round)")
            let cut = try host.beside(
                "cut-\(round)", from: controller, to: "192.0.2.1:50001", #"{"open": "Push"}"#, DaemonHost.send("{}", id: "e"),
                #"{"receive": 1}"#, piece(DaemonHost.resources(["b": [7100]]), last: false), #"{"touch": "\#(sent)"}"#,
                #"{"exists": "/nowhere"}"#)
            #expect(eventually(within: .seconds(30)) { FileManager.default.fileExists(atPath: sent) })
            cut.end(SIGKILL)
            #expect(try eventually { try connections() == 0 })
            #expect(try host.inventory() == before)
        }
        // Another in its place, on a stream of its own: its first piece isn't taken for the lost one's next.
        let rest = #"{"pods": [\#(web.json("b")), \#(client.json("open"))]}"#
        let whole = try push(
            #"{"open": "Push"}"#, piece(DaemonHost.resources(["a": [7000, 7001], "b": [7100, 7001, 7000]]), last: false),
            piece(rest, last: true), #"{"receive": 1}"#, #"{"close": true}"#)
        #expect(Set(whole[0].statuses) == ["APPLIED"] && whole[0].answers.count == 6, "\(whole)")
        let report = flood.stop(after: 100)
        #expect(report.lost == [], "both bindings allow it")
        #expect(try web.isReached(at: 7100, from: client, 0, witness: 7001))
        #expect(try !web.isReached(at: 7200, from: client, 0, witness: 7001))
    }

    @Test("comes back with an older snapshot, and nothing that came after it is lost")
    func older() throws {
        try start()
        func revised(_ json: String, _ revision: Int) -> String {
            json.replacing(#""securityGroups": ["#, with: #""revision": \#(revision), "securityGroups": ["#)
        }
        let old = DaemonHost.resources(
            ["a": [7000, 7001], "b": [7100, 7001]], pods: revised(web.json("a"), 10) + "," + revised(client.json("open"), 10))
        func snapshot(_ resources: String, revision: Int) -> [[String: Any]] {
            let piece = #"{"send": {"id": "s", "snapshot": {"resources": \#(resources), "last": true, "revision": \#(revision)}}}"#
            return (try? push(#"{"open": "Push"}"#, piece, #"{"receive": 1}"#, #"{"close": true}"#)) ?? []
        }
        #expect(Set(snapshot(old, revision: 10)[0].statuses) == ["APPLIED"])
        // What came since: another pod and a group of its own, which no resource of the old snapshot knows of.
        let late = try host.pod("late", 30)
        let group =
            #"{"id": "c", "network": "blue", "revision": 11, "rules": [{"id": "c", "direction": "INGRESS", "protocol": "udp", "ports": {"first": 7200, "last": 7201}}]}"#
        let delta = #"{"upserts": {"securityGroups": [\#(group)], "pods": [\#(revised(late.json("c"), 12))]}}"#
        #expect(try push(DaemonHost.apply(delta))[0].statuses == ["APPLIED", "APPLIED"])
        let before = try host.settled()
        let flood = try Flood(
            from: UDP(in: client.namespace, at: client.ipv4), to: UDP(in: late.namespace, at: late.ipv4, port: 7200), at: late.ipv4,
            every: .milliseconds(2))
        let again = snapshot(old, revision: 10)
        #expect(again[0].statuses.filter { $0 == "STALE" }.count == 2, "\(again)")
        #expect(again[0].answers.contains { ($0["reason"] as? String)?.contains("snapshot of revision 10") == true }, "\(again)")
        #expect(try host.settled() == before)

        // Rebound since: the old snapshot says what shows its age, also to who gives it no revision.
        #expect(try push(DaemonHost.apply(#"{"upserts": {"pods": [\#(revised(web.json("b"), 13))]}}"#))[0].statuses == ["APPLIED"])
        let unnumbered = snapshot(old, revision: 0)
        #expect(unnumbered[0].statuses.filter { $0 == "STALE" }.count == 3, "\(unnumbered)")
        #expect(try web.isReached(at: 7100, from: client, 0, witness: 7001))
        #expect(try !web.isReached(at: 7000, from: client, 0, witness: 7001))
        let report = flood.stop(after: 100)
        #expect(report.lost == [], "\(report.lost.count) of \(report.sent)")

        // A new one is the whole.
        let new = DaemonHost.resources(
            ["a": [7000, 7001], "b": [7100, 7001]], pods: revised(web.json("b"), 13) + "," + revised(client.json("open"), 10))
        #expect(Set(snapshot(new, revision: 14)[0].statuses) == ["APPLIED"])
        #expect(try host.links().count == 2)
    }
}
