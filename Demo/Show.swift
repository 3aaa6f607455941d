import Foundation
import HawserAPI
import Lab

/// The demo, chapter by chapter.
struct Show {
    let stage: Stage
    let page: Page

    init(_ stage: Stage, _ page: Page) {
        self.stage = stage
        self.page = page
    }

    func run() throws {
        introduce()
        try start()
        try explainIntents()
        try measure("Who reaches whom", Self.atFirst)
        try rebind()
        try measure("Who reaches whom now", Self.quarantined)
        try inspect()
        try crash()
    }

    // MARK: Before

    private func introduce() {
        page.say(page.styled("Hawser: the network agent of one host", .bold))
        page.say(
            """

            A cloud runs pods on many hosts. Something on each host must give every pod its network interface, and must let through
            exactly the traffic that the pod's security groups allow, also when they change under traffic, also when that something
            crashes. Hawser's daemon, hawserd, is that something: it talks to the kernel directly (netlink), and the kernel does the rest.

            This demo makes a host with three pods out of network namespaces, apart from this machine's own network. It will
              1. start hawserd with the intents of Config/examples, and measure who reaches whom,
              2. bind a pod to another security group while connections run through it, and see what becomes of each,
              3. show what hawserd programmed, and what an operator sees of it,
              4. kill hawserd under traffic and start it again.
            Each ✓ is a promise that was just measured.
            """)
    }

    private func start() throws {
        page.chapter("A host, three pods, and hawserd")
        page.say("  Empty network namespaces: host, web-0, db-0, client-0; and one out in the world, an office.")
        let time = try stage.startDaemon()
        page.command("hawserd --intents-directory Config/examples")
        page.check("ready after \(time.text): three pods have their interface, and their policy was in force before it came up", true)
        page.command("hawser pods", output: try stage.hawser("pods"))
    }

    private func explainIntents() throws {
        page.chapter("What is asked for")
        let groups: [GroupView] = try stage.ask("groups")
        for group in groups { for line in group.inTwoLines { page.say("  " + line) } }
        page.say("  A group is a set of rules that only allow; what no group of a pod allows is denied. Replies pass by themselves.")
    }

    // MARK: The matrix

    /// What Config/examples says, by hand.
    private static let atFirst: [Matrix.Way] = [
        .init("client-0", "web-0", [.http, .ping]), .init("client-0", "db-0"), .init("web-0", "db-0", [.sql]),
        .init("web-0", "client-0"), .init("db-0", "web-0"), .init("db-0", "client-0"), .init("office", "web-0", [.http, .ping]),
        .init("office", "db-0", [.ssh]), .init("office", "client-0"), .init("host", "db-0", [.http, .sql, .ssh, .ping]),
        .init("client-0", "host", [.ping]),
    ]

    private static let quarantined: [Matrix.Way] = [
        .init("client-0", "web-0", [.http]), .init("office", "web-0", [.http]), .init("web-0", "db-0"), .init("web-0", "client-0"),
        .init("office", "db-0", [.ssh]),
    ]

    private func measure(_ title: String, _ ways: [Matrix.Way]) throws {
        page.chapter(title + ", measured by real packets")
        let matrix = try Matrix(ways, on: stage)
        for line in matrix.lines(page) { page.say("  " + line) }
        let surprises = matrix.surprises
        page.check(
            "\(matrix.measured.count) attempts, each with the outcome that the rules say", surprises.isEmpty,
            otherwise: surprises.joined(separator: "; "))
    }

    // MARK: After a rebinding

    private func inspect() throws {
        page.chapter("What an operator sees")
        page.command("hawser rules db-0", output: try stage.hawser("rules", "db-0"))
        page.command("hawser status", output: try stage.hawser("status"))
        let table = try stage.host.run("nft", "list", "table", "inet", "hawser").split(separator: "\n", omittingEmptySubsequences: false)
        page.command("nft list table inet hawser", output: Self.excerpt(of: table))
        page.say("  (\(table.count) lines, of which these are a few. Whatever Hawser programs, the distribution's own nft lists it.)")
    }

    /// The chain that judges what comes for a pod, and the map that binds pods to groups.
    private static func excerpt(of lines: [Substring]) -> [String] {
        ["chain ingress ", "map in-1 ", "chain sg-in/db "].flatMap { start -> [Substring] in
            guard let first = lines.firstIndex(where: { $0.drop { $0 == "\t" }.hasPrefix(start) }) else { return [] }
            let end = lines[first...].firstIndex { $0 == "\t}" } ?? first
            return Array(lines[first...end].prefix(12))
        }.map { String($0.prefix(150)) }
    }

    // MARK: A crash

    private func crash() throws {
        page.chapter("hawserd is killed under traffic, and starts again")
        let traffic = try Traffic.Survivors(on: stage)
        let (monitor, record) = try stage.start("nft", "monitor", log: "nft-monitor")
        try traffic.flow(200)
        stage.killDaemon()
        page.command("kill -9 $(pgrep -x hawserd)")
        try traffic.flow(200)
        let time = try stage.startDaemon()
        page.command("hawserd --intents-directory Config/examples")
        try traffic.flow(200)
        monitor.end(SIGTERM)
        // A process that starts takes over the tables, whose owner has died. Everything else would be a change.
        let written = try String(contentsOfFile: record, encoding: .utf8).split(separator: "\n").filter { line in
            !line.hasPrefix("add table ") && !line.hasPrefix("# new generation ")
        }
        let (shop, log) = traffic.stop()
        page.check(
            "client-0 → web-0: \(shop.client.sent + shop.server.sent) messages sent, \(shop.client.missing + shop.server.missing) lost",
            shop.client.missing + shop.server.missing == 0)
        page.check("web-0 → office: \(log.sent) datagrams sent, \(log.lost.count) lost", log.lost.isEmpty)
        page.check(
            "ready again after \(time.text); it found everything as wanted, took over its tables, and changed nothing (nft monitor saw \(written.count) changes)",
            written.isEmpty, otherwise: written.prefix(3).joined(separator: "; "))
        let pod: PodView = try stage.ask("pods", "web-0")
        page.check(
            "the quarantine is remembered: web-0 is bound to \(pod.securityGroups.joined(separator: ", "))",
            pod.securityGroups == ["quarantine"])
    }
}

extension GroupView {
    /// Who is bound to it, and what its rules allow.
    fileprivate var inTwoLines: [String] {
        let bound = boundBy.isEmpty ? "no pod of this host" : boundBy.joined(separator: ", ")
        let allowed = rules.map(\.text).joined(separator: "; ")
        return ["group \(id), bound by \(bound):", "    " + (allowed.isEmpty ? "allows nothing" : allowed)]
    }
}
