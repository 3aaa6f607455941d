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
        let line = log(.text).line(.info, "a\u{1b}[2Jb\rc\u{0}d\u{9b}e\u{202e}f\tg", ["x": "\u{7}\ny\t"], at: time)
        #expect(line == #"2027-01-15T08:00:00.000Z info a\u{1B}[2Jb\rc\0d\u{009B}e\u{202E}f"# + "\tg" + #" x=\u{07}\ny\t"#)
    }
}
