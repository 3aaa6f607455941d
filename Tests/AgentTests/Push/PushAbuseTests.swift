import Foundation
import Lab
import OwnThreads
import Testing

@Suite("The push port, with clients that misbehave", .serialized, .ownThreads) struct PushAbuseTests {
    private let host: DaemonHost
    private let web: DaemonPod
    private let client: DaemonPod

    init() throws {
        host = try DaemonHost()
        (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
    }

    private func begin(_ more: String...) throws {
        try host.start(DaemonHost.plaintext + more)
        let resources = DaemonHost.resources(["a": [7000, 7001], "b": [7100, 7001]], pods: web.json("a") + "," + client.json("open"))
        #expect(Set(try host.python([], DaemonHost.apply(#"{"upserts": \#(resources)}"#))[0].statuses) == ["APPLIED"])
    }

    /// Which of the groups `a` and `b` the pod is bound to, as packets have it.
    private func isBound(to group: String) throws -> Bool {
        let (open, shut): (UInt16, UInt16) = group == "a" ? (7000, 7100) : (7100, 7000)
        return try web.isReached(at: open, from: client, 0, witness: 7001) && !web.isReached(at: shut, from: client, 0, witness: 7001)
    }

    /// Binds the pod by a client that behaves; how long its push took, with the start of the client.
    private func bind(to group: String) throws -> Duration {
        let start = ContinuousClock.now
        #expect(try host.python([], DaemonHost.apply(#"{"upserts": {"pods": [\#(web.json(group))]}}"#))[0].statuses == ["APPLIED"])
        return start.duration(to: .now)
    }

    private func connections() throws -> Int? {
        (try host.hawser("status", "--output", "json").object["push"] as? [String: Any])?["connections"] as? Int
    }

    @Test("holds a client back that pushes and never reads, in bounded memory, answers others meanwhile, and loses nothing")
    func flood() throws {
        try begin("--push-max-resources", "1000", "--push-max-message", "1MiB")
        // Each is answered with more than it says, and leaves a neighbor.
        let bad = (0..<900).map { #"{"id": "bad-\#($0)", "network": "blue", "addresses": ["10.1.0.\#($0)/99"]}"# }
        let good = #"{"id": "good", "network": "blue", "addresses": ["10.1.0.77"], "securityGroups": ["a"]}"#
        let message = #"{"id": "flood", "delta": {"upserts": {"neighbors": [\#((bad + [good]).joined(separator: ","))]}}}"#
        let before = try host.memory()
        var peak = before
        for round in 0..<3 {
            let stuck = ["x", "y"].map { host.folder.file("stuck-\(round)-\($0)") }
            let floods = try stuck.map { path in
                try host.beside(
                    URL(filePath: path).lastPathComponent, #"{"flood": \#(message), "stuck": "\#(path)"}"#, #"{"exists": "/nowhere"}"#)
            }
            #expect(
                eventually(within: .seconds(120)) { stuck.allSatisfy { FileManager.default.fileExists(atPath: $0) } },
                "they send on and on")
            #expect(floods.allSatisfy { !$0.hasEnded })
            peak = max(peak, try host.memory())
            let group = round % 2 == 0 ? "b" : "a"
            let time = try bind(to: group)
            #expect(time < .seconds(10), "while others flood")
            #expect(try isBound(to: group))
            for flood in floods { flood.end(SIGKILL) }
            #expect(try eventually { try connections() == 0 })
            for path in stuck { print("flood: \(try String(contentsOfFile: path, encoding: .utf8)) (messages, bytes each)") }
        }
        print("flood: \(before) KiB before, \(peak) KiB at most, \(try host.memory()) KiB afterwards")
        // Of each of two connections: 8 MiB that HTTP/2 lets come unread, and answers for 1000 resources; and as much that the heap keeps.
        #expect(peak - before < (Sanitizer.isOn ? 128 : 32) << 10, "\(before) KiB before, \(peak) KiB at most")
        #expect(try isBound(to: "b"))
        #expect(try host.hawser("groups", "a").output.contains("10.1.0.77"))
        #expect(try host.links().count == 2)
    }

    @Test("lets nobody wait for a client that says nothing, or stops in the middle of a message, and ends in time under them")
    func silence() throws {
        try begin()
        let tcp = "exec 3<>/dev/tcp/127.0.0.1/50001; touch \(host.folder.file("tcp")); exec sleep 600"
        let mute = try LabProgram(["bash", "-c", tcp], in: host.host, log: host.folder.file("tcp.out"))
        #expect(eventually { FileManager.default.fileExists(atPath: host.folder.file("tcp")) })
        let silent = [mute, try host.silent(after: 0, "silent"), try host.silent(after: 20_000, "half")]
        // Those of clients that have ended go when the daemon hears of it.
        #expect(try eventually { try connections() == 3 })
        for group in ["b", "a", "b"] {
            #expect(try bind(to: group) < .seconds(10))
            #expect(try isBound(to: group))
        }
        #expect(silent.allSatisfy { !$0.hasEnded })
        let (status, time) = host.end(SIGTERM)
        #expect(status == 0 && time < .seconds(Sanitizer.isOn ? 30 : 5), "\(time)")
        for program in silent { program.end(SIGKILL) }

        try host.start(DaemonHost.plaintext)
        let half = try host.silent(after: 20_000, "half-again")
        half.end(SIGKILL)
        #expect(try eventually { try connections() == 0 })
        #expect(try isBound(to: "b"))
        _ = try bind(to: "a")
        #expect(try isBound(to: "a"))
    }

    /// Fails on b183833: the first time below zero ends the daemon, by either door and whatever the client may do.
    @Test("goes on when a client says that its call may take less than no time, or what isn't a time", arguments: [true, false])
    func timeouts(isByTheNetwork: Bool) throws {
        try begin()
        let target = isByTheNetwork ? "127.0.0.1:50001" : "unix:" + host.folder.file("control.sock")
        let values = ["60S", "-1S", "-0m", "-999999H", "+5S", "9999999H", "0n", "S", "1", "x", "123456789S", "1 S", "1S"]
        let output = try host.host.run(["python3", DaemonHost.script("timed.py"), target] + values)
        #expect(output.split(separator: "\n") == values.map { _ in "answered" })
        #expect(!host.hasEnded)
        #expect(try bind(to: "b") < .seconds(10))
        #expect(try isBound(to: "b"))
    }
}
