import Foundation
import HostNetwork

/// What one way of a packet costs through one host; nanoseconds a packet, or a connection, on one processor.
struct PacketCost: Codable, Sendable {
    var by: String
    /// Of each of the two groups.
    var rules: Int
    var pods: Int
    var members: Int
    var remotes: Int
    var kind: PacketKind
    /// Of bursts.
    private(set) var times = Samples()

    init(_ host: PacketHost, _ kind: PacketKind) {
        by = host.by.title
        (rules, pods, members, remotes) = (host.policy.rules, host.policy.pods, host.policy.members, host.policy.remotes)
        self.kind = kind
    }

    mutating func add(_ time: Double) { times.add(time) }
}

/// All of them, as a table for people and JSON for programs.
struct PacketFigures: Codable, Sendable {
    var host = HostFacts()
    var costs: [PacketCost] = []
    /// What was left out, and why.
    var missing: [String] = []

    /// A row for each host, a column for each way of a packet: the median, and by how much it is above plain forwarding.
    var table: String {
        let plain = hosts.first { $0.costs.first?.by == PacketHost.By.forwarding.title }?.costs ?? []
        let rows = hosts.map { host in
            host.label + PacketKind.allCases.map { kind in cell(of: cost(host.costs, kind), above: cost(plain, kind)) }
                + [PacketKind.established, .connection].map { kind in
                    cost(host.costs, kind).map { String(format: "%.0f", 1e9 / $0.times.median) } ?? "–"
                }
        }
        let heading = ["by", "rules", "pods", "members"] + PacketKind.allCases.map(\.title) + ["packets/s", "connections/s"]
        return Self.lined([heading, heading.map { _ in "---" }] + rows)
    }

    /// The distances between minimum, median and 90th percentile, which show how quiet the machine was.
    var spread: String {
        let rows = PacketKind.allCases.compactMap { kind -> [String]? in
            let of = costs.filter { $0.kind == kind }
            guard !of.isEmpty else { return nil }
            func worst(_ ratio: (PacketCost) -> Double) -> String { String(format: "%.2f", of.map(ratio).sorted()[of.count / 2]) }
            return [kind.title, worst { $0.times.minimum / $0.times.median }, worst { $0.times.p90 / $0.times.median }]
        }
        return Self.lined([["", "minimum / median", "p90 / median"], ["---", "---", "---"]] + rows)
    }

    /// What the figures are to show.
    var aims: String {
        let own = hosts.filter { $0.isUsual }
        var lines: [String] = []
        for kind in [PacketKind.established, .reply] {
            let medians = own.compactMap { cost($0.costs, kind)?.times.median }
            guard let least = medians.min(), let most = medians.max() else { continue }
            lines.append(
                String(
                    format: "%@: %.0f to %.0f ns at all sizes of Hawser's, %.2f times (aim: the same)", kind.title, least, most,
                    most / least))
        }
        for kind in [PacketKind.last, .any, .remote, .connection] {
            for large in own where large.costs.first?.rules == 500 {
                guard let size = large.costs.first, let few = own.first(where: { $0.isLike(size, rules: 5) }) else { continue }
                guard let a = cost(few.costs, kind), let b = cost(large.costs, kind) else { continue }
                lines.append(
                    String(
                        format: "%@, %d pods, %d members: %.2f times at 2 × 500 what it is at 2 × 5 (aim: no more than 2)", kind.title,
                        size.pods, size.members, b.times.median / a.times.median))
            }
        }
        return lines.joined(separator: "\n")
    }

    private struct Host {
        var costs: [PacketCost]

        var label: [String] {
            guard let first = costs.first else { return [] }
            let rules = first.rules == 0 ? "–" : "2 × \(first.rules)" + (first.remotes == 4 ? "" : ", \(first.remotes) remote groups")
            return [first.by, rules, "\(first.pods)", first.rules == 0 ? "–" : "\(first.members)"]
        }

        /// Hawser's, with as many remote groups as most.
        var isUsual: Bool { costs.first.map { $0.by == PacketHost.By.hawser.title && $0.remotes == 4 } ?? false }

        func isLike(_ cost: PacketCost, rules: Int) -> Bool {
            guard let first = costs.first else { return false }
            return (first.by, first.rules, first.pods, first.members) == (cost.by, rules, cost.pods, cost.members)
        }
    }

    private var hosts: [Host] {
        costs.reduce(into: []) { hosts, cost in
            if let last = hosts.indices.last, let first = hosts[last].costs.first, first.isOfSameHost(as: cost) {
                hosts[last].costs.append(cost)
            } else {
                hosts.append(Host(costs: [cost]))
            }
        }
    }

    private func cost(_ costs: [PacketCost], _ kind: PacketKind) -> PacketCost? { costs.first { $0.kind == kind } }

    private func cell(of cost: PacketCost?, above base: PacketCost?) -> String {
        guard let cost else { return "–" }
        let median = String(format: "%.0f", cost.times.median)
        guard let base, base.times.median < cost.times.median else { return median }
        return median + String(format: " (+%.0f)", cost.times.median - base.times.median)
    }

    private static func lined(_ rows: [[String]]) -> String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            "| " + zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: " | ") + " |"
        }.joined(separator: "\n")
    }
}

extension PacketCost {
    fileprivate func isOfSameHost(as other: PacketCost) -> Bool {
        (by, rules, pods, members, remotes) == (other.by, other.rules, other.pods, other.members, other.remotes)
    }
}
