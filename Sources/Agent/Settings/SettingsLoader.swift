import Configuration
import Foundation
import HostNetwork
import SystemPackage
import Yams

/// Reads the settings: a flag wins over the environment, the environment over the file, the file over the default.
package struct SettingsLoader: Sendable {
    package static let defaultFile = "/etc/hawser/hawserd.yaml"

    private struct Layer {
        var name: String
        var reader: ConfigReader
        var spelled: (Setting) -> String
    }

    /// What was loaded, and what deserves a word in the log.
    package struct Loaded: Sendable {
        package var settings: Settings
        package var notes: [String]
    }

    /// `file`: nil for the default one, which may be missing. `flags`: "--push-listen", "0.0.0.0:1", or "--push-listen=0.0.0.0:1".
    package static func load(
        file: String?, flags: [String] = [], environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws -> Loaded {
        var errors = unknown(flags)
        var notes = unknown(environment)
        let path = file ?? defaultFile
        let isThere = FileManager.default.fileExists(atPath: path)
        guard isThere || file == nil else {
            throw SettingsErrors(errors: [
                SettingsError(key: "--config", value: path, source: "the command line", reason: "there is no such file", valid: "")
            ])
        }
        let structure = isThere ? try structure(of: path) : nil
        errors += structure ?? []
        guard errors.isEmpty else { throw SettingsErrors(errors: errors) }

        var layers = [
            Layer(
                name: "the command line", reader: ConfigReader(provider: CommandLineArgumentsProvider(arguments: ["hawserd"] + flags)),
                spelled: \.flag),
            Layer(
                name: "the environment",
                reader: ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "hawser")),
                spelled: \.variable),
        ]
        if structure != nil {
            let provider = try await FileProvider<YAMLSnapshot>(filePath: FilePath(path))
            layers.append(Layer(name: path, reader: ConfigReader(provider: provider), spelled: \.key))
        }
        var settings = Settings()
        for setting in Setting.all {
            for layer in layers {
                guard let texts = texts(of: setting, in: layer) else { continue }
                let before = settings
                if !setting.set(&settings, texts) {
                    let value = texts.joined(separator: ",")
                    errors.append(
                        SettingsError(
                            key: layer.spelled(setting), value: value, source: layer.name, reason: "not valid", valid: setting.valid))
                } else if setting.isForLater, settings != before {
                    notes.append("\(layer.spelled(setting)) (\(layer.name)) has no effect in this version")
                }
                break
            }
        }
        if let error = settings.push.contradiction { errors.append(error) }
        guard errors.isEmpty else { throw SettingsErrors(errors: errors) }
        return Loaded(settings: settings, notes: notes)
    }

    /// Nil where the layer doesn't have it.
    private static func texts(of setting: Setting, in layer: Layer) -> [String]? {
        if setting.isList { return layer.reader.stringArray(forKey: setting.configKey) }
        // A flag's text is cut at commas: as a list it is all there, whatever it holds.
        return layer.reader.string(forKey: setting.configKey).map { [$0] } ?? layer.reader.stringArray(forKey: setting.configKey)
    }

    private static func unknown(_ flags: [String]) -> [SettingsError] {
        var expectsValue = false
        return flags.compactMap { flag in
            guard flag.hasPrefix("--") else {
                defer { expectsValue = false }
                return expectsValue ? nil : error(flag, in: "the command line", reason: "not a flag", among: Setting.all.map(\.flag))
            }
            expectsValue = !flag.contains("=")
            let name = flag.split(separator: "=", maxSplits: 1).first.map(String.init) ?? flag
            let known = Setting.all.map(\.flag)
            return known.contains(name) ? nil : error(name, in: "the command line", reason: "there is no such flag", among: known)
        }
    }

    /// Only a note: others set variables too, such as Kubernetes for a service named hawser.
    private static func unknown(_ environment: [String: String]) -> [String] {
        let known = Setting.all.map(\.variable) + ["HAWSER_CONFIG"]
        return environment.keys.filter { $0.hasPrefix("HAWSER_") && !known.contains($0) }.sorted().map { name in
            error(name, in: "the environment", reason: "there is no such setting, so it has no effect", among: known).description
        }
    }

    static func error(_ key: String, in source: String, reason: String, among known: [String]) -> SettingsError {
        let valid = key.nearest(of: known).map { "did you mean \($0)?" } ?? "see hawserd --help"
        return SettingsError(key: key, value: "", source: source, reason: reason, valid: valid)
    }
}
