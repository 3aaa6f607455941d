import Foundation
import Yams

extension SettingsLoader {
    /// What is wrong with the file's shape: an unknown key, a value where a section belongs, or the other way round. Nil: it says nothing.
    static func structure(of path: String) throws -> [SettingsError]? {
        let root: Node?
        do {
            root = try Yams.compose(yaml: String(contentsOfFile: path, encoding: .utf8))
        } catch {
            let reason = "\(error)".trimmingCharacters(in: .whitespacesAndNewlines)
            throw SettingsErrors(errors: [SettingsError(key: "it", value: "", source: path, reason: "can't be read: \(reason)", valid: "")])
        }
        guard let root, root.scalar?.string != "" else { return nil }
        guard case .mapping(let sections) = root else {
            return [SettingsError(key: "it", value: "", source: path, reason: "not a map of sections", valid: "host: {toPods: allow}, …")]
        }
        let known = Dictionary(grouping: Setting.all) { String($0.key.prefix { $0 != "." }) }
        return sections.flatMap { name, section -> [SettingsError] in
            let name = name.string ?? "?"
            guard let settings = known[name] else {
                return [error(name, in: path, reason: "there is no such section", among: known.keys.sorted())]
            }
            guard case .mapping(let values) = section else {
                if section.scalar?.string.isEmpty == true { return [] }
                let valid = settings.map { String($0.key.dropFirst(name.count + 1)) }.joined(separator: ", ")
                return [
                    SettingsError(key: name, value: section.string ?? "", source: path, reason: "not a section", valid: "a map of \(valid)")
                ]
            }
            return values.compactMap { key, value in
                let full = name + "." + (key.string ?? "?")
                guard let setting = settings.first(where: { $0.key == full }) else {
                    return error(full, in: path, reason: "there is no such setting", among: Setting.all.map(\.key))
                }
                let fits = setting.isList ? value.sequence != nil : value.scalar != nil
                return fits ? nil : SettingsError(key: full, value: "", source: path, reason: "not of this shape", valid: setting.valid)
            }
        }
    }
}
