import Foundation
import Logging
import Testing

@testable import Agent

@Suite("A line of the log") struct LineLogTests {
    private let time = Date(timeIntervalSince1970: 1_800_000_000)

    private func log(_ format: Settings.Log.Format, _ environment: [String: String] = [:]) -> LineLog {
        var settings = Settings.Log()
        settings.format = format
        return LineLog(label: "hawserd", settings, environment: environment)
    }

    @Test("for people has time, level, message and details, and stays one entry")
    func text() {
        let line = log(.text).line(.warning, "first\nsecond", ["pod": "web-0", "a": "1"], at: time)
        #expect(line == "2027-01-15T08:00:00.000Z warning first\n    second a=1 pod=web-0")
    }

    @Test("for the journal has its priority instead of the time")
    func journal() {
        #expect(log(.text, ["JOURNAL_STREAM": "8:1"]).line(.error, "no", [:], at: time) == "<3>no")
    }

    @Test("for programs is one JSON object")
    func json() {
        let line = log(.json).line(.info, "a \"word\"\n", ["pod": "web-0"], at: time)
        #expect(
            line == #"{"level":"info","logger":"hawserd","message":"a \"word\"\n","pod":"web-0","time":"2027-01-15T08:00:00.000Z"}"#)
    }

    @Test("spells out what would steer a terminal or begin another line")
    func controls() {
        let line = log(.text).line(
            .info, "a\u{1b}[2Jb\rc\u{0}d\u{9b}e\u{202e}f\tg\u{200f}h\u{61c}\u{e0041}é中", ["x": "\u{7}\ny\t"], at: time)
        #expect(
            line == #"2027-01-15T08:00:00.000Z info a\u{1B}[2Jb\rc\0d\u{009B}e\u{202E}f"# + "\tg"
                + #"\u{200F}h\u{061C}\u{000E0041}é中 x=\u{07}\ny\t"#)
    }

    /// Fails on b183833: journald cuts it after 48 KiB, and what comes behind is an entry of its own.
    @Test("has an end, so that the journal doesn't begin another in its middle", arguments: [Settings.Log.Format.text, .json])
    func length(format: Settings.Log.Format) {
        let accents = "e" + String(repeating: "\u{301}", count: 1 << 16)
        for text in [String(repeating: "x", count: 48 << 10) + "<0>forged", String(repeating: "\u{1}", count: 1 << 20), accents] {
            let line = log(format, ["JOURNAL_STREAM": "8:1"]).line(.info, text, ["a": .string(text)], at: time)
            #expect(line.utf8.count < 48 << 10 && !line.contains("forged"))
            #expect(line.contains("… (\(text.utf8.count) bytes)"))
        }
        let whole = String(repeating: "x", count: 2048)
        let line = log(format).line(.info, whole, [:], at: time)
        #expect(line.contains(whole) && !line.contains("…"))
    }
}
