import Foundation
import HawserAPI
import Lab

extension Show {
    /// A pod that somebody has broken into: it goes on serving, and reaches nothing inside any more.
    private static let quarantine = """
        securityGroups:
          - id: quarantine
            network: blue
            rules:
              - {id: quarantine-http, direction: ingress, protocol: tcp, ports: 80-81}
              - {id: quarantine-log, direction: egress, protocol: udp, ports: 514, remote: {addressGroup: office}}
        pods:
          - id: web-0
            network: blue
            namespace: /run/netns/web-0
            addresses: [10.1.0.10, "fd00:1::10"]
            securityGroups: [quarantine]

        """

    /// The heart of it: another binding under traffic.
    func rebind() throws {
        page.chapter("web-0 is bound to another group, under traffic")
        page.say("  Suppose that somebody broke into web-0. It shall go on serving the shop, but reach nothing inside any more:")
        let file = try stage.write("quarantine.yaml", Self.quarantine)
        page.command("cat quarantine.yaml", output: Self.quarantine.split(separator: "\n").map(String.init))
        let traffic = try Traffic(on: stage)
        try traffic.flow(300)
        page.say("  Through web-0 run now: a connection from client-0 (TCP 80), its log to the office (UDP 514), and its own connection to")
        page.say("  db-0 (TCP 5432). Both ends of each connection talk, several hundred messages a second.")

        let rehearsal: ApplyView = try stage.ask("apply", "-f", file, "--dry-run")
        page.command("hawser apply -f quarantine.yaml --dry-run", output: Self.excerpt(of: rehearsal.plan ?? []))

        let sent = traffic.syslog.progress
        let answer: ApplyView = try stage.ask("apply", "-f", file)
        let answered = ContinuousClock.now
        let counted = traffic.syslog.progress
        try traffic.flow(300)
        page.command("hawser apply -f quarantine.yaml", output: Self.lines(of: answer))
        report(traffic, answered, counted.received, since: sent.sent)
        let isApplied = answer.results.allSatisfy { $0.status == .applied }
        page.check("all of it was one transaction of the kernel: no packet met half of it", isApplied && answer.transaction.messages > 0)
    }

    private func report(_ traffic: Traffic, _ answered: ContinuousClock.Instant, _ counted: Int, since start: Int) {
        let (shop, log, sql) = (traffic.shop.stop(), traffic.syslog.stop(), traffic.sql.stop())
        var grid = Grid()
        grid.add("THROUGH web-0", "BEFORE THE ANSWER", "AFTER", "LOST", "LONGEST PAUSE")
        func add(_ name: String, _ half: Conversation.Half, isCut: Bool = false) {
            let last = half.arrivals.last.map { $0.duration(to: answered) } ?? .zero
            grid.add(
                name, "\(half.arrived(before: answered))", "\(half.arrived(after: answered))", isCut ? "cut" : "\(half.missing)",
                isCut ? "the last one came \(last.text) before the answer" : half.longestPause.text)
        }
        add("client-0 → web-0, tcp 80", shop.client)
        add("web-0 → client-0, the same", shop.server)
        grid.add("web-0 → office, udp 514", "\(counted)", "\(log.received - counted)", "\(log.lost.count)", log.longestGap.text)
        add("web-0 → db-0, tcp 5432", sql.client, isCut: true)
        add("db-0 → web-0, the same", sql.server, isCut: true)
        for line in grid.lines() { page.say("    " + line) }
        let lost = shop.client.missing + shop.server.missing + log.lost.count
        page.check(
            "what the new group allows lost nothing: \(lost) of \(shop.client.sent + shop.server.sent + log.sent) messages", lost == 0)
        let late = sql.client.arrived(after: answered) + sql.server.arrived(after: answered)
        page.check("of what it forbids, \(late) messages came through after the answer, in either direction", late == 0)
        let before = sql.client.arrived(before: answered) + sql.server.arrived(before: answered)
        page.check("until then that connection was alive: \(before) messages", before > 0)
    }

    /// The steps that bind web-0, of all that there are.
    private static func excerpt(of plan: [String]) -> [String] {
        let kinds = [
            ("unbind", ["delete element inet hawser in-1 ", "delete element inet hawser out-1 "]),
            ("bind", ["add element inet hawser in-1 ", "add element inet hawser out-1 "]),
            ("attach", ["add element inet hawser fresh-"]),
        ]
        let lines = kinds.flatMap { kind, starts in
            plan.enumerated().filter { _, line in starts.contains { line.hasPrefix($0) } }.map { number, line in
                [kind, "\(number + 1)", String(line.prefix(110))]
            }
        }
        var grid = Grid()
        for line in lines { grid.add(line) }
        return grid.lines() + [
            "… of \(plan.count) steps. Bindings that lose something get a new epoch (fresh-in, fresh-out): each of their flows is judged again."
        ]
    }

    private static func lines(of answer: ApplyView) -> [String] {
        let results = answer.results.map { "\($0.kind) \($0.id): \($0.status.rawValue)\($0.reason.map { ", \($0)" } ?? "")" }
        let time = answer.results.map { ($0.kernelMicroseconds, $0.totalMicroseconds) }.max { $0.1 < $1.1 } ?? (0, 0)
        return results + [
            "\(answer.transaction.messages) netlink messages, \(answer.transaction.bytes) bytes: \(time.0) µs in the kernel, \(time.1) µs in hawserd with the store's commit to disk"
        ]
    }
}
