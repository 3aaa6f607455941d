import Foundation
import Lab
import OwnThreads
import Testing

@Suite("Pushes that contradict each other", .serialized, .ownThreads) struct PushConflictTests {
    private static let channels = 10
    private static let rounds = 12

    /// Two groups for each channel, which the pod is bound to as a pair: 7500 is open by any pair's first group, 7501 by any second one.
    private static var groups: [String: [UInt16]] {
        var groups: [String: [UInt16]] = [:]
        for channel in 0..<channels {
            for half in 0..<2 { groups["g-\(channel)-\(half)"] = [port(channel, half), UInt16(7500 + half)] }
        }
        return groups
    }

    private static func port(_ channel: Int, _ half: Int) -> UInt16 { UInt16(7000 + 100 * half + channel) }

    /// Whatever bytes are in it: it is read while it is written.
    private func events(in record: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: record)), as: UTF8.self)
    }

    @Test("leave a pod with one of its bindings, in every transaction of the kernel and at the end, and drop no packet that all allow")
    func channels() throws {
        let host = try DaemonHost()
        let (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
        try host.start(DaemonHost.plaintext)
        // The other pod keeps all groups in the kernel, so that only bindings change.
        let pods = [web.json("g-0-0", "g-0-1"), client.json(["open"] + Self.groups.keys.sorted())]
        let resources = DaemonHost.resources(Self.groups, pods: pods.joined(separator: ","))
        #expect(Set(try host.python([], DaemonHost.apply(#"{"upserts": \#(resources)}"#))[0].statuses) == ["APPLIED"])

        let record = host.folder.file("monitor")
        let monitor = try LabProgram(["nft", "monitor"], in: host.host, log: record)
        #expect(
            try eventually {
                try host.host.run(["nft", "-f", "-"], input: "add table inet before\ndelete table inet before\n")
                return try events(in: record).contains("before")
            })
        let floods = try (0..<2).map { half in
            try Flood(
                from: UDP(in: client.namespace, at: client.ipv4), to: UDP(in: web.namespace, at: web.ipv4, port: UInt16(7500 + half)),
                at: web.ipv4, every: .milliseconds(2))
        }
        let scripts = try (0..<Self.channels).map { channel in
            let push = DaemonHost.send(#"{"upserts": {"pods": [\#(web.json("g-\(channel)-0", "g-\(channel)-1"))]}}"#, id: "\(channel)")
            // One that waits for each answer, and one that doesn't.
            let pushes =
                channel % 2 == 0
                ? [String](repeating: push, count: Self.rounds) + [#"{"receive": \#(Self.rounds)}"#]
                : (0..<Self.rounds).flatMap { _ in [push, #"{"receive": 1}"#] }
            return try host.beside("channel-\(channel)", ([#"{"open": "Push"}"#] + pushes + [#"{"close": true}"#]).joined(separator: "\n"))
        }
        for (channel, script) in scripts.enumerated() {
            #expect(script.wait() == 0)
            let lines = try String(contentsOfFile: host.folder.file("channel-\(channel).out"), encoding: .utf8).split(separator: "\n")
            #expect(lines.count == Self.rounds + 1 && lines.dropLast().allSatisfy { $0.contains("APPLIED") }, "\(lines)")
        }
        for flood in floods {
            let report = flood.stop(after: 100)
            #expect(report.lost == [], "\(report.lost.count) of \(report.sent)")
        }
        try host.host.run(["nft", "-f", "-"], input: "add table inet after\ndelete table inet after\n")
        let isHeard = try eventually(within: .seconds(60)) {
            try host.host.run("sleep", "0.1")
            return try events(in: record).contains("add table inet after")
        }
        #expect(isHeard, "what the kernel tells last")
        #expect(monitor.end(SIGTERM) == 128 + SIGTERM, "it still ran")

        let bindings = try Bindings(of: events(in: record), from: ["sg-in/g-0-0", "sg-in/g-0-1"])
        #expect(bindings.isComplete, "the kernel told of every transaction")
        #expect(bindings.seen.count > Self.channels, "it was bound again and again")
        let pairs = (0..<Self.channels).map { Set(["sg-in/g-\($0)-0", "sg-in/g-\($0)-1"]) }
        #expect(bindings.seen.allSatisfy(pairs.contains), "\(bindings.seen.filter { !pairs.contains($0) })")

        let pod = try #require(try host.hawser("pods", "--output", "json").list.first { $0["id"] as? String == "web" })
        let bound = try #require(pod["securityGroups"] as? [String])
        let winner = try #require(bound.first?.split(separator: "-").dropFirst().first.flatMap { Int($0) })
        #expect(bound == ["g-\(winner)-0", "g-\(winner)-1"])
        #expect(bindings.seen.last == pairs[winner])
        for channel in 0..<Self.channels {
            for half in 0..<2 {
                let isOpen = try web.isReached(at: Self.port(channel, half), from: client, 0, witness: 7500)
                #expect(isOpen == (channel == winner), "\(channel), \(half)")
            }
        }
    }
}

/// What a pod is bound to after each transaction, as the kernel tells of it (`nft monitor`).
private struct Bindings {
    private(set) var seen: [Set<String>] = []
    /// No generation is missing.
    private(set) var isComplete = true

    /// - Parameter first: the chains that the pod's elements lead to at the beginning.
    init(of events: String, from first: Set<String>) throws {
        var bound = first
        var last: Int?
        for line in events.split(separator: "\n") {
            if let generation = try /^# new generation (\d+)/.firstMatch(in: line)?.1 {
                let number = Int(generation)
                if let last, let number, number != last + 1 { isComplete = false }
                last = number
                if seen.last != bound { seen.append(bound) }
            } else if let (_, verb, chain) = try /^(add|delete) element .*pod web.*jump (sg-in\/g-[0-9-]+)/.firstMatch(in: line)?.output {
                if verb == "add" { bound.insert(String(chain)) } else { bound.remove(String(chain)) }
            }
        }
    }
}
