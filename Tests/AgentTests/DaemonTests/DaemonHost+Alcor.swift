import Foundation
import HawserProtocol
import Lab
import SwiftProtobuf
import Testing

/// Alcor's goal states, pushed to the daemon of a host.
extension DaemonHost {
    static let alcorPort = 50001

    /// Starts the daemon so that it takes goal states, whose VPCs share the host's routing.
    func startForAlcor() throws {
        let settings = "push: {listen: \"127.0.0.1:\(Self.alcorPort)\", plaintext: true}\nalcor: {isolated: false}\n"
        try folder.write(settings, to: "hawserd.yaml")
        try start()
    }

    /// By `hawser push`.
    func push(_ message: Alcor_Schema_GoalState) throws -> Outcome {
        try hawser("push", "--alcor", "-", "--output", "json", input: message.jsonString())
    }

    /// By Python's gRPC, over TCP, a step a line: see Python/client.py. A dictionary for each reply and each failure.
    func python(_ steps: String...) throws -> [[String: Any]] { try python(steps) }

    func python(_ steps: [String]) throws -> [[String: Any]] {
        let script = try folder.write(steps.joined(separator: "\n") + "\n", to: "script")
        let output = try host.run("sh", "-c", "\(Self.client.joined(separator: " ")) 127.0.0.1:\(Self.alcorPort) < \(script)")
        return try output.split(separator: "\n").map { line in
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        }
    }

    static let client = [repository + "/.build/python/bin/python3", script("client.py")]

    static func call(_ name: String, _ message: some Message) throws -> String {
        #"{"service": "alcor.schema.GoalStateProvisioner", "call": "\#(name)", "request": \#(try message.jsonString())}"#
    }

    static let open = #"{"service": "alcor.schema.GoalStateProvisioner", "open": "PushGoalStatesStream"}"#
    static func send(_ message: Alcor_Schema_GoalStateV2) throws -> String { #"{"send": \#(try message.jsonString())}"# }
    static func receive(_ count: Int) -> String { #"{"receive": \#(count)}"# }
    static let close = #"{"close": true}"#
}

extension DaemonHost.Outcome {
    /// Of each state, as `hawser push` shows it.
    var alcorStatuses: [String] { (object["results"] as? [[String: Any]] ?? []).compactMap { $0["status"] as? String } }
}

extension [String: Any] {
    /// Of each state, as protobuf JSON has it, where SUCCESS is 0 and so left out.
    var alcorStatuses: [String] { alcorStates.map { $0["operationStatus"] as? String ?? "SUCCESS" } }
    var alcorStates: [[String: Any]] { self["operationStatuses"] as? [[String: Any]] ?? [] }
}

extension DaemonPod {
    /// The port of a goal state that is this pod.
    func port(_ groups: String..., operation: Alcor_Schema_OperationType = .create) -> Alcor_Schema_PortState {
        AlcorSample.port(id, number, groups: groups, device: URL(filePath: namespace.path).lastPathComponent, operation)
    }
}

extension AlcorSample {
    /// Opens ports of UDP to anybody, and lets everything out.
    static func opening(_ id: String, _ ports: UInt32...) -> Alcor_Schema_SecurityGroupState {
        group(id, [rule("out", .egress)] + ports.map { rule("port-\($0)", .ingress, .udp, $0, $0) }, .create, .full)
    }

    static func goal(_ body: (inout Alcor_Schema_GoalState) -> Void) -> Alcor_Schema_GoalState {
        .with {
            $0.formatVersion = 1
            body(&$0)
        }
    }
}
