import Foundation
import HawserAPI
import HostNetwork
import Logging
import ServiceLifecycle
import Testing

@testable import Agent

/// A daemon's two sockets in a folder of the test's own, with a reconciler in memory behind them.
struct Served: Sendable {
    let folder: TemporaryFolder
    let reconciler = MemoryReconciler()
    let journal = Journal()
    private let limits: SocketClients.Limits

    init(_ limits: SocketClients.Limits = .init()) throws {
        folder = try TemporaryFolder()
        self.limits = limits
    }

    var control: String { folder.file("control.sock") }
    var debug: String { folder.file("debug.sock") }
    var arguments: [String] { ["--control-socket", control, "--debug-socket", debug] }

    /// Serves while `body` runs, and ends gracefully.
    func serving(_ body: (Served) async throws -> Void) async throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let (listening, continuation) = AsyncStream.makeStream(of: Void.self)
        let onListening: @Sendable () -> Void = { continuation.yield() }
        let group = ServiceGroup(
            services: [
                ControlServer(
                    .init(socket: control, group: ""), reconciler: reconciler, logger: logger, limits: limits,
                    onListening: onListening
                ) { access in [PushService(reconciler: reconciler, journal: journal, access: access, limits: .init())] },
                DebugServer(
                    .init(socket: debug, group: ""), reconciler: reconciler, journal: journal, logger: logger, limits: limits,
                    onListening: onListening),
            ], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var arrivals = listening.makeAsyncIterator()
            await arrivals.next(isolation: #isolation)
            await arrivals.next(isolation: #isolation)
            do {
                try await body(self)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    func apply(_ text: String, prune: Bool = false, dryRun: Bool = false) async throws -> ApplyView {
        try await ControlClient.connected(to: control) {
            try await $0.apply([.init(name: "test.yaml", content: Data(text.utf8))], prune: prune, dryRun: dryRun)
        }
    }

    /// A request as curl sends it: the answer's head and body as they are on the wire.
    func curl(_ arguments: String...) async throws -> String {
        let answer = folder.file("answer")
        try await Program.run("curl", ["-s", "-i", "-o", answer, "--unix-socket", debug] + arguments)
        return try String(contentsOfFile: answer, encoding: .utf8)
    }
}

@Suite("The control socket", .timeLimit(.minutes(60))) struct ControlSocketTests {
    @Test("applies and deletes, and answers for each resource in the order given")
    func applies() async throws {
        try await Served().serving { served in
            let text = "pods: [{id: b, network: blue, addresses: [10.1.0.1]}, {id: a, hat: 1}]\nnetworks: [{id: blue}]\n"
            let answer = try await served.apply(text)
            #expect(answer.results.map(\.id) == ["b", "a", "blue"])
            #expect(answer.results.map(\.kind) == ["pod", "pod", "network"])
            #expect(answer.results.map(\.status) == [.applied, .rejected, .applied])
            #expect(answer.results[1].field == "hat" && answer.results[1].reason?.isEmpty == false)
            #expect(answer.results[0].kernelMicroseconds == 40 && answer.results[0].totalMicroseconds == 90)
            #expect(answer.transaction == .init(messages: 2, bytes: 200, generation: 1) && answer.plan == nil)
            let deleted = try await ControlClient.connected(to: served.control) { try await $0.delete(.pod, ["b", "no such", "gone"]) }
            #expect(deleted.results.map(\.status).sorted { $0.rawValue < $1.rawValue } == [.applied, .applied, .rejected])
            #expect(await served.reconciler.known == [IntentID(.network, "blue")])
        }
    }

    @Test("shows a plan and changes nothing in a dry run")
    func dryRun() async throws {
        try await Served().serving { served in
            let answer = try await served.apply(Samples.network, dryRun: true)
            #expect(answer.plan == ["add network blue"])
            #expect(await served.reconciler.known.isEmpty)
            #expect(try await served.apply("", dryRun: true).plan == [])
        }
    }

    @Test("makes what is applied the whole with prune, but never by documents that can't be read in full")
    func prune() async throws {
        try await Served().serving { served in
            _ = try await served.apply(Samples.all)
            let answer = try await served.apply(Samples.network + Samples.group, prune: true)
            #expect(answer.results.map(\.id) == ["blue", "web", "tenant/web-1", "web-0"])
            #expect(await served.reconciler.known.count == 2)
            for text in ["networks: [{id: 'not an id'}]", "networks: ["] {
                await #expect(throws: ControlClient.Refused.self) { try await served.apply(text, prune: true) }
            }
            #expect(await served.reconciler.known.count == 2)
        }
    }

    @Test("refuses a document that can't be read as a whole, by name and place, and changes nothing")
    func unreadable() async throws {
        try await Served().serving { served in
            let documents = [
                ControlClient.Document(name: "good.yaml", content: Data(Samples.network.utf8)),
                ControlClient.Document(name: "bad.json", content: Data("{".utf8)),
            ]
            let refused = try await #require(throws: ControlClient.Refused.self) {
                try await ControlClient.connected(to: served.control) { try await $0.apply(documents) }
            }
            #expect("\(refused.code)" == "invalidArgument" && refused.message.contains("bad.json: line 1"))
            #expect(await served.reconciler.known.isEmpty)
        }
    }

    @Test("answers for a resource whose name can't be read by its place")
    func unnamed() async throws {
        try await Served().serving { served in
            let answer = try await served.apply("pods: [{network: blue}, {id: a, network: blue, addresses: [10.1.0.1]}]\nhats: []\n")
            #expect(answer.results.map(\.kind) == ["pod", "pod", ""])
            #expect(answer.results.map(\.id) == ["", "a", ""])
            #expect(answer.results.map(\.status) == [.rejected, .applied, .rejected])
        }
    }

    @Test("carries ten thousand resources in one request")
    func big() async throws {
        try await Served().serving { served in
            let neighbors = (0..<10_000).map { "  - {id: n\($0), network: blue, addresses: [10.\($0 / 250).0.\($0 % 250 + 1)]}\n" }.joined()
            let answer = try await served.apply("neighbors:\n" + neighbors)
            #expect(answer.results.count == 10_000 && answer.results.allSatisfy { $0.status == .applied })
        }
    }
}

@Suite("The debug socket", .timeLimit(.minutes(60))) struct DebugSocketTests {
    @Test("shows status, pods, groups and rules to the client")
    func shows() async throws {
        try await Served().serving { served in
            _ = try await served.apply(Samples.all)
            let client = DebugClient(socket: served.debug)
            #expect(try await client.status().pods.applied == 2)
            #expect(try await client.pods() == served.reconciler.pods())
            #expect(try await client.pod("tenant/web-1").addresses == ["10.1.0.11"])
            #expect(try await client.groups() == served.reconciler.groups())
            #expect(try await client.group("web").boundBy == ["web-0"])
            let rules = try await client.rules(of: "web-0")
            #expect(rules.ingress.denied.packets == 1 && rules.ingress.invalid == .init(packets: 2, bytes: 80))
            #expect(rules.egress.invalid == .init(packets: nil, bytes: nil))
            for missing in ["web", "tenant", "a/b", "%2F"] {
                let refused = try await #require(throws: DebugClient.Refused.self) { try await client.pod(missing) }
                #expect(refused.status == 404 && refused.message == "there is no pod \(missing)")
            }
        }
    }

    @Test("speaks plain HTTP: for curl, with '/' in ids as it is or encoded, and every key of every object")
    func curl() async throws {
        try await Served().serving { served in
            _ = try await served.apply(Samples.all)
            for path in ["/v1/pods/tenant/web-1", "/v1/pods/tenant%2Fweb-1"] {
                let answer = try await served.curl("http://hawser" + path)
                #expect(answer.hasPrefix("HTTP/1.1 200") && answer.contains("\"id\" : \"tenant/web-1\""), "\(path): \(answer)")
            }
            let pods = try await served.curl("http://hawser/v1/pods")
            for key in ["network", "status", "reason", "interface", "host", "index", "pod", "namespace", "mac", "revision", "since"] {
                #expect(pods.contains("\"\(key)\" :"), "\(key)")
            }
            #expect(pods.contains("\"reason\" : null") && pods.contains("\"since\" : \"2027-01-15T08:00:00.000Z\""))
            #expect(try await served.curl("http://hawser/v1/hats").contains("404 Not Found"))
            #expect(try await served.curl("http://hawser/healthz").hasSuffix("\r\n\r\nok\n"))
            #expect(try await served.curl("-I", "http://hawser/v1/status").hasPrefix("HTTP/1.1 200"))
        }
    }

    /// Fails on 7673dba: all pods were built for one.
    @Test("builds one pod, group or network where one is asked for, and all of a kind only where all are")
    func one() async throws {
        try await Served().serving { served in
            _ = try await served.apply(Samples.all)
            let some = ["pods/web-0", "pods/tenant/web-1", "groups/web", "networks/blue"]
            for path in some {
                #expect(
                    try await served.curl("http://hawser/v1/" + path).hasPrefix("HTTP/1.1 200"), "\(path)")
            }
            for path in ["pods/", "groups/", "networks/"] {
                #expect(
                    try await served.curl("http://hawser/v1/\(path)nobody").hasPrefix("HTTP/1.1 404"),
                    "\(path)")
            }
            #expect(await served.reconciler.listings == [])
            for path in ["pods", "groups", "networks"] {
                _ = try await served.curl("http://hawser/v1/" + path)
            }
            #expect(await served.reconciler.listings == ["pods", "groups", "networks"])
        }
    }

    @Test("changes nothing", arguments: ["POST", "PUT", "PATCH", "DELETE"])
    func readOnly(method: String) async throws {
        try await Served().serving { served in
            let answer = try await served.curl("-X", method, "http://hawser/v1/pods").lowercased()
            #expect(answer.contains("405 method not allowed") && answer.contains("allow: get, head"), "\(answer)")
        }
    }

    @Test("is ready when the reconciler is")
    func ready() async throws {
        try await Served().serving { served in
            #expect(try await served.curl("http://hawser/readyz").contains("200 OK"))
            await served.reconciler.refuse([IntentID(.pod, "web-0")])
            let answer = try await served.curl("http://hawser/readyz")
            #expect(answer.contains("503") && answer.contains("something is refused"))
        }
    }

    @Test("gives the events that are remembered, then those that follow, and lets go of a follower that hangs up")
    func events() async throws {
        try await Served().serving { served in
            let client = DebugClient(socket: served.debug)
            served.journal.record(EventView(kind: "pod", id: "a", event: "applied"))
            let (ids, continuation) = AsyncStream.makeStream(of: String.self)
            try await client.events(follow: false) { continuation.yield($0.id) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.events(follow: true) { continuation.yield($0.id) } }
                let taker = Taker(ids)
                let remembered = [try await taker.next(), try await taker.next()]  // by both answers
                #expect(remembered == ["a", "a"])
                #expect(served.journal.followers == 1)
                served.journal.record(EventView(kind: "pod", id: "b", event: "pending"))
                let followed = try await taker.next()
                #expect(followed == "b")
                group.cancelAll()
            }
            while served.journal.followers > 0 {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }
}

@Suite("A socket's file", .timeLimit(.minutes(60))) struct SocketFileTests {
    @Test("of a daemon that has died is replaced, one that is listened on isn't, and another file never")
    func replaces() async throws {
        let served = try Served()
        try await served.serving { served in
            let running = SocketFile(.init(socket: served.control, group: ""))
            let error = await #expect(throws: SocketFileError.self) { try await running.prepare() }
            #expect(error?.reason.contains("another process listens") == true)
        }
        #expect(!FileManager.default.fileExists(atPath: served.control))
        let python = "import socket; s = socket.socket(socket.AF_UNIX); s.bind('\(served.control)')"
        try await Program.run("python3", ["-c", python])
        #expect(FileManager.default.fileExists(atPath: served.control))
        try await served.serving { served in
            let answer = try await served.apply(Samples.network)
            #expect(answer.results.count == 1)
        }
        try served.folder.write("precious", to: "control.sock")
        await #expect(throws: SocketFileError.self) { try await SocketFile(.init(socket: served.control, group: "")).prepare() }
        #expect(try String(contentsOfFile: served.control, encoding: .utf8) == "precious")
    }

    @Test("is for the group, and for this user alone where there is no such group")
    func permissions() async throws {
        try await Served().serving { served in
            func mode() throws -> Int? { try FileManager.default.attributesOfItem(atPath: served.control)[.posixPermissions] as? Int }
            #expect(try mode() == 0o600)
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let own = try #require(try FileManager.default.attributesOfItem(atPath: served.control)[.groupOwnerAccountName] as? String)
            SocketFile(.init(socket: served.control, group: own)).openToGroup(logger)
            #expect(try mode() == 0o660)
            SocketFile(.init(socket: served.control, group: "no-such-group")).openToGroup(logger)
            #expect(try mode() == 0o600)
        }
    }
}
