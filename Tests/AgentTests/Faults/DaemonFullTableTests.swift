import Foundation
import Lab
import OwnThreads
import Testing

/// Where the kernel can't track another flow it drops the first packet of each, before any rule is asked (`nf_conntrack_in`,
/// net/netfilter/nf_conntrack_core.c).
@Suite("The daemon, where no more flows can be tracked", .serialized, .ownThreads) struct DaemonFullTableTests {
    private let place: FaultPlace
    private var host: DaemonHost { place.host }

    init() throws { place = try FaultPlace() }

    @Test("loses none of those there are, lets nothing through that is forbidden, and binds, attaches, deletes and starts as ever")
    func full() throws {
        try host.start()
        try place.apply(world("a", isExtra: false))
        // What goes on whatever is bound, and what ends with group a.
        let steady = try conversation(at: FaultPlace.both)
        let first = try conversation(at: FaultPlace.first)
        #expect(steady.wait(for: 20, within: .seconds(10)) && first.wait(for: 20, within: .seconds(10)))
        let never = try Flood(
            from: UDP(in: place.quiet[0].namespace, at: place.quiet[0].ipv4),
            to: UDP(in: place.web.namespace, at: place.web.ipv4, port: FaultPlace.neither), at: place.web.ipv4, every: .milliseconds(1))

        let made = try fill()
        #expect(made > 1000)
        #expect(try !isConnected(at: FaultPlace.both), "the table isn't full")
        #expect(steady.wait(for: 20, within: .seconds(10)) && first.wait(for: 20, within: .seconds(10)))

        try place.apply(world("b", isExtra: true))
        let bound = ContinuousClock.now
        #expect(steady.wait(for: 50, within: .seconds(10)))
        #expect(try host.status(of: "extra") == "applied")
        try place.apply(world("b", isExtra: false))
        #expect(try host.links().count == 3)
        host.end(SIGKILL)
        #expect(steady.wait(for: 20, within: .seconds(10)))
        try host.start()
        #expect(try host.isReady() && host.leftToRepair() == 0)
        #expect(steady.wait(for: 20, within: .seconds(10)))
        let halves = first.stop()
        #expect([halves.client, halves.server].allSatisfy { $0.arrived(after: bound) == 0 && $0.missing > 0 }, "the flow wasn't cut")

        // With room again all is judged as it is bound.
        try host.host.run("conntrack", "-F")
        #expect(try isConnected(at: FaultPlace.both) && isConnected(at: FaultPlace.second) && !isConnected(at: FaultPlace.first))
        #expect(steady.wait(for: 20, within: .seconds(10)))
        let kept = steady.stop()
        #expect(kept.client.missing == 0 && kept.server.missing == 0)
        let leaked = never.stop(after: 1000)
        #expect(leaked.received == 0, "of \(leaked.sent)")
        print("a table of \(made) flows: the longest pause of one that goes on was \(kept.client.longestPause)")
    }

    private func world(_ group: String, isExtra: Bool) -> String {
        place.everything(group, isExtra: isExtra).replacingOccurrences(of: "protocol: udp", with: "protocol: tcp")
    }

    /// How many flows there is room for.
    private func fill() throws -> Int {
        let output = try host.host.run("python3", DaemonHost.script("full.py"))
        return try #require(Int(output.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    private func conversation(at port: UInt16) throws -> Conversation {
        let listener = try TCPListener(in: place.web.namespace, at: place.web.ipv4, port: port)
        let connection = try TCP.connect(from: place.quiet[0].namespace, to: place.web.ipv4, port: port, within: .seconds(5))
        let client = try #require(connection)
        return Conversation(between: client, and: try #require(listener.accept(within: .seconds(5))), every: .milliseconds(5))
    }

    private func isConnected(at port: UInt16) throws -> Bool {
        let listener = try TCPListener(in: place.web.namespace, at: place.web.ipv6, port: port)
        return try withExtendedLifetime(listener) {
            try TCP.connect(from: place.quiet[0].namespace, to: place.web.ipv6, port: port, within: .seconds(2)) != nil
        }
    }
}
