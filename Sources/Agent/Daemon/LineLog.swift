import Foundation
import HawserAPI
package import Logging

/// Writes a line for each message to standard error: for people, or JSON for programs.
///
/// A line has an end: the journal cuts what is longer than `LineMax=` (journald.conf(5), 48 KiB), and takes what comes
/// behind the cut for a line of its own, with a priority if it begins like one.
package struct LineLog: LogHandler {
    /// Bytes of a message, or of a value beside it, before what isn't printable is spelled out.
    private static let longest = 2048

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: Settings.Log.Format
    /// The journal puts the time on each line itself, and takes the priority from "<6>" (sd-daemon(3)).
    private let isJournal: Bool

    package init(label: String, _ settings: Settings.Log, environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.label = label
        logLevel = settings.level
        format = settings.format
        isJournal = environment["JOURNAL_STREAM"] != nil
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
        // One write a line, so that lines of several threads don't mix.
        try? FileHandle.standardError.write(contentsOf: Data((line(event.level, "\(event.message)", all) + "\n").utf8))
    }

    func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, at time: Date = .now) -> String {
        let message = Self.beginning(of: message)
        let fields = metadata.mapValues { Self.beginning(of: "\($0)") }
        switch format {
        case .json:
            let entry = fields.merging(
                ["time": JSON.text(time), "level": level.rawValue, "logger": label, "message": message]
            ) { $1 }
            return (try? JSON.line(entry)).map { String(decoding: $0, as: UTF8.self) } ?? message
        case .text:
            let start = isJournal ? "<\(level.priority)>" : "\(JSON.text(time)) \(level.rawValue) "
            let details = fields.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            // A message of several lines stays one entry.
            return start + message.printable.replacing("\n", with: "\n    ") + details.printableLine
        }
    }

    private static func beginning(of text: String) -> String {
        let length = text.utf8.count
        guard length > longest else { return text }
        // Of scalars, because a character may be as long as the text.
        var (beginning, room) = (String.UnicodeScalarView(), longest)
        for scalar in text.unicodeScalars {
            room -= UTF8.width(scalar)
            guard room >= 0 else { break }
            beginning.append(scalar)
        }
        return String(beginning) + "… (\(length) bytes)"
    }
}

extension Logger.Level {
    /// syslog(3)'s number.
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
