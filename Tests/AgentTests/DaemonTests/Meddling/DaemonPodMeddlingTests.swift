import Foundation
import HostNetwork
import Lab
import OwnThreads
import Testing

@Suite("The daemon, when a pod meddles with its own end", .serialized, .ownThreads) struct DaemonPodMeddlingTests {
    /// What is done inside the server's namespace, and what the event says of it.
    private static let commands: [(command: String, words: String)] = [
        ("ip link set eth0 down", "down instead of up"),
        ("ip link set eth0 mtu 1300", "another mtu than 1500"),
        ("ip link set eth0 address 02:00:00:00:00:99", "the pod side's address 02:00:00:00:00:99 instead of 02:00:0a:01:00:10"),
        ("(echo addr del 10.1.0.10/32 dev eth0; sleep 1) | ip -batch -", "; by ip (process"),
        ("ip addr flush dev eth0", "dev HW's pod side was missing"),
        ("ip route del default", "route 0.0.0.0/0 via 10.1.0.1 onlink dev HW's pod side was missing"),
        ("ip -6 route del default", "route ::/0 via fd00:1::1 onlink dev HW's pod side was missing"),
        ("ip neigh flush dev eth0 nud permanent", "dev HW's pod side was missing"),
        ("ip neigh replace 10.1.0.1 lladdr 02:00:00:00:00:99 dev eth0", "was in the place of neighbor 10.1.0.1"),
        ("ip link set eth0 name eth9", "pod side eth9 instead of eth0"),
        ("ip link del eth0", "link HW was missing"),
    ]

    @Test("puts right what is changed of a pod side, and says what", arguments: [false, true])
    func repairs(isIsolated: Bool) throws {
        let host = try MeddledHost(.init(isOwner: true, isIsolated: isIsolated))
        #expect(try host.isEnforced() && host.isWhole())
        let forbidden = try host.floods().forbidden
        let before = try host.daemon.inventory()
        var longest = (time: Duration.zero, command: "")
        for (count, (command, words)) in Self.commands.enumerated() {
            let repair = try host.meddle(command, in: host.server.namespace, expecting: words.replacing("HW", with: host.link))
            #expect(repair.resource == "pod web", "\(command)")
            #expect(try host.isEnforced(), "\(command)")
            #expect(try host.isWhole(), "\(command): something was left to repair: \(host.daemon.log.suffix(1500))")
            #expect(try host.status["repairs"] as? Int ?? 0 > count, "\(command)")
            if repair.time > longest.time { longest = (repair.time, command) }
        }
        #expect(try host.daemon.inventory() == before)
        print("\(host.place.testDescription): longest time to heal a pod side \(longest.time) (\(longest.command))")
        let report = forbidden.stop(after: 1000)
        #expect(report.received == 0, "forbidden packets that passed")
    }

    @Test("leaves alone what a pod adds for itself")
    func additions() throws {
        let host = try MeddledHost(.init(isOwner: true, isIsolated: false))
        try host.server.namespace.run("ip", "addr", "add", "192.0.2.1/24", "dev", "eth0")
        try host.server.namespace.run("ip", "link", "add", "own0", "type", "veth", "peer", "name", "own1")
        try host.server.namespace.run("ip", "route", "add", "203.0.113.0/24", "via", "10.1.0.1", "dev", "eth0", "onlink")
        // What was told before something that is repaired was looked at by then.
        _ = try host.meddle("ip route del default", in: host.server.namespace, expecting: "0.0.0.0/0")
        #expect(try host.status["repairs"] as? Int == 1)
        #expect(try host.isWhole() && host.isEnforced())
        #expect(try host.server.namespace.run("ip", "addr", "show", "dev", "eth0").contains("192.0.2.1"))
        #expect(try host.server.namespace.run("ip", "route").contains("203.0.113.0/24"))
    }

    @Test("doesn't look at what it has done there itself")
    func itsOwn() throws {
        let place = try FaultPlace()
        let point = FaultPoint()
        try place.host.start(judging: FaultPoint.calls, point.judge)
        try place.apply(place.everything("a", isExtra: false))
        _ = try place.host.settled()
        /// How many lists are read until something that a pod did is put right: what was told before it was looked at by then.
        func looks(after change: () throws -> Void) throws -> Int {
            point.arm(at: nil)
            try change()
            let quiet = place.quiet[0].namespace
            try quiet.run("ip", "link", "set", "eth0", "down")
            #expect(try eventually { try quiet.run("ip", "link", "show", "dev", "eth0").contains("state UP") })
            _ = try place.host.settled()
            #expect(try eventually { try place.host.isReady() })
            return point.disarm().joined().count(where: \.isDump)
        }
        let looks = (try looks {}, try looks { try place.apply(place.everything("b", isExtra: true)) })
        #expect(looks.0 > 0 && looks.1 == looks.0)
    }

    @Test("spends next to nothing on a pod that flaps its interface for ever, and others are looked after meanwhile")
    func flapping() throws {
        let host = try MeddledHost(.init(isOwner: true, isIsolated: false))
        let goesOn = try host.daemon.folder.write("", to: "goes-on")
        let loop = "while [ -e \(goesOn) ]; do echo link set eth0 mtu 1300; echo link set eth0 mtu 1400; done | ip -batch -"
        let flapper = try LabProgram(["sh", "-c", loop], in: host.client.namespace, log: host.daemon.folder.file("flapper"))
        // Until its burst is used up.
        #expect(try eventually(within: .seconds(60)) { try host.status["repairs"] as? Int ?? 0 >= 20 })
        let start = (try host.daemon.processorTime(), try host.status["repairs"] as? Int ?? 0, ContinuousClock.now)
        let repair = try host.meddle("ip route del default", in: host.server.namespace, expecting: "0.0.0.0/0")
        #expect(repair.resource == "pod web")
        // It waits for no repair of the other's, and that one doesn't keep the host from being ready for good.
        #expect(try eventually(within: .seconds(20)) { try host.status["ready"] as? Bool == true })
        // Looks that are late catch up, so a few repairs say little of the pace.
        #expect(try eventually(within: .seconds(60)) { try host.status["repairs"] as? Int ?? 0 >= start.1 + 15 })
        let time = start.2.duration(to: .now)
        let spent = try host.daemon.processorTime() - start.0
        print("a pod that flaps: \(spent) of processor time in \(time)")
        #expect(spent < time / 4)
        // Once a second, and not as often as turns come.
        #expect(time > .seconds(7))
        try host.daemon.folder.remove("goes-on")
        #expect(eventually { flapper.hasEnded })
        #expect(try eventually(within: .seconds(20)) { try host.isWhole() })
        #expect(try host.isEnforced())
    }

    @Test("lets a pod's namespace end, though it listens inside")
    func ends() throws {
        let host = try MeddledHost(.init(isOwner: true, isIsolated: false))
        host.client.namespace.remove()
        #expect(try eventually { try host.daemon.status(of: "client") == "pending" })
        #expect(try eventually { try host.daemon.links().count == 1 })
    }
}
