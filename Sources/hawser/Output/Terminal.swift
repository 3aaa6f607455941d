import Foundation
import HawserAPI

/// Where a command's words go.
struct Terminal: Sendable {
    @TaskLocal static var current = Terminal.standard

    /// Whether a person looks at it, who likes colours.
    var hasColors: Bool
    /// Each takes whole lines, without the last line end.
    var print: @Sendable (String) -> Void
    var error: @Sendable (String) -> Void

    static let standard = Terminal(
        hasColors: isatty(STDOUT_FILENO) == 1 && wantsColors(ProcessInfo.processInfo.environment),
        print: { write($0, to: .standardOutput) },
        error: { write($0, to: .standardError) })

    /// "hawser: …" on standard error, in one line.
    func complain(_ message: String) { error("hawser: " + message.printableLine) }

    /// See no-color.org.
    static func wantsColors(_ environment: [String: String]) -> Bool {
        (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }

    private static func write(_ text: String, to file: FileHandle) {
        // A reader that has seen enough (`| head`) is no error.
        try? file.write(contentsOf: Data((text.hasSuffix("\n") ? text : text + "\n").utf8))
    }
}

/// Text of one line, with a colour that counts for nothing in the width of a column.
struct Styled: Sendable, ExpressibleByStringInterpolation {
    /// SGR parameters (ECMA-48, 8.3.117).
    enum Color: String, Sendable { case red = "31", green = "32", yellow = "33", bold = "1" }

    var text: String
    var color: Color?

    init(_ text: String, _ color: Color? = nil) {
        self.text = text.printableLine
        self.color = color
    }

    init(stringLiteral value: String) { self.init(value) }

    init(_ status: Status) {
        let color: Color =
            switch status {
            case .applied: .green
            case .pending, .deferred: .yellow
            case .rejected, .failed, .stale: .red
            }
        self.init(status.rawValue, color)
    }

    func rendered(colors: Bool) -> String {
        guard colors, let color else { return text }
        return "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m"
    }
}
