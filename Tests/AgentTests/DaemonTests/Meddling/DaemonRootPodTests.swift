import Foundation
import HawserAPI
import Lab
import OwnThreads
import Testing

/// Each fails on 7673dba, but for the one about an address that goes: what bears the mark is taken for
/// Hawser's and deleted, and what is refused, or only noticed, makes the host unready.
@Suite("The daemon, and a pod that is root in its namespace,", .serialized, .ownThreads)
struct DaemonRootPodTests {
    /// A host with two pods that talk to each other, and the one that is root.
    private struct Place {
        let host: MeddledHost
        let root: DaemonPod

        init(isIsolated: Bool = false) throws {
            host = try MeddledHost(.init(isOwner: true, isIsolated: isIsolated))
            root = try host.daemon.pod("root", 30)
            #expect(try host.daemon.apply("pods:\n" + root.yaml("open")).status == 0)
            #expect(try host.isWhole())
        }

        func run(_ command: String) throws { try root.namespace.run("sh", "-c", command) }

        /// Lines of what `ip` lists in the pod.
        func count(_ command: String) throws -> Int {
            try Int(root.namespace.run("sh", "-c", "\(command) | wc -l").filter(\.isNumber)) ?? -1
        }

        func makeRoutes(_ number: Int) throws {
            let each = "seq 0 \(number - 1) | awk '{ printf \"route add"
            try run(each + #" 20.0.%d.%d/32 dev eth0 proto 104\n", $1 / 256, $1 % 256 }' | ip -batch -"#)
            try run(each + #" 2001:db8:%x::/64 dev eth0 proto 104\n", $1 }' | ip -6 -batch -"#)
        }

        func routes() throws -> [Int] {
            [
                try count("ip route show root 20.0.0.0/8 proto 104"),
                try count("ip -6 route show root 2001:db8::/32 proto 104"),
            ]
        }

        func reason() throws -> String { try host.daemon.reason(of: "root") }

        /// Whether the pod fails for this reason, while everybody else is served: a change of another pod is
        /// in force both ways, and the host is ready.
        func expectAlone(_ words: String, _ location: SourceLocation = #_sourceLocation) throws {
            #expect(
                try eventually { try host.daemon.status(of: "root") == "failed" }, sourceLocation: location)
            let reason = try reason()
            #expect(reason.contains(words), "\(reason)", sourceLocation: location)
            #expect(try host.daemon.isReady(), sourceLocation: location)
            for group in ["open", "servers"] {
                let outcome = try host.daemon.apply("pods:\n" + host.server.yaml(group))
                #expect(outcome.statuses == ["applied"], "\(outcome.output)", sourceLocation: location)
            }
            #expect(try host.isEnforced(), sourceLocation: location)
            #expect(try host.daemon.isReady(), sourceLocation: location)
        }
    }

    private static let many = 20_000

    @Test(
        "is told that it has more than it should when it makes tens of thousands of routes with Hawser's mark; none is taken away, others are served, and the next start doesn't mind",
        arguments: [false, true])
    func routes(isIsolated: Bool) throws {
        let place = try Place(isIsolated: isIsolated)
        try place.makeRoutes(Self.many)
        // Which wants it to be looked at.
        try place.run("ip route del default")
        try place.expectAlone("more than 500 addresses or routes at eth0")
        #expect(try place.routes() == [Self.many, Self.many])

        place.host.daemon.end(SIGKILL)
        try place.host.daemon.start()
        try place.expectAlone("more than 500 addresses or routes at eth0")
        #expect(try place.routes() == [Self.many, Self.many])
        #expect(try place.count("ip route show default") == 0, "nothing is done there")

        try place.run("ip route flush proto 104; ip -6 route flush proto 104")
        #expect(try place.host.daemon.hawser("resync").status == 0)
        #expect(try place.host.daemon.status(of: "root") == "applied")
        #expect(try place.count("ip route show default") == 1)
        #expect(try place.host.isWhole())
        #expect(
            try place.host.server.isReached(
                at: MeddledHost.open, from: place.root, 1, witness: MeddledHost.flood))
    }

    @Test("is told so of addresses, too, and is well by itself a while after they are gone")
    func addresses() throws {
        let place = try Place()
        try place.run("python3 \(DaemonHost.script("marked.py")) eth0 600")
        let count = try place.count("ip -o addr show dev eth0 | grep -E '198.18|2001:db8'")
        #expect(count == 1200)
        try place.run("ip route del default")
        try place.expectAlone("more than 50")
        #expect(try place.count("ip -o addr show dev eth0 | grep -E '198.18|2001:db8'") == count)
        let all = "ip -o addr show dev eth0 | grep -Eo '(198.18|2001:db8)[^ ]*'"
        try place.run("for a in $(\(all)); do echo addr del $a dev eth0; done | ip -batch -")
        #expect(
            try eventually(within: .seconds(90)) { try place.host.daemon.status(of: "root") == "applied" })
        #expect(try place.count("ip route show default") == 1)
        #expect(try place.host.isWhole())
    }

    @Test("keeps what it has made with Hawser's mark, and is served, as long as that isn't too much")
    func marked() throws {
        let place = try Place()
        try place.run("python3 \(DaemonHost.script("marked.py")) eth0 20")
        try place.makeRoutes(100)
        let entries =
            #"neigh add 198.19.%d.%d lladdr 02:00:00:00:00:01 dev eth0 nud permanent protocol 104\n"#
        try place.run(#"seq 0 999 | awk '{ printf ""# + entries + #"", $1 / 256, $1 % 256 }' | ip -batch -"#)
        func own() throws -> [Int] {
            try place.routes() + [
                place.count("ip -o addr show dev eth0 | grep -E '198.18|2001:db8'"),
                place.count("ip neigh show to 198.19.0.0/16 nud permanent"),
            ]
        }
        #expect(try own() == [100, 100, 40, 1000])
        // Hawser's own is put right beside it, and told.
        for command in [
            "ip route del default", "ip -6 addr del fd00:1::1e/128 dev eth0",
            "ip neigh del 10.1.0.1 dev eth0",
        ] {
            _ = try place.host.meddle(command, in: place.root.namespace, expecting: "was missing")
            #expect(try place.host.isWhole(), "\(command)")
        }
        place.host.daemon.end(SIGKILL)
        try place.host.daemon.start()
        #expect(try place.host.isWhole())
        #expect(try own() == [100, 100, 40, 1000])
        #expect(try place.host.daemon.status(of: "root") == "applied")
        #expect(
            try place.host.server.isReached(
                at: MeddledHost.open, from: place.root, 1, witness: MeddledHost.flood))
    }

    @Test("loses an address of Hawser's that it isn't to have any more")
    func former() throws {
        let place = try Place()
        #expect(
            try place.root.namespace.run("ip", "-o", "addr", "show", "dev", "eth0").contains("10.1.0.30/32"))
        let moved = place.root.yaml("open").replacing("10.1.0.30", with: "10.1.0.31")
        #expect(try place.host.daemon.apply("pods:\n" + moved).status == 0)
        let addresses = try place.root.namespace.run("ip", "-o", "addr", "show", "dev", "eth0")
        #expect(addresses.contains("10.1.0.31/32") && !addresses.contains("10.1.0.30/32"))
        #expect(try place.host.isWhole())
    }

    @Test(
        "fails alone when an interface of its own is in the place of Hawser's, and is well by itself when that is gone"
    )
    func renames() throws {
        let place = try Place()
        try place.run(
            "ip link add d0 type veth peer name d1; ip link set eth0 name x0; ip link set d0 name eth0")
        try place.expectAlone("has an interface eth0 already")
        try place.run("ip link del eth0")
        #expect(
            try eventually(within: .seconds(40)) { try place.host.daemon.status(of: "root") == "applied" })
        #expect(try place.host.isWhole())
        #expect(
            try place.host.server.isReached(
                at: MeddledHost.open, from: place.root, 0, witness: MeddledHost.flood))
    }

    @Test("fails alone when it has no IPv6, and is well by itself when it has")
    func withoutIPv6() throws {
        let place = try Place()
        try place.run("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
        try place.expectAlone("fd00:1::1e")
        #expect(
            try place.host.server.isReached(
                at: MeddledHost.open, from: place.root, 0, witness: MeddledHost.flood), "IPv4 goes on")
        try place.run("echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
        #expect(
            try eventually(within: .seconds(40)) { try place.host.daemon.status(of: "root") == "applied" })
        #expect(try place.host.isWhole())
        #expect(
            try place.host.server.isReached(
                at: MeddledHost.open, from: place.root, 1, witness: MeddledHost.flood))
    }

    @Test("fails alone when it has a default route of its own in the place of Hawser's")
    func ownWay() throws {
        let place = try Place()
        try place.run("ip route replace default via 10.1.0.1 dev eth0 onlink proto static")
        try place.expectAlone("the pod has a route to 0.0.0.0/0 that isn't Hawser's")
        #expect(try place.root.namespace.run("ip", "route", "show", "default").contains("static"))
        try place.run("ip route del default")
        #expect(
            try eventually(within: .seconds(40)) { try place.host.daemon.status(of: "root") == "applied" })
        #expect(try place.host.isWhole())
    }

    @Test("doesn't keep the host from being ready for a moment, whatever it does to its interface")
    func ready() async throws {
        let place = try Place()
        let debug = DebugClient(socket: place.host.daemon.folder.file("debug.sock"))
        let commands = [
            "ip link del eth0", "ip link set eth0 down", "ip link set eth0 name eth9",
            "ip addr flush dev eth0", "ip -6 route del default",
        ]
        var asked = 0
        for command in commands + commands {
            let repairs = try await debug.status().repairs
            try place.run(command)
            var status = try await debug.status()
            let deadline = ContinuousClock.now + .seconds(20)
            while status.repairs == repairs, .now < deadline {
                #expect(status.ready, "\(command): \(status.reason ?? "")")
                asked += 1
                status = try await debug.status()
            }
            #expect(status.repairs > repairs, "\(command) isn't put right")
        }
        #expect(asked > 0)
        #expect(try eventually(within: .seconds(40)) { try place.host.isWhole() })
        #expect(try place.host.isEnforced())
    }
}
