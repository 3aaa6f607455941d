import Foundation
import HawserProtocol
import Lab
import SwiftProtobuf
import OwnThreads
import Testing

@Suite("The daemon, told by Alcor", .serialized, .ownThreads) struct DaemonAlcorTests {
    @Test("enforces a port's groups before it answers, and other groups when the port comes again with those")
    func rebinding() throws {
        let host = try DaemonHost()
        let (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
        try host.startForAlcor()
        let first = try host.push(
            AlcorSample.goal {
                $0.vpcStates = [AlcorSample.vpc()]
                $0.subnetStates = [AlcorSample.subnet()]
                $0.securityGroupStates = [AlcorSample.opening("a", 7000, 7001), AlcorSample.opening("b", 7100, 7001)]
                $0.portStates = [web.port("a"), client.port("a")]
            })
        #expect(first.alcorStatuses == .init(repeating: "SUCCESS", count: 6), "\(first.output) \(first.complaints)")
        #expect(first.status == 0)
        #expect(try web.isReached(at: 7000, from: client, 0, witness: 7001))
        #expect(try !web.isReached(at: 7100, from: client, 0, witness: 7001))

        // Only the new groups are on the wire.
        let second = try host.push(AlcorSample.goal { $0.portStates = [web.port("b")] })
        #expect(second.alcorStatuses == ["SUCCESS"])
        #expect(try web.isReached(at: 7100, from: client, 0, witness: 7001))
        #expect(try !web.isReached(at: 7000, from: client, 0, witness: 7001))

        let settled = try host.settled()
        let generation = try host.generation()
        #expect(try host.push(AlcorSample.goal { $0.portStates = [web.port("b")] }).alcorStatuses == ["SUCCESS"])
        #expect(try host.generation() == generation)
        #expect(try host.inventory() == settled)

        // The group goes with the last port that is bound to it.
        let third = try host.push(
            AlcorSample.goal {
                $0.securityGroupStates = [AlcorSample.group("b", [], .delete), AlcorSample.group("a", [], .delete)]
                $0.portStates = [web.port(operation: .delete)]
            })
        #expect(third.alcorStatuses == ["SUCCESS", "SUCCESS", "SUCCESS"])
        #expect(try web.namespace.json("ip", "-j", "link", "show").count == 1)
        let groups = try host.hawser("groups", "--output", "json").list.compactMap { $0["id"] as? String }
        #expect(groups == ["a", "vpc-1/default"])
    }

    @Test("leaves a port pending whose namespace, group or subnet isn't there, and applies it by itself")
    func pending() throws {
        let host = try DaemonHost()
        let client = try host.pod("client", 20)
        try host.startForAlcor()
        let path = host.host.path.replacing("-host", with: "-late")
        let late = AlcorSample.port("late", 10, groups: ["a"], device: URL(filePath: path).lastPathComponent)
        let early = try host.push(AlcorSample.goal { $0.portStates = [late] })
        #expect(early.alcorStatuses == ["FAILURE"])
        #expect(early.status == 1)
        #expect(early.complaints.contains("subnet-1"))

        // What it waits for comes piece by piece, and a daemon that was killed in between remembers.
        host.end(SIGKILL)
        try host.start()
        #expect(
            try host.push(
                AlcorSample.goal {
                    $0.subnetStates = [AlcorSample.subnet()]
                    $0.portStates = [client.port("open")]
                }
            ).alcorStatuses == ["SUCCESS", "PENDING"])
        #expect(try host.status(of: "late") == "pending")
        #expect(try host.push(AlcorSample.goal { $0.portStates = [late] }).alcorStatuses == ["PENDING"])
        let pod = DaemonPod(id: "late", number: 10, namespace: try host.lab.namespace("late"))
        try #require(pod.namespace.path == path)
        #expect(try eventually { try host.links().count == 2 })
        #expect(try host.status(of: "late") == "pending", "for its group")
        #expect(
            try host.push(
                AlcorSample.goal { $0.securityGroupStates = [AlcorSample.opening("open", 7001), AlcorSample.opening("a", 7000, 7001)] }
            ).alcorStatuses == ["SUCCESS", "SUCCESS"])
        #expect(try host.status(of: "late") == "applied")
        #expect(try pod.isReached(at: 7000, from: client, 0, witness: 7001))
        #expect(try !pod.isReached(at: 7100, from: client, 0, witness: 7001))

        var down = pod.port("a")
        down.configuration.adminStateUp = false
        #expect(try host.push(AlcorSample.goal { $0.portStates = [down] }).alcorStatuses == ["SUCCESS"])
        #expect(try pod.namespace.json("ip", "-j", "link", "show", "eth0").first?["operstate"] as? String == "DOWN")
        #expect(try host.push(AlcorSample.goal { $0.portStates = [pod.port("a")] }).alcorStatuses == ["SUCCESS"])
        #expect(try pod.isReached(at: 7000, from: client, 0, witness: 7001))

        // An update without a device lets go of the namespace.
        let detached = AlcorSample.port("late", 10, groups: ["a"], .update)
        #expect(try host.push(AlcorSample.goal { $0.portStates = [detached] }).alcorStatuses == ["SUCCESS"])
        #expect(try host.links().count == 1)
        #expect(try pod.namespace.json("ip", "-j", "link", "show").count == 1)
    }

    @Test("lets in the neighbors that are members of the group that a rule names, and no longer when they go")
    func neighbors() throws {
        let host = try DaemonHost()
        let web = try host.pod("web", 10)
        try host.startForAlcor()
        let neighbor = AlcorSample.neighbor("far", "10.1.0.77", groups: ["clients"])
        let group = AlcorSample.group("web", [AlcorSample.rule("in", .ingress, .udp, 7000, 7000, group: "clients")])
        #expect(
            try host.push(
                AlcorSample.goal {
                    $0.subnetStates = [AlcorSample.subnet()]
                    $0.securityGroupStates = [group, AlcorSample.group("clients", [])]
                    $0.portStates = [web.port("web")]
                    $0.neighborStates = [neighbor]
                }
            ).alcorStatuses == .init(repeating: "SUCCESS", count: 5))
        func verdict() throws -> String? {
            try host.hawser(
                "explain", "--pod", "web", "--ingress", "--remote", "10.1.0.77", "--protocol", "udp", "--port", "7000", "--output", "json"
            ).object["verdict"] as? String
        }
        #expect(try verdict() == "allowed")
        #expect(try host.host.run("nft", "list", "ruleset").contains("10.1.0.77"))
        let gone = Alcor_Schema_NeighborRulesRequest.with {
            $0.neigborstates = [AlcorSample.neighbor("far", "10.1.0.77", groups: ["clients"], .delete)]
        }
        let replies = try host.python(DaemonHost.call("PushGoalstates", gone))
        #expect(replies.map(\.alcorStatuses) == [["SUCCESS"]])
        #expect(try verdict() == "denied")
        #expect(try !host.host.run("nft", "list", "ruleset").contains("10.1.0.77"))
    }

    @Test("answers each message of a stream in its order, to a client that isn't Swift")
    func stream() throws {
        let host = try DaemonHost()
        let (web, client) = (try host.pod("web", 10), try host.pod("client", 20))
        try host.startForAlcor()
        let whole = AlcorSample.goal {
            $0.formatVersion = 102
            $0.subnetStates = [AlcorSample.subnet()]
            $0.securityGroupStates = [AlcorSample.opening("a", 7000, 7001), AlcorSample.opening("b", 7100, 7001)]
            $0.portStates = [web.port("a"), client.port("a")]
            $0.neighborStates = [AlcorSample.neighbor("far", "10.1.0.77", .UNRECOGNIZED(9))]
        }
        // More than gRPC takes by itself: 4 MiB.
        let padding = String(repeating: "x", count: 40_000)
        let big = AlcorSample.goal {
            $0.neighborStates = (0..<150).map { number in
                var neighbor = AlcorSample.neighbor("n-\(number)", "10.1.0.\(100 + number)")
                neighbor.configuration.name = padding
                return neighbor
            }
        }
        let replies = try host.python(
            DaemonHost.open, DaemonHost.send(.init()), DaemonHost.receive(1), DaemonHost.send(whole.second),
            DaemonHost.send(AlcorSample.goal { $0.portStates = [web.port("b")] }.second),
            DaemonHost.send(AlcorSample.goal { $0.portStates = [AlcorSample.port("web", 10, .get)] }.second), DaemonHost.send(big.second),
            DaemonHost.receive(4), DaemonHost.close)
        try #require(replies.count == 6, "\(replies)")
        #expect(replies[0].alcorStatuses == [])
        #expect(replies[1].alcorStatuses == ["SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS", "INVALID_ARG"])
        #expect(replies[1]["formatVersion"] as? Int == 102)
        #expect(replies[1].alcorStates.map { $0["resourceId"] as? String } == ["subnet-1", "a", "b", "web", "client", "far"])
        #expect(replies[1].alcorStates.last?["operationType"] as? Int == 9)
        #expect(replies[2].alcorStatuses == ["SUCCESS"] && replies[3].alcorStatuses == ["SUCCESS"])
        #expect(replies[4].alcorStatuses == .init(repeating: "SUCCESS", count: 150))
        #expect(replies[5]["code"] as? String == "OK")
        for reply in replies.dropLast() {
            let total = try #require(reply["messageTotalOperationTime"] as? Int)
            for state in reply.alcorStates { #expect((1...total).contains(state["stateElapseTime"] as? Int ?? 0)) }
        }
        #expect(try web.isReached(at: 7100, from: client, 0, witness: 7001))
        #expect(try !web.isReached(at: 7000, from: client, 0, witness: 7001))
        let asked = try host.python(DaemonHost.call("RequestGoalStates", Alcor_Schema_HostRequest()))
        #expect(asked.map { $0["code"] as? String } == ["UNIMPLEMENTED"])
    }

    @Test("takes one of the groups of each message when ten channels push at once, and never a mixture")
    func channels() throws {
        let host = try DaemonHost()
        let web = try host.pod("web", 10)
        try host.startForAlcor()
        #expect(try host.push(AlcorSample.goal { $0.subnetStates = [AlcorSample.subnet()] }).status == 0)
        // Each channel's message makes three groups and binds the port to them, again and again.
        let scripts = try (0..<10).map { channel in
            let message = AlcorSample.goal {
                let groups = (0..<3).map { "g-\(channel)-\($0)" }
                $0.securityGroupStates = groups.map { AlcorSample.opening($0, UInt32(7000 + channel)) }
                $0.portStates = [web.port()]
                $0.portStates[0].configuration.securityGroupIds = groups.map { group in .with { $0.id = group } }
            }
            let steps =
                [DaemonHost.open] + (try (0..<8).map { _ in try DaemonHost.send(message.second) }) + [
                    DaemonHost.receive(8), DaemonHost.close,
                ]
            return try host.folder.write(steps.joined(separator: "\n") + "\n", to: "channel-\(channel)")
        }
        // An output each, lest their lines mix.
        let line = scripts.map { "\(DaemonHost.client.joined(separator: " ")) 127.0.0.1:\(DaemonHost.alcorPort) < \($0) > \($0).out &" }
        try host.host.run("sh", "-c", line.joined(separator: "\n") + "\nwait")
        for script in scripts {
            let output = try String(contentsOfFile: script + ".out", encoding: .utf8)
            let replies = try output.split(separator: "\n").map { line in
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            }
            #expect(replies.count == 9, "\(output)")
            for reply in replies.dropLast() { #expect(reply.alcorStatuses == .init(repeating: "SUCCESS", count: 4), "\(reply)") }
            #expect(replies.last?["code"] as? String == "OK")
        }
        let pod = try #require(try host.hawser("pods", "--output", "json").list.first)
        let bound = try #require(pod["securityGroups"] as? [String])
        let channel = try #require(bound.first?.split(separator: "-").dropFirst().first)
        #expect(bound == (0..<3).map { "g-\(channel)-\($0)" })
        #expect(pod["status"] as? String == "applied")
    }
}
