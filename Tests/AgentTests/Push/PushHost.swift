import Foundation
import Lab
import Testing

/// A daemon's host with a push port, and Python's gRPC on it.
extension DaemonHost {
    static let plaintext = ["--push-listen", "127.0.0.1:50001", "--push-plaintext", "true"]

    private func client(to target: String = "127.0.0.1:50001") -> [String] { Self.client + [target] }

    /// Runs steps of `Python/client.py`, and answers what it wrote: a reply or a failure on each line.
    func python(_ arguments: [String] = [], _ steps: String...) throws -> [[String: Any]] {
        try lines(of: host.run(client() + arguments, input: steps.joined(separator: "\n") + "\n"))
    }

    /// The same from elsewhere.
    func python(_ steps: String, from namespace: LabNamespace, to target: String) throws -> [[String: Any]] {
        try lines(of: namespace.run(client(to: target), input: steps + "\n"))
    }

    private func lines(of output: String) throws -> [[String: Any]] {
        try output.split(separator: "\n").map { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return try #require(object)
        }
    }

    /// A step: one push of its own call.
    static func apply(_ delta: String, id: String = "1") -> String {
        #"{"call": "Apply", "request": {"id": "\#(id)", "delta": \#(delta)}}"#
    }

    /// A step: one push on the stream.
    static func send(_ delta: String, id: String) -> String { #"{"send": {"id": "\#(id)", "delta": \#(delta)}}"# }

    /// Runs steps beside the test, until they end or the program is killed; what is written goes to a file.
    func beside(_ name: String, _ steps: String...) throws -> LabProgram {
        try run(name, client(), steps, in: host)
    }

    /// The same from elsewhere.
    func beside(_ name: String, from namespace: LabNamespace, to target: String, _ steps: String...) throws -> LabProgram {
        try run(name, client(to: target), steps, in: namespace)
    }

    private func run(_ name: String, _ client: [String], _ steps: [String], in namespace: LabNamespace) throws -> LabProgram {
        let script = try folder.write(steps.joined(separator: "\n") + "\n", to: name + ".steps")
        let line = "exec \(client.joined(separator: " ")) < \(script)"
        return try LabProgram(["sh", "-c", line], in: namespace, log: folder.file(name + ".out"))
    }

    /// A client that falls silent in the middle of a message of so many bytes, or, of 0, after it has opened a stream.
    func silent(after size: Int, _ name: String) throws -> LabProgram {
        let words = ["python3", Self.script("half.py"), "127.0.0.1", "50001", "\(size)", folder.file(name)]
        let program = try LabProgram(words, in: host, log: folder.file(name + ".out"))
        guard eventually(within: .seconds(30), { FileManager.default.fileExists(atPath: folder.file(name)) }) else {
            throw LabError("\(name) isn't silent: \((try? String(contentsOfFile: folder.file(name + ".out"), encoding: .utf8)) ?? "")")
        }
        return program
    }

    /// The network, the group `open`, and groups that open ports of UDP, as `groups` has them in YAML.
    static func resources(_ ports: [String: [UInt16]], pods: String = "") -> String {
        let groups = ports.sorted { $0.key < $1.key }.map { id, ports in
            let rules = ports.map {
                #"{"id": "port-\#($0)", "direction": "INGRESS", "protocol": "udp", "ports": {"first": \#($0)}}"#
            }.joined(separator: ",")
            return #"{"id": "\#(id)", "network": "blue", "rules": [\#(rules)]}"#
        }
        let open =
            #"{"id": "open", "network": "blue", "rules": [{"id": "out", "direction": "EGRESS"}, {"id": "in", "direction": "INGRESS"}]}"#
        return """
            {"networks": [{"id": "blue", "subnets": [{"id": "b4", "cidr": "10.1.0.0/24", "gateway": "10.1.0.1"}, \
            {"id": "b6", "cidr": "fd00:1::/64", "gateway": "fd00:1::1"}]}], \
            "securityGroups": [\(([open] + groups).joined(separator: ","))], "pods": [\(pods)]}
            """
    }
}

extension DaemonPod {
    func json(_ groups: String...) -> String { json(groups) }

    func json(_ groups: [String]) -> String {
        let bound = groups.map { "\"\($0)\"" }.joined(separator: ",")
        return """
            {"id": "\(id)", "network": "blue", "namespace": "\(namespace.path)", "addresses": ["\(ipv4)", "\(ipv6)"], \
            "securityGroups": [\(bound)]}
            """
    }
}

extension [String: Any] {
    var answers: [[String: Any]] { self["answers"] as? [[String: Any]] ?? [] }
    var statuses: [String] { answers.compactMap { $0["status"] as? String } }
    var code: String? { self["code"] as? String }
    var message: String { self["message"] as? String ?? "" }
}
