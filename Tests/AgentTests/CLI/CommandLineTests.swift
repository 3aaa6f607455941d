import Agent
import Foundation
import HawserAPI
import HostNetwork
import Synchronization
import Testing

@testable import hawser

/// What a command wrote.
final class Paper: Sendable {
    private let lines = Mutex<(output: [String], error: [String])>(([], []))

    var output: String { lines.withLock { $0.output.joined(separator: "\n") } }
    var error: String { lines.withLock { $0.error.joined(separator: "\n") } }

    func terminal(colors: Bool = false) -> Terminal {
        Terminal(
            hasColors: colors, print: { text in self.lines.withLock { $0.output.append(text) } },
            error: { text in self.lines.withLock { $0.error.append(text) } })
    }
}

@Suite("The command line", .timeLimit(.minutes(60))) struct CommandLineTests {
    private func run(_ arguments: [String], _ paper: Paper = Paper()) async -> (outcome: Runner.Outcome, paper: Paper) {
        (await Runner.run(arguments, paper.terminal()), paper)
    }

    @Test(
        "exits 2 on wrong usage, and says so on standard error",
        arguments: [
            ["frobnicate"], ["apply"], ["apply", "-f", "/nowhere.yaml"], ["delete", "hat", "a"], ["delete", "pod"], ["rules"],
            ["status", "--output", "xml"], ["pods", "a", "b"],
        ])
    func wrongUsage(arguments: [String]) async {
        let (outcome, paper) = await run(arguments)
        #expect(outcome == .wrongUsage && paper.output.isEmpty && !paper.error.isEmpty, "\(paper.output) \(paper.error)")
    }

    @Test("exits 0 for help and version", arguments: [["--help"], ["--version"], ["help", "apply"], ["pods", "-h"]])
    func help(arguments: [String]) async {
        let (outcome, paper) = await run(arguments)
        #expect(outcome == .success && !paper.output.isEmpty && paper.error.isEmpty)
    }

    @Test(
        "names the socket, the errno and what to check when the daemon can't be reached",
        arguments: [
            (["status"], "debug.sock"), (["events", "--follow"], "debug.sock"), (["resync"], "control.sock"),
            (["delete", "pod", "a"], "control.sock"),
        ])
    func unreachable(command: [String], socket: String) async throws {
        let served = try Served()
        let (outcome, paper) = await run(command + served.arguments)
        #expect(outcome == .refused && paper.output.isEmpty)
        #expect(paper.error.contains(served.folder.file(socket)) && paper.error.contains("errno 2"), "\(paper.error)")
        #expect(paper.error.contains("is hawserd running"))
    }

    @Test("applies files, folders and what another program writes, and shows it")
    func applies() async throws {
        try await Served().serving { served in
            try FileManager.default.createDirectory(atPath: served.folder.file("d"), withIntermediateDirectories: true)
            try served.folder.write(Samples.network, to: "d/1.yaml")
            try served.folder.write(Samples.group, to: "d/2.yml")
            try served.folder.write("not mine", to: "d/README")
            let pods = try served.folder.write(Samples.pods("web-0"), to: "pods.yaml")
            let (outcome, paper) = await run(["apply", "-f", served.folder.file("d"), "-f", pods] + served.arguments)
            #expect(outcome == .success && paper.error.isEmpty)
            #expect(
                paper.output == """
                    KIND           ID     STATUS   KERNEL  TOTAL
                    network        blue   applied  40 µs   90 µs
                    securityGroup  web    applied  40 µs   90 µs
                    pod            web-0  applied  40 µs   90 µs
                    3 messages, 300 bytes, generation 1
                    """)
            let again = await run(["apply", "-f", pods] + served.arguments)
            #expect(again.paper.output.hasSuffix("nothing changed in the kernel"))
        }
    }

    @Test("exits 1 when a resource is refused: JSON on standard output all the same, the reason on standard error")
    func refused() async throws {
        try await Served().serving { served in
            let file = try served.folder.write("pods: [{id: web-0, hat: red}]\nnetworks: [{id: blue}]\n", to: "a.yaml")
            let (outcome, paper) = await run(["apply", "-f", file, "--output", "json"] + served.arguments)
            #expect(outcome == .refused)
            let answer = try JSON.decode(ApplyView.self, from: Data(paper.output.utf8))
            #expect(answer.results.map(\.status) == [.rejected, .applied])
            #expect(paper.error.contains("pod web-0: rejected: hat"))
            #expect(paper.output.contains("\"kernelMicroseconds\" : 40") && !paper.output.contains("\"plan\""))
        }
    }

    @Test("shows what is wrong, first what is right, and exits 1 for a fault alone")
    func doctor() async throws {
        try await Served().serving { served in
            let warned = await run(["doctor"] + served.arguments)
            #expect(warned.outcome == .success)
            #expect(
                warned.paper.output == """
                    STATUS   CHECK     FOUND
                    ok       2 checks
                    warning  marks     table ip filter, chain in, handle 3 changes 0xffff0000 of flows' marks
                    warning  marks     line\\u{1B}[2J of another's
                                       → let them keep it
                    """)
            await served.reconciler.refuse([IntentID(.pod, "a")])
            let faulty = await run(["doctor", "--output", "json"] + served.arguments)
            #expect(faulty.outcome == .refused && faulty.paper.error.isEmpty)
            let view = try JSON.decode(DoctorView.self, from: Data(faulty.paper.output.utf8))
            #expect(view.status == .fault && view.checks.map(\.id) == ["marks", "flowtables", "ipvs"])
            #expect(faulty.paper.output.contains("\"remedy\" : null"))
        }
    }

    @Test("shows the plan of a dry run")
    func dryRun() async throws {
        try await Served().serving { served in
            let file = try served.folder.write(Samples.network, to: "a.yaml")
            let (outcome, paper) = await run(["apply", "-f", file, "--dry-run"] + served.arguments)
            #expect(outcome == .success && paper.output.hasSuffix("plan:\n  add network blue"))
        }
    }

    @Test("deletes, with kinds as people type them", arguments: ["pod", "Pods", "port", "PORTS"])
    func deletes(kind: String) async throws {
        try await Served().serving { served in
            _ = try await served.apply(Samples.all)
            let (outcome, _) = await run(["delete", kind, "web-0", "tenant/web-1"] + served.arguments)
            #expect(outcome == .success)
            #expect(await served.reconciler.known == [IntentID(.network, "blue"), IntentID(.securityGroup, "web")])
        }
    }

    @Test("shows one thing in full, and exits 1 for what isn't there")
    func single() async throws {
        try await Served().serving { served in
            _ = try await served.apply(Samples.all)
            let (_, paper) = await run(["pods", "tenant/web-1"] + served.arguments)
            #expect(paper.output.contains("id         tenant/web-1\n") && paper.output.contains("host side  hw0123456789a (index 7)"))
            let json = await run(["groups", "web", "-o", "json"] + served.arguments)
            #expect(try JSON.decode(GroupView.self, from: Data(json.paper.output.utf8)).id == "web")
            let missing = await run(["rules", "web-9"] + served.arguments)
            #expect(missing.outcome == .refused && missing.paper.error == "hawser: there is no pod web-9" && missing.paper.output.isEmpty)
        }
    }

    @Test("shows events a line each, in words or as JSON")
    func events() async throws {
        try await Served().serving { served in
            let time = Date(timeIntervalSince1970: 1_800_000_000.25)
            served.journal.record(EventView(time: time, kind: "pod", id: "a", event: "pending", reason: "on group db", source: "control"))
            let (_, paper) = await run(["events"] + served.arguments)
            #expect(paper.output == "2027-01-15T08:00:00.250Z  pod a  pending  on group db  (control)")
            let json = await run(["events", "--output", "json"] + served.arguments)
            let line =
                #"{"event":"pending","id":"a","kind":"pod","reason":"on group db","source":"control","time":"2027-01-15T08:00:00.250Z"}"#
            #expect(json.paper.output == line)
        }
    }
}

@Suite("A table") struct TableTests {
    @Test("aligns its columns, and leaves out those that are empty")
    func aligns() {
        var table = Table("ID", "NOTHING", "STATUS", "REASON")
        table.add("a-long-id", "", Styled(Status.applied), "")
        table.add("ü", "", Styled(Status.pending), "on group db")
        #expect(
            table.rendered(colors: false) == """
                ID         STATUS   REASON
                a-long-id  applied
                ü          pending  on group db
                """)
    }

    @Test("has colours only where they are wanted, and they don't count as width")
    func colors() {
        var table = Table("STATUS", "ID")
        table.add(Styled(Status.rejected), "a")
        #expect(table.rendered(colors: true) == "\u{1B}[1mSTATUS\u{1B}[0m    \u{1B}[1mID\u{1B}[0m\n\u{1B}[31mrejected\u{1B}[0m  a")
        #expect(
            !Terminal.wantsColors(["NO_COLOR": "1"]) && !Terminal.wantsColors(["TERM": "dumb"]) && Terminal.wantsColors(["TERM": "xterm"]))
    }
}

@Suite("A kind") struct ResourceKindTests {
    @Test(
        "is read as people type it",
        arguments: [
            ("group", ResourceKind.securityGroup), ("Security-Groups", .securityGroup), ("securitygroup", .securityGroup), ("ports", .pod),
            ("elastic-IPs", .elasticIP), ("address_group", .addressGroup), ("networks", .network), ("Neighbor", .neighbor),
        ])
    func spoken(text: String, kind: ResourceKind) { #expect(ResourceKind(spoken: text) == kind) }

    @Test("that doesn't exist isn't read", arguments: ["", "s", "hat", "groupss", "pod web"])
    func unknown(text: String) { #expect(ResourceKind(spoken: text) == nil) }
}

@Suite("The sockets") struct SocketsTests {
    @Test("are found by flag, then environment, then default; an empty value counts as none")
    func found() {
        let environment = ["HAWSER_CONTROL_SOCKET": "/e/c", "HAWSER_DEBUG_SOCKET": ""]
        let sockets = Sockets(control: nil, debug: nil, environment: environment)
        #expect(sockets.control == "/e/c" && sockets.debug == "/run/hawser/debug.sock")
        #expect(Sockets(control: "/f/c", debug: "/f/d", environment: environment).control == "/f/c")
        #expect(Sockets(environment: [:]).control == "/run/hawser/control.sock")
    }
}
