import Foundation
import Lab

/// A pod of a daemon's host: number n of 10.1.0.0/24 and of fd00:1::/64 (in hexadecimal there).
struct DaemonPod {
    var id: String
    var number: Int
    var namespace: LabNamespace
    var network = "blue"
    /// Nil: derived from its id.
    var mac: String?

    var ipv4: String { "10.1.0.\(number)" }
    var ipv6: String { "fd00:1::\(String(number, radix: 16))" }
    var addresses: [String] { [ipv4, ipv6] }

    func yaml(_ groups: String...) -> String {
        """
          - id: \(id)
            network: \(network)
            namespace: \(namespace.path)\(mac.map { "\n    mac: \"\($0)\"" } ?? "")
            addresses: [\(ipv4), "\(ipv6)"]
            securityGroups: [\(groups.joined(separator: ", "))]

        """
    }

    /// Whether a datagram to a port of this pod arrives; one that doesn't is told by another to a port that is open, which comes after it.
    func isReached(at port: UInt16, from other: DaemonPod, _ family: Int, witness: UInt16) throws -> Bool {
        let (from, to) = (other.addresses[family], addresses[family])
        let (sender, receiver) = (try UDP(in: other.namespace, at: from), try UDP(in: namespace, at: to, port: port))
        let last = try UDP(in: namespace, at: to, port: witness)
        let mark = "mark \(UInt64.random(in: .min ... .max))"
        try sender.send(mark, to: to, port: port)
        guard try sender.reaches(last, at: to, within: .seconds(5)) else { throw LabError("port \(witness) of \(id) isn't open") }
        // It was sent before; where the sender changed processors meanwhile, it may be behind the other in their queues.
        return receiver.receive(within: .milliseconds(100))?.text == mark
    }
}

extension DaemonHost {
    func pod(_ id: String, _ number: Int) throws -> DaemonPod { DaemonPod(id: id, number: number, namespace: try lab.namespace(id)) }

    /// The network, and groups that open a port of UDP each to anybody of both families; `open` is everything.
    static func groups(_ ports: [String: [UInt16]]) -> String {
        let groups = ports.sorted { $0.key < $1.key }.map { id, ports in
            let rules = ports.map { "      - {id: port-\($0), direction: ingress, protocol: udp, ports: \($0)}\n" }.joined()
            return "  - id: \(id)\n    network: blue\n" + (rules.isEmpty ? "    rules: []\n" : "    rules:\n" + rules)
        }
        return """
            networks:
              - id: blue
                subnets:
                  - {id: blue-4, cidr: 10.1.0.0/24, gateway: 10.1.0.1}
                  - {id: blue-6, cidr: "fd00:1::/64", gateway: "fd00:1::1"}
            securityGroups:
              - id: open
                network: blue
                rules:
                  - {id: out, direction: egress}
                  - {id: in, direction: ingress}

            """ + groups.joined()
    }
}
