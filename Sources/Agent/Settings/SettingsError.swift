/// One setting that can't be taken.
package struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// As its source spells it: "log.level", "--log-level", "HAWSER_LOG_LEVEL".
    package var key: String
    package var value: String
    /// Where it is written: a file's path, "the command line", "the environment".
    package var source: String
    package var reason: String
    package var valid: String

    package var description: String {
        let what = value.isEmpty ? key : "\(key) is \"\(value)\""
        return "\(source): \(what): \(reason)" + (valid.isEmpty ? "" : "; valid: \(valid)")
    }
}

/// All that is wrong with the settings, so that one look at them is enough.
package struct SettingsErrors: Error, Hashable, Sendable, CustomStringConvertible {
    package var errors: [SettingsError]
    package var description: String { errors.map(\.description).joined(separator: "\n") }
}
