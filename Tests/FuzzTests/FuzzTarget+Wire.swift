import GRPCCore
import HawserAPI
import HawserProtocol
import HostNetwork
import HummingbirdCore
import NIOCore
import NIOEmbedded
import SwiftProtobuf

@testable import Agent

/// What comes over sockets.
extension FuzzTarget {
    func readPush(_ bytes: [UInt8]) throws {
        let count = ValueCount.of(bytes.span, .push) ?? 0
        guard let request = try? Hawser_V1_PushRequest(serializedBytes: bytes) else { return }
        guard count >= request.parts, count <= 2 * bytes.count else {
            throw Contradiction("\(request.parts) parts are counted as \(count)")
        }
        for scope in [nil, Scope(["blue"])] {
            var snapshot = SnapshotAssembly(limit: 1000)
            let pushed: PushedChange? =
                switch request.content {
                case .delta(let delta): PushedChange(delta, scope: scope)
                case .documents(let documents): try? PushedChange(documents, scope: scope)
                case .snapshot(let piece):
                    try? snapshot.add(piece, id: request.id, dryRun: request.dryRun).map {
                        try PushedChange(snapshot: $0.resources, scope: scope)
                    }
                case nil: nil
                }
            guard let pushed else { return }
            try realize(Array(Dictionary(pushed.change.upserts.map { ($0.id, $0) }) { first, _ in first }.values))
            let answers = pushed.mentions.inOrder(pushed.change.rejected.map(Answer.init))
            guard answers.count == pushed.change.rejected.count else { throw Contradiction("answers are lost") }
            _ = Hawser_V1_PushReply(id: request.id, Report(answers: answers), .zero)
        }
    }

    func readGoalState(_ bytes: [UInt8]) throws {
        let settings = Settings.Alcor()
        let content = bytes.dropFirst()
        let states: GoalStates? =
            switch bytes.first {
            case 0: (try? Alcor_Schema_GoalState(serializedBytes: Array(content))).map { GoalStates($0, settings) }
            case 1: (try? Alcor_Schema_NeighborRulesRequest(serializedBytes: Array(content))).map { GoalStates($0, settings) }
            case nil: nil
            default: (try? Alcor_Schema_GoalStateV2(serializedBytes: Array(content))).map { GoalStates($0, settings) }
            }
        guard let states else { return }
        var (ledger, intents) = (AlcorLedger(), Intents())
        // The second time against what the first has left.
        for scope in [nil, nil, Scope(["blue"])] {
            let turn = AlcorTurn(states.states, ledger, intents, settings, scope: scope)
            let results = zip(states.states, turn.verdicts).map { GoalStateResult($0, $1, [:]) }
            guard results.count == states.states.count else { throw Contradiction("states are left without an answer") }
            _ = Alcor_Schema_GoalStateOperationReply(states, results, .zero)
            try realize(turn.change.upserts)
            _ = intents.upsert(contentsOf: turn.change.upserts)
            ledger = turn.ledger
        }
    }

    func readQuery(_ bytes: [UInt8]) throws {
        let uri = URI(String(decoding: bytes, as: UTF8.self))
        _ = uri.path.id(after: "/v1/pods/")
        var intents = Intents()
        _ = intents.upsert(contentsOf: [
            .network(Network(id: "blue")),
            .pod(Pod(id: "web-0", network: "blue", addresses: [.v4(0x0a01_000a)])),
        ])
        let desired = Desired(intents: intents, layout: Layout(), attachable: ["web-0"], epochs: [:])
        do throws(NoQuestion) {
            let question = try Question(ExplainQuery(uri.queryParameters))
            _ = question.text
            _ = try? desired.explain(question)
        } catch {
            _ = "\(error)"
        }
    }

    /// However what a client sends is cut, the same goes on to the library, and the same messages begin and end.
    func readFrames(_ bytes: [UInt8]) throws {
        let pieces = bytes.chunks(of: Int(bytes.first ?? 0) + 1)
        guard try Self.passed([bytes]) == Self.passed(pieces) else { throw Contradiction("what goes on depends on how it was cut") }
        func steps(_ pieces: [ArraySlice<UInt8>]) -> [MessageProgress.Step] {
            var (progress, steps) = (MessageProgress(), [MessageProgress.Step]())
            for piece in pieces { progress.take(piece) { steps.append($0) } }
            return steps
        }
        guard steps([bytes[...]]) == steps(pieces.map { $0[...] }) else { throw Contradiction("messages depend on how they were cut") }
    }

    /// What a watch hands on of what comes in these pieces.
    private static func passed(_ pieces: [[UInt8]]) throws -> [UInt8] {
        let client = Budget.Client(name: "client", isPrivileged: false)
        let channel = EmbeddedChannel(
            handler: MessageWatch(CallBounds(), client: client) { _ in
            } exit: {
            })
        defer { _ = try? channel.finish() }
        for piece in pieces { try channel.writeInbound(ByteBuffer(bytes: piece)) }
        var passed: [UInt8] = []
        while let buffer = try channel.readInbound(as: ByteBuffer.self) { passed += buffer.readableBytesView }
        return passed
    }

    func readWatchdog(_ text: String?) { _ = ServiceManager.watchdog(text) }
}

extension [UInt8] {
    fileprivate func chunks(of count: Int) -> [[UInt8]] {
        stride(from: 0, to: self.count, by: count).map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
    }
}

extension Hawser_V1_PushRequest {
    /// What it is made of, beside single values.
    fileprivate var parts: Int {
        let resources = [delta.upserts, snapshot.resources]
        return resources.reduce(delta.deletions.count + documents.documents.count) { sum, resources in
            sum + resources.networks.reduce(0) { $0 + 1 + $1.subnets.count + $1.subnets.reduce(0) { $0 + $1.routes.count } }
                + resources.securityGroups.reduce(0) { $0 + 1 + $1.rules.count }
                + resources.addressGroups.reduce(0) { $0 + 1 + $1.cidrs.count }
                + resources.pods.reduce(0) { $0 + 1 + $1.addresses.count + $1.securityGroups.count + $1.allowedAddressPairs.count }
                + resources.neighbors.reduce(0) { $0 + 1 + $1.addresses.count + $1.securityGroups.count }
        }
    }
}
