import Foundation

/// Times of one thing that was done again and again; microseconds.
struct Series: Codable, Sendable {
    var what: String
    /// What is done: "hawser", "bytes replayed", "nft -f", …
    var by: String
    /// The conditions: "400 pods".
    var among: String
    private(set) var times = Samples()
    /// Netlink messages and bytes of the last repetition, where there are any.
    var messages: Int?
    var bytes: Int?

    private enum CodingKeys: String, CodingKey { case what, by, among, times, messages, bytes }

    init(_ what: String, by: String, among: String) {
        self.what = what
        self.by = by
        self.among = among
    }

    init(_ what: String, by: String, among: String, _ times: [Duration]) {
        self.init(what, by: by, among: among)
        self.times = Samples(times.map { $0 / .microseconds(1) })
    }

    mutating func add(_ time: Duration) { times.add(time / .microseconds(1)) }

    /// Times `body`, and adds that.
    @discardableResult
    mutating func time<Result>(_ body: () throws -> Result) rethrows -> Result {
        let start = ContinuousClock.now
        let result = try body()
        add(start.duration(to: .now))
        return result
    }
}

/// A figure that is measured once.
struct Fact: Codable, Sendable {
    var what: String
    var among: String
    var value: Double
    var unit: String
}

/// All results, as a table for people and JSON for programs.
struct Figures: Codable, Sendable {
    var host = HostFacts()
    var series: [Series] = []
    var facts: [Fact] = []
    /// Who the others are compared with.
    var baseline = Figures.limit

    mutating func add(_ other: [Series]) { series += other }

    var table: String {
        var rows = [["WHAT", "BY", "AMONG", "MIN", "MEDIAN", "P90", "P99", "TIMES", "RATIO", "MESSAGES", "BYTES"]]
        for item in series {
            let median = series.first { $0.what == item.what && $0.among == item.among && $0.by == self.baseline }?.times.median
            let ratio = median.map { String(format: "%.2f", item.times.median / $0) } ?? ""
            rows.append([
                item.what, item.by, item.among, Self.text(item.times.minimum), Self.text(item.times.median), Self.text(item.times.p90),
                Self.text(item.times.p99), "\(item.times.count)", ratio,
                item.messages.map(String.init) ?? "", item.bytes.map(String.init) ?? "",
            ])
        }
        let facts = [["FIGURE", "AMONG", "VALUE"]] + facts.map { [$0.what, $0.among, String(format: "%.1f %@", $0.value, $0.unit)] }
        return Self.lined(rows) + "\n\n" + Self.lined(facts)
    }

    /// The kernel's own.
    static let limit = "bytes replayed"

    private static func text(_ microseconds: Double) -> String {
        microseconds < 1000 ? String(format: "%.0f µs", microseconds) : String(format: "%.2f ms", microseconds / 1000)
    }

    private static func lined(_ rows: [[String]]) -> String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column < 3 ? cell.0 + space : space + cell.0
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
