import GRPCCore
import GRPCNIOTransportHTTP2
import HawserProtocol
import Logging
import ServiceLifecycle
import SwiftProtobuf
import Synchronization
import Testing

@testable import Agent

/// A network configuration manager that answers as it is told, and otherwise that all is well.
private struct Manager: Alcor_Schema_GoalStateProvisioner.SimpleServiceProtocol {
    enum Answer { case breaks, says(Alcor_Schema_OperationStatus) }

    let asked: AsyncStream<Alcor_Schema_HostRequest>.Continuation
    private let answers: Answers

    /// What is still to be answered, first things first.
    private final class Answers: Sendable {
        let left: Mutex<[Answer]>
        init(_ answers: [Answer]) { left = Mutex(answers) }
    }

    init(_ answers: [Answer], asked: AsyncStream<Alcor_Schema_HostRequest>.Continuation) {
        self.answers = Answers(answers)
        self.asked = asked
    }

    func requestGoalStates(
        request: Alcor_Schema_HostRequest, context: ServerContext
    ) async throws -> Alcor_Schema_HostRequestReply {
        asked.yield(request)
        switch answers.left.withLock({ $0.isEmpty ? .says(.success) : $0.removeFirst() }) {
        case .breaks: throw RPCError(code: .unavailable, message: "not now")
        case .says(let status):
            return .with {
                $0.operationStatuses = request.stateRequests.map { one in
                    .with { ($0.requestID, $0.operationStatus) = (one.requestID, status) }
                }
            }
        }
    }

    func pushNetworkResourceStates(
        request: Alcor_Schema_GoalState, context: ServerContext
    ) async throws -> Alcor_Schema_GoalStateOperationReply { .init() }
    func pushGoalstates(
        request: Alcor_Schema_NeighborRulesRequest, context: ServerContext
    ) async throws -> Alcor_Schema_GoalStateOperationReply { .init() }
    func pushGoalStatesStream(
        request: RPCAsyncSequence<Alcor_Schema_GoalStateV2, any Error>, response: RPCWriter<Alcor_Schema_GoalStateOperationReply>,
        context: ServerContext
    ) async throws {}
}

@Suite("Alcor's network configuration manager", .timeLimit(.minutes(60))) struct AlcorManagerTests {
    @Test("is asked for this host's goal states once it can be heard, and again until it answers well, and then no more")
    func asked() async throws {
        let (requests, asked) = AsyncStream.makeStream(of: Alcor_Schema_HostRequest.self)
        let transport = HTTP2ServerTransport.Posix(address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext)
        let server = GRPCServer(transport: transport, services: [Manager([.breaks, .breaks, .says(.failure)], asked: asked)])
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.serve() }
            let port = try #require(try await transport.listeningAddress.ipv4?.port)
            var settings = Settings()
            settings.alcor.manager = "127.0.0.1:\(port)"
            settings.push.plaintext = true
            settings.host.address = "192.0.2.1"
            let manager = try #require(
                // Whatever else the machine is doing, an answer that comes is no failure.
                AlcorManager(settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, patience: .seconds(600)) {
                    failures in
                    asked.yield(.with { $0.formatVersion = UInt32(1000 + failures) })
                    return .zero
                })
            let group = ServiceGroup(services: [manager], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            tasks.addTask { try await group.run() }
            let taker = Taker(requests)
            manager.begin()
            var seen: [Alcor_Schema_HostRequest] = []
            // Four requests, and a pause after each of the first three.
            for _ in 0..<7 { seen.append(try await taker.next()) }
            #expect(seen.map(\.formatVersion) == [1, 1001, 1, 1002, 1, 1003, 1])
            let states = seen.flatMap(\.stateRequests)
            #expect(states.count == 4)
            #expect(states.allSatisfy { $0.requestType == .agentRestarted && $0.sourceIp == "192.0.2.1" })
            #expect(Set(states.map(\.requestID)).count == 1)
            #expect(states[0].requestID.count == 36)
            // Told again that it can be heard, it has nothing left to ask; then it ends when all ends.
            manager.begin()
            await group.triggerGracefulShutdown()
            server.beginGracefulShutdown()
            try await tasks.waitForAll()
            asked.finish()
            for await request in requests { Issue.record("asked again: \(request)") }
        }
    }

    @Test("is asked behind mutual TLS, by its name and by its address, and not when another authority has signed it")
    func secured() async throws {
        let folder = try TemporaryFolder()
        let (authority, other) = (try PushAuthority("authority", in: folder), try PushAuthority("other", in: folder))
        try authority.sign("host.example")
        try authority.sign("localhost", address: "127.0.0.1")
        try other.sign("localhost", address: "127.0.0.1", as: "forged")
        for (certificate, isGood) in [("localhost", true), ("forged", false)] {
            let (requests, asked) = AsyncStream.makeStream(of: Alcor_Schema_HostRequest.self)
            let transport = HTTP2ServerTransport.Posix(
                address: .ipv4(host: "127.0.0.1", port: 0),
                transportSecurity: .mTLS(
                    certificateChain: [.file(path: folder.file("\(certificate).pem"), format: .pem)],
                    privateKey: .file(path: folder.file("\(certificate).key"), format: .pem)
                ) { tls in
                    tls.trustRoots = .certificates([.file(path: authority.certificate, format: .pem)])
                })
            let server = GRPCServer(transport: transport, services: [Manager([], asked: asked)])
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await server.serve() }
                let port = try #require(try await transport.listeningAddress.ipv4?.port)
                let taker = Taker(requests)
                for name in ["127.0.0.1", "localhost"] {
                    var settings = Settings()
                    settings.alcor.manager = "\(name):\(port)"
                    settings.push.certificate = folder.file("host.example.pem")
                    settings.push.key = folder.file("host.example.key")
                    settings.push.clientCA = authority.certificate
                    let manager = try #require(
                        AlcorManager(settings, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { failures in
                            asked.yield(.with { $0.formatVersion = UInt32(1000 + failures) })
                            return .milliseconds(1)
                        })
                    let group = ServiceGroup(services: [manager], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                    async let ended: Void = group.run()
                    manager.begin()
                    // What comes first is either the request or the word of a failure.
                    let first = try await taker.next()
                    #expect(first.formatVersion == (isGood ? 1 : 1001), "\(certificate) \(name)")
                    await group.triggerGracefulShutdown()
                    try await ended
                    if !isGood {
                        // Failures that were noted until the end.
                        asked.yield(.with { $0.formatVersion = 0 })
                        var next = try await taker.next()
                        while next.formatVersion != 0 {
                            #expect(next.formatVersion > 1000)
                            next = try await taker.next()
                        }
                    }
                }
                server.beginGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    @Test("that isn't there is waited for longer and longer, at most a minute, and never less than half a second")
    func pauses() {
        for _ in 0..<100 {
            #expect((Duration.seconds(0.5)...Duration.seconds(1)).contains(AlcorManager.pause(after: 1)))
            #expect((Duration.seconds(4)...Duration.seconds(8)).contains(AlcorManager.pause(after: 4)))
            #expect((Duration.seconds(30)...Duration.seconds(60)).contains(AlcorManager.pause(after: 1000)))
        }
    }

    @Test("that isn't configured isn't asked")
    func none() { #expect(AlcorManager(Settings(), logger: Logger(label: "test")) == nil) }
}
