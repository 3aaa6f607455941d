import GRPCCore
import HawserAPI
import HawserProtocol
import HostNetwork
import HummingbirdCore
import SwiftProtobuf

@testable import Agent

/// What comes over sockets.
extension FuzzTarget {
    func readPush(_ bytes: [UInt8]) throws {
        guard let request = try? Hawser_V1_PushRequest(serializedBytes: bytes) else { return }
        for scope in [nil, Scope(["blue"])] {
            var snapshot = SnapshotAssembly(limit: 1000)
            let pushed: PushedChange? =
                switch request.content {
                case .delta(let delta): PushedChange(delta, scope: scope)
                case .documents(let documents): try? PushedChange(documents, scope: scope)
                case .snapshot(let piece):
                    try? snapshot.add(piece, id: request.id, dryRun: request.dryRun).map { try PushedChange(snapshot: $0, scope: scope) }
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

    func readWatchdog(_ text: String?) { _ = ServiceManager.watchdog(text) }
}
