import Foundation
import Synchronization

/// What the newcomer reads, and the tally of promises.
final class Page: Sendable {
    private let hasColors = isatty(1) == 1
    private let tally = Mutex((kept: 0, broken: [String]()))

    enum Style: String {
        case bold = "1", dim = "2", red = "31", green = "32", cyan = "36"
    }

    func styled(_ text: String, _ style: Style) -> String { hasColors ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text }

    func chapter(_ title: String) { say("\n" + styled(title, .bold) + "\n" + styled(String(repeating: "─", count: title.count), .dim)) }

    func say(_ text: String = "") { try? FileHandle.standardOutput.write(contentsOf: Data((text + "\n").utf8)) }

    /// What a user would type, and what came of it.
    func command(_ line: String, output: [String] = []) {
        say(styled("  $ \(line)", .cyan))
        for line in output { say("    \(line)") }
    }

    func complain(_ text: String) {
        guard !text.isEmpty else { return }
        try? FileHandle.standardError.write(contentsOf: Data(("hawser-demo: " + text + "\n").utf8))
    }

    /// Says whether a promise was kept.
    func check(_ promise: String, _ isKept: Bool, otherwise detail: @autoclosure () -> String = "") {
        tally.withLock { tally in
            if isKept { tally.kept += 1 } else { tally.broken.append(promise) }
        }
        say("  " + (isKept ? styled("✓", .green) : styled("✗", .red)) + " " + promise)
        if !isKept, !detail().isEmpty { say("      " + styled(detail(), .red)) }
    }

    /// The last line; whether every promise was kept.
    func close() -> Bool {
        let (kept, broken) = tally.withLock { ($0.kept, $0.broken) }
        say()
        if broken.isEmpty {
            say(styled("All \(kept) promises kept; the lab is gone again.", .green))
        } else {
            say(styled("\(broken.count) of \(kept + broken.count) promises broken:", .red))
            for promise in broken { say("  " + promise) }
        }
        return broken.isEmpty
    }
}

/// Columns that line up.
struct Grid {
    private var rows: [[String]] = []

    mutating func add(_ cells: String...) { rows.append(cells) }
    mutating func add(_ cells: [String]) { rows.append(cells) }

    /// Lines; `style` may colour a cell whose width is settled already.
    func lines(_ style: (String) -> String = { $0 }) -> [String] {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                style(cell) + String(repeating: " ", count: column == row.count - 1 ? 0 : widths[column] - cell.count)
            }.joined(separator: "  ")
        }
    }
}

extension Duration {
    /// "0.42 ms", "17 ms", "1.3 s".
    var text: String {
        let milliseconds = self / .milliseconds(1)
        return milliseconds < 10
            ? String(format: "%.2f ms", milliseconds)
            : milliseconds < 1000 ? String(format: "%.0f ms", milliseconds) : String(format: "%.1f s", milliseconds / 1000)
    }
}
