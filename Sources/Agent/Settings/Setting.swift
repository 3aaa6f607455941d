import Configuration

/// One line of the table of settings: its key, and how its text becomes a value.
package struct Setting: Sendable {
    /// As in the file: "host.toPods".
    package let key: String
    package let help: String
    /// What the value must look like, for errors and for `--help`.
    package let valid: String
    /// Belongs to an interface that this version doesn't have yet: accepted, so that one file serves all versions, and said in the log.
    package let isForLater: Bool
    let isList: Bool
    let set: @Sendable (inout Settings, [String]) -> Bool
    /// The value in force, as the file would spell it.
    let text: @Sendable (Settings) -> String

    private init(
        _ key: String, _ help: String, valid: String, isForLater: Bool, isList: Bool = false,
        text: @escaping @Sendable (Settings) -> String, set: @escaping @Sendable (inout Settings, [String]) -> Bool
    ) {
        self.key = key
        self.help = help
        self.valid = valid
        self.isForLater = isForLater
        self.isList = isList
        self.text = text
        self.set = set
    }

    /// As on the command line: "--host-to-pods".
    package var flag: String { "--" + words("-").lowercased() }
    /// As in the environment: "HAWSER_HOST_TO_PODS".
    package var variable: String { "HAWSER_" + words("_").uppercased() }
    var configKey: ConfigKey { ConfigKey(key.split(separator: ".").map(String.init)) }

    /// The key's words: a new one begins where a capital follows a small letter, as swift-configuration has it.
    private func words(_ separator: String) -> String {
        var result = ""
        for (character, previous) in zip(key, " " + key) {
            if character == "." {
                result += separator
            } else {
                if character.isUppercase, previous.isLowercase { result += separator }
                result.append(character)
            }
        }
        return result
    }
}

extension Setting {
    /// A value that one text stands for.
    static func value<Value>(
        _ key: String, _ path: any WritableKeyPath<Settings, Value> & Sendable, _ help: String, valid: String, isForLater: Bool = false,
        text: @escaping @Sendable (Value) -> String, parse: @escaping @Sendable (String) -> Value?
    ) -> Setting {
        Setting(key, help, valid: valid, isForLater: isForLater, text: { text($0[keyPath: path]) }) { settings, texts in
            guard texts.count == 1, let value = parse(texts[0]) else { return false }
            settings[keyPath: path] = value
            return true
        }
    }

    /// A text that `valid` describes and `isValid` holds it to.
    static func text(
        _ key: String, _ path: any WritableKeyPath<Settings, String> & Sendable, _ help: String, valid: String = "any text",
        isForLater: Bool = false, where isValid: @escaping @Sendable (String) -> Bool = { _ in true }
    ) -> Setting {
        value(key, path, help, valid: valid, isForLater: isForLater, text: \.self) { isValid($0) ? $0 : nil }
    }

    /// One of a few words.
    static func word<Word: RawRepresentable<String> & CaseIterable & Sendable>(
        _ key: String, _ path: any WritableKeyPath<Settings, Word> & Sendable, _ help: String, isForLater: Bool = false
    ) -> Setting {
        let words = Word.allCases.map(\.rawValue)
        let valid = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        return value(key, path, help, valid: valid, isForLater: isForLater, text: \.rawValue) { Word(rawValue: $0) }
    }

    static func yesNo(
        _ key: String, _ path: any WritableKeyPath<Settings, Bool> & Sendable, _ help: String, isForLater: Bool = false
    ) -> Setting {
        value(key, path, help, valid: "true or false", isForLater: isForLater, text: { "\($0)" }) { Bool($0) }
    }

    static func list(
        _ key: String, _ path: any WritableKeyPath<Settings, [String]> & Sendable, _ help: String, valid: String = "a list of texts",
        isForLater: Bool = false, where isValid: @escaping @Sendable ([String]) -> Bool = { _ in true }
    ) -> Setting {
        Setting(
            key, help, valid: valid, isForLater: isForLater, isList: true,
            text: { "[" + $0[keyPath: path].joined(separator: ", ") + "]" }
        ) { settings, texts in
            let texts = texts.filter { !$0.isEmpty }
            guard isValid(texts) else { return false }
            settings[keyPath: path] = texts
            return true
        }
    }

    /// A number of things, one at least.
    static func count(_ key: String, _ path: any WritableKeyPath<Settings, Int> & Sendable, _ help: String) -> Setting {
        value(key, path, help, valid: "a whole number from 1 to 1000000000", text: { "\($0)" }) { text in
            Int(text).flatMap { (1...1_000_000_000).contains($0) ? $0 : nil }
        }
    }
}

extension Setting {
    /// The default, as the file would spell it.
    package var initial: String {
        let text = text(Settings())
        return text.isEmpty ? "\"\"" : text
    }
}
