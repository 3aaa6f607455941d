import Foundation
import Lab
import OwnThreads
import Testing

@Suite("The push, from another implementation of gRPC", .serialized, .ownThreads) struct PushTests {
    @Test("puts into force what it answers as applied, on a stream and by single calls")
    func applies() throws {
        let host = try DaemonHost()
        let (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
        try host.start(DaemonHost.plaintext)
        let both = DaemonHost.resources(["a": [7000, 7001], "b": [7100, 7001]], pods: web.json("a") + "," + client.json("open"))
        let first = try host.python([], DaemonHost.apply(#"{"upserts": \#(both)}"#))
        #expect(first[0].statuses == ["APPLIED", "APPLIED", "APPLIED", "APPLIED", "APPLIED", "APPLIED"])
        #expect(first[0].answers.map { $0["kind"] as? String ?? "" }.last == "POD")
        #expect(try web.isReached(at: 7000, from: client, 0, witness: 7001))
        #expect(try !web.isReached(at: 7100, from: client, 0, witness: 7001))

        let replies = try host.python(
            [], #"{"open": "Push"}"#, DaemonHost.send(#"{"upserts": {"pods": [\#(web.json("b"))]}}"#, id: "rebind"), #"{"receive": 1}"#,
            DaemonHost.send(#"{"upserts": {"pods": [\#(web.json("b"))]}}"#, id: "again"), #"{"receive": 1}"#, #"{"close": true}"#)
        #expect(replies.map { $0["id"] as? String } == ["rebind", "again", nil])
        #expect(replies[0].statuses == ["APPLIED"] && replies[1].statuses == ["APPLIED"] && replies[2].code == "OK")
        let (rebinding, nothing) = (replies[0]["transaction"] as? [String: Any], replies[1]["transaction"] as? [String: Any])
        #expect(rebinding?["messages"] != nil && nothing?["messages"] == nil, "the same again sends nothing")
        #expect(Int(replies[0].answers[0]["totalMicroseconds"] as? String ?? "") ?? 0 > 0)
        for family in 0...1 {
            #expect(try web.isReached(at: 7100, from: client, family, witness: 7001))
            #expect(try !web.isReached(at: 7000, from: client, family, witness: 7001))
        }
    }

    @Test("takes a snapshot when its last piece has come, and leaves everything when the stream ends before")
    func snapshots() throws {
        let host = try DaemonHost()
        let (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
        try host.start(DaemonHost.plaintext)
        func piece(_ resources: String, last: Bool) -> String {
            #"{"send": {"id": "s", "snapshot": {"resources": \#(resources), "last": \#(last)}}}"#
        }
        let base = DaemonHost.resources(["a": [7000, 7001]])
        let whole = try host.python(
            [], #"{"open": "Push"}"#, piece(base, last: false), piece(#"{"pods": [\#(web.json("a"))]}"#, last: false),
            piece(#"{"pods": [\#(client.json("open"))]}"#, last: true), #"{"receive": 1}"#, #"{"close": true}"#)
        #expect(whole.count == 2 && Set(whole[0].statuses) == ["APPLIED"] && whole[0].answers.count == 5)
        #expect(try web.isReached(at: 7000, from: client, 1, witness: 7001))
        let before = try host.settled()

        for end in [#"{"cancel": true}"#, #"{"close": true}"#, DaemonHost.send("{}", id: "other") + "\n" + #"{"receive": 1}"#] {
            let cut = try host.python([], #"{"open": "Push"}"#, piece(base, last: false), end)
            #expect(!cut.contains { $0["answers"] != nil }, "\(end): \(cut)")
            if !end.contains("cancel") { #expect(cut.last?.code == "FAILED_PRECONDITION", "\(cut)") }
            #expect(try host.inventory() == before)
        }
        // One piece that names only the network and the groups: the pods go.
        let last = try host.python([], #"{"open": "Push"}"#, piece(base, last: true), #"{"receive": 1}"#, #"{"close": true}"#)
        #expect(last[0].answers.count == 5 && Set(last[0].statuses) == ["APPLIED"])
        #expect(try host.links() == [])
    }

    @Test("answers stale, rejected, pending and deferred, and tells on the same stream when that ends")
    func later() throws {
        let host = try DaemonHost()
        let late = host.host.path.replacing("-host", with: "-late")
        try host.start(DaemonHost.plaintext)
        let go = host.folder.file("go")
        let pod =
            #"{"id": "late", "network": "blue", "namespace": "\#(late)", "addresses": ["10.1.0.9"], "securityGroups": ["a"], "revision": 5}"#
        let stale = pod.replacing(#""revision": 5"#, with: #""revision": 4"#)
        let steps = [
            #"{"open": "Push"}"#, DaemonHost.send(#"{"upserts": \#(DaemonHost.resources(["a": [7000]], pods: pod))}"#, id: "first"),
            #"{"receive": 1}"#, DaemonHost.send(#"{"upserts": {"pods": [\#(stale)]}}"#, id: "stale"), #"{"receive": 1}"#,
            DaemonHost.send(#"{"upserts": {"pods": [{"id": "late", "network": "blue", "addresses": ["x"]}]}}"#, id: "bad"),
            #"{"receive": 1}"#,
            DaemonHost.send(
                #"{"deletions": [{"kind": "SECURITY_GROUP", "id": "a"}, {"kind": "POD", "id": "late", "revision": 2}]}"#, id: "delete"),
            #"{"receive": 1}"#, #"{"touch": "\#(go)"}"#, #"{"receive": 1}"#,
            DaemonHost.send(#"{"deletions": [{"kind": "POD", "id": "late", "revision": 5}]}"#, id: "end"), #"{"receive": 2}"#,
            #"{"close": true}"#,
        ]
        let maker = Thread {
            _ = eventually(within: .seconds(60)) { FileManager.default.fileExists(atPath: go) }
            _ = try? host.lab.namespace("late")
        }
        maker.start()
        let replies = try host.python([], steps.joined(separator: "\n"))
        let said = "\(replies)"
        #expect(replies[0].statuses == ["APPLIED", "APPLIED", "APPLIED", "PENDING"], "\(said)")
        #expect((replies[0].answers[3]["reason"] as? String)?.contains(late) == true)
        #expect(replies[1].statuses == ["STALE"])
        #expect(replies[2].statuses == ["REJECTED"] && replies[2].answers[0]["field"] as? String == "addresses[0]")
        #expect(replies[3].statuses == ["DEFERRED", "STALE"])
        #expect(replies[4]["later"] as? Bool == true && replies[4]["id"] as? String == "first" && replies[4].statuses == ["APPLIED"])
        let ends = [replies[5], replies[6]]
        let (answer, news) = (ends.first { $0["later"] == nil }, ends.first { $0["later"] != nil })
        #expect(answer?["id"] as? String == "end" && answer?.statuses == ["APPLIED"])
        #expect(news?["id"] as? String == "delete" && news?.statuses == ["APPLIED"] && news?.answers.first?["id"] as? String == "a")
        #expect(replies[7].code == "OK", "\(said)")
    }

    @Test("rehearses, and attaches and detaches pods whose intents name no namespace, across a restart")
    func attaches() throws {
        let host = try DaemonHost()
        let (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
        try host.start(DaemonHost.plaintext)
        let loose = web.json("a").replacing(#""namespace": "\#(web.namespace.path)", "#, with: "")
        let resources = DaemonHost.resources(["a": [7000, 7001]], pods: loose + "," + client.json("open"))
        let dry = #"{"call": "Apply", "request": {"dryRun": true, "delta": {"upserts": \#(resources)}}}"#
        let plan = try host.python([], dry)[0]["plan"] as? [String: Any]
        let operations = plan?["operations"] as? [String] ?? []
        #expect(operations.contains { $0.contains("sg-in/open") }, "\(operations)")
        #expect(try host.links() == [])

        let attach = #"{"call": "Attach", "request": {"pod": "web", "namespace": "\#(web.namespace.path)", "waitMilliseconds": 0}}"#
        let early = try host.python([], attach, #"{"call": "Check", "request": {"pod": "web"}}"#)
        #expect((early[0]["answer"] as? [String: Any])?["status"] as? String == "PENDING" && early[0]["interface"] == nil)
        #expect(early[1].code == "NOT_FOUND")
        let pushed = try host.python([], DaemonHost.apply(#"{"upserts": \#(resources)}"#), DaemonHost.apply(#"{"upserts": \#(resources)}"#))
        #expect(Set(pushed[0].statuses) == ["APPLIED"] && Set(pushed[1].statuses) == ["APPLIED"])
        #expect((pushed[1]["transaction"] as? [String: Any])?["messages"] == nil, "the intent alone doesn't detach it")
        #expect(try web.isReached(at: 7000, from: client, 0, witness: 7001))
        #expect(try !web.isReached(at: 7100, from: client, 0, witness: 7001))

        host.end(SIGKILL)
        try host.start(DaemonHost.plaintext)
        let check = try host.python([], #"{"call": "Check", "request": {"pod": "web"}}"#, DaemonHost.apply(#"{"upserts": \#(resources)}"#))
        let interface = check[0]["interface"] as? [String: Any]
        #expect(interface?["namespace"] as? String == web.namespace.path)
        #expect((interface?["addresses"] as? [[String: Any]])?.first?["address"] as? String == "10.1.0.10/24")
        #expect(Set(check[1].statuses) == ["APPLIED"])
        #expect(try web.isReached(at: 7000, from: client, 1, witness: 7001))

        let detach = #"{"call": "Detach", "request": {"pod": "web"}}"#
        for _ in 0..<2 {
            #expect((try host.python([], detach)[0]["answer"] as? [String: Any])?["status"] as? String == "APPLIED")
            #expect(try host.links().count == 1)
        }
        let named = try host.python([], #"{"call": "Attach", "request": {"pod": "client", "namespace": "/run/netns/elsewhere"}}"#)
        #expect((named[0]["answer"] as? [String: Any])?["status"] as? String == "REJECTED")
        let health = try host.python(
            [], #"{"call": "Check", "service": "grpc.health.v1.Health", "request": {"service": "hawser.v1.Push"}}"#,
            #"{"call": "Check", "service": "grpc.health.v1.Health", "request": {"service": "nobody"}}"#)
        #expect(health[0]["status"] as? String == "SERVING" && health[1].code == "NOT_FOUND")
    }
}
