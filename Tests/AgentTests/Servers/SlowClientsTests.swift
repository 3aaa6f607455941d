import Foundation
import HawserAPI
import Logging
import NIOCore
import Testing

@testable import Agent

@Suite("Clients of the sockets that are slow, silent or greedy", .timeLimit(.minutes(60))) struct SlowClientsTests {
    /// So short that nobody waits for it for long; who behaves is answered in far less, on a busy machine too.
    private static let hasty = SocketClients.Limits(idle: .seconds(3), patience: .seconds(3))

    @Test("are hung up on at the debug socket, and others are answered meanwhile", arguments: ["silent", "drip", "unread"])
    func debug(what: String) async throws {
        try await Served(Self.hasty).serving { served in
            try await withThrowingTaskGroup(of: String?.self) { group in
                group.addTask { try await served.slow(served.debug, what) }
                group.addTask {
                    // What the one that doesn't read would have to read; and what those do who do.
                    while !Task.isCancelled {
                        for number in 0..<100 {
                            let reason = String(repeating: "x", count: 1000)
                            served.journal.record(EventView(kind: "pod", id: "\(number)", event: "pending", reason: reason))
                        }
                        do { try await served.isAnswered() } catch  where Task.isCancelled { return nil }
                    }
                    return nil
                }
                let answer = try await group.next()
                #expect(answer == "closed\n")
                group.cancelAll()
                while let _ = try await group.next() {}
            }
            while served.journal.followers > 0 { await Task.yield() }
        }
    }

    @Test("that send a header, a path or a body without end are refused after little of it", arguments: ["header", "target", "body"])
    func greedy(what: String) async throws {
        try await Served().serving { served in
            let words = try await served.slow(served.debug, what).split(separator: " ")
            #expect(words.prefix(2) == ["closed", "after"])
            let bytes = try #require(words.count > 2 ? Int(words[2]) : nil)
            // What the kernel's buffers and a reader's hold are taken, too.
            #expect(bytes < 2 << 20, "\(words)")
            try await served.isAnswered()
        }
    }

    @Test("are hung up on at the control socket when they never say a word")
    func control() async throws {
        try await Served(Self.hasty).serving { served in
            try await withThrowingTaskGroup(of: String.self) { group in
                group.addTask { try await served.slow(served.control, "silent") }
                let results = try await served.apply(Samples.network).results
                #expect(results.map(\.status) == [.applied])
                let answer = try await group.next()
                #expect(answer == "closed\n")
            }
        }
    }

    @Test("are held to so many connections each, which keeps nobody else out, and root least of all")
    func limits() {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let clients = SocketClients(of: "test", SocketClients.Limits(all: 12, others: 8, each: 3), logger: logger)
        #expect((0..<5).map { _ in clients.enter(1000) } == [true, true, true, false, false])
        #expect((0..<4).map { _ in clients.enter(1001) } == [true, true, true, false])
        clients.leave(1000)
        #expect(clients.enter(1000) && !clients.enter(1000))
        #expect((0..<3).map { _ in clients.enter(1002) } == [true, true, false], "eight for all but root")
        #expect((0..<5).map { _ in clients.enter(0) } == [true, true, true, true, false])
        clients.leave(1001)
        #expect(clients.enter(1003))
    }
}

extension Served {
    /// Somebody who behaves is answered.
    fileprivate func isAnswered() async throws {
        let status = try await DebugClient(socket: debug).status()
        #expect(status.ready)
    }

    /// Runs `Python/slow.py` to its end, and answers what it wrote.
    func slow(_ socket: String, _ what: String) async throws -> String {
        let answer = folder.file("slow-\(UUID().uuidString)")
        try await Program.run(
            "sh", ["-c", #"exec python3 "$1" "$2" "$3" > "$4""#, "sh", DaemonHost.script("slow.py"), socket, what, answer])
        return try String(contentsOfFile: answer, encoding: .utf8)
    }
}
