import Foundation
import HawserAPI
import Lab

/// What a goal state of Alcor costs a hawserd process, from the client's call to its reply: one port, and more and more neighbors with it.
struct AlcorFigures {
    private let folder: URL
    private let lab: Lab
    private let host: LabNamespace
    private let repetitions: Int

    init(repetitions: Int, folder: URL) throws {
        self.repetitions = repetitions
        self.folder = folder.appending(path: "alcor")
        let lab = try Lab()
        self.lab = lab
        host = try lab.namespace(named: "alcor-host")
        _ = try lab.namespace(named: "alcor-pod")
    }

    func measure(_ counts: [Int]) async throws -> [Series] {
        defer {
            lab.remove()
            try? FileManager.default.removeItem(at: folder)
        }
        try host.addUnderlay("192.0.2.1")
        return try await measure(counts, isolated: false) + measure(counts, isolated: true)
    }

    /// - Parameter isolated: the VPC is a routing domain of its own, whose neighbors are reached by VXLAN; otherwise nothing leads to them.
    private func measure(_ counts: [Int], isolated: Bool) async throws -> [Series] {
        let place = folder.appending(path: "isolated-\(isolated)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let daemon = try DaemonProcess(
            on: host, in: place,
            [
                "--push-listen", "127.0.0.1:50001", "--push-plaintext", "true", "--alcor-isolated", "\(isolated)", "--host-address",
                "192.0.2.1",
            ])
        defer { daemon.program.end(SIGTERM) }
        try await daemon.ready()
        return try await ControlClient.connected(to: daemon.control) { client in
            var all: [Series] = []
            if !isolated {
                var empty = Series("an empty goal state", by: "hawserd, gRPC", among: "1 stream")
                for _ in 0..<repetitions * 10 { try await push(GoalState(json: Data("{}".utf8)), client, &empty) }
                all.append(empty)
            }
            for grouped in [false, true] {
                for count in counts {
                    let what = "1 port + neighbors" + (grouped ? ", members of a remote group" : "") + (isolated ? ", by VXLAN" : "")
                    var new = Series(what, by: "hawserd, gRPC", among: "\(count) neighbors")
                    var again = Series(what + ", once more", by: "hawserd, gRPC", among: "\(count) neighbors")
                    var gone = Series("", by: "", among: "")
                    for _ in 0..<repetitions {
                        let message = try goalState(count, grouped, "CREATE")
                        try await push(message, client, &new)
                        try await push(message, client, &again)
                        try await push(try goalState(count, grouped, "DELETE"), client, &gone)
                    }
                    all += [new, again]
                }
            }
            return all
        }
    }

    private func push(_ message: GoalState, _ client: ControlClient, _ series: inout Series) async throws {
        let start = ContinuousClock.now
        let answer = try await client.push(message)
        series.add(start.duration(to: .now))
        if let refused = answer.results.first(where: { $0.status != "SUCCESS" }) {
            throw LabError("\(refused.type) \(refused.id): \(refused.status): \(refused.reason ?? "")")
        }
    }

    /// The port's group lets in the members of another one, which the neighbors are in or not.
    private func goalState(_ count: Int, _ grouped: Bool, _ operation: String) throws -> GoalState {
        let neighbors = (0..<count).map { number in
            """
            "L3/n-\(number)": {"operation_type": "\(operation)", "configuration": {"revision_number": 1, "id": "n-\(number)", "vpc_id": "vpc",
            "mac_address": "02:00:00:02:\(String(number >> 8, radix: 16)):\(String(number & 255, radix: 16))", "host_ip_address": "192.0.2.7",
            "fixed_ips": [{"neighbor_type": "L3", "subnet_id": "far", "ip_address": "10.64.\((number + 1) >> 8).\((number + 1) & 255)"}],
            "security_group_ids": [\(grouped ? #"{"id": "clients"}"# : "")]}}
            """
        }
        let rule = """
            {"id": "in", "direction": "INGRESS", "protocol": "TCP", "port_range_min": 80, "port_range_max": 80, "remote_group_id": "clients"}
            """
        let subnets = [("near", "10.1.0.0/16", "10.1.0.1"), ("far", "10.64.0.0/16", "10.64.255.254")].map { id, cidr, gateway in
            """
            "\(id)": {"operation_type": "INFO", "configuration": {"revision_number": 1, "id": "\(id)", "vpc_id": "vpc",
            "cidr": "\(cidr)", "tunnel_id": "21", "gateway": {"ip_address": "\(gateway)"}}}
            """
        }
        let port = """
            {"operation_type": "\(operation)", "configuration": {"revision_number": 1, "update_type": "FULL", "id": "port", "vpc_id": "vpc",
            "device_id": "alcor-pod", "device_owner": "bench", "mac_address": "02:00:00:01:00:0a", "admin_state_up": true,
            "fixed_ips": [{"subnet_id": "near", "ip_address": "10.1.0.10"}], "security_group_ids": [{"id": "web"}]}}
            """
        return try GoalState(
            json: Data(
                """
                {"format_version": 1, "subnet_states": {\(subnets.joined(separator: ","))},
                "security_group_states": {"web": {"operation_type": "\(operation)", "configuration":
                {"revision_number": 1, "id": "web", "update_type": "FULL", "security_group_rules": [\(rule)]}},
                "clients": {"operation_type": "\(operation)", "configuration": {"revision_number": 1, "id": "clients", "update_type": "FULL"}}},
                "port_states": {"port": \(port)}, "neighbor_states": {\(neighbors.joined(separator: ","))}}
                """.utf8))
    }
}
