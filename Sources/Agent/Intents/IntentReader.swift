package import Foundation
package import HostNetwork
import Store
import Yams

/// Reads the text of intents, YAML or JSON, into documents.
package enum IntentReader {
    /// One document of a JSON text, or all those of a YAML stream (separated by `---`).
    /// JSON is what calls itself so ("….json") or, where there is no name to go by, begins with a brace.
    package static func documents(in text: Data, named name: String) throws(UnreadableText) -> [Document] {
        let startsLikeJSON = text.first { !$0.isASCIISpace } == UInt8(ascii: "{")
        let saysYAML = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
        do {
            if name.hasSuffix(".json") { return [try JSONParser.parse(text)] }
            // YAML is nearly a superset of JSON, but not quite: tabs, for one.
            if startsLikeJSON, !saysYAML, let document = try? JSONParser.parse(text) { return [document] }
            guard let string = String(validating: text, as: UTF8.self) else { throw UnreadableText(name: name, reason: "it isn't UTF-8") }
            return try YAMLDocument.parse(string)
        } catch let error as UnreadableText {
            throw error
        } catch {
            throw UnreadableText(name: name, reason: "\(error)".trimmingCharacters(in: .whitespacesAndNewlines))
        }
    }
}

/// A text of intents that can't be read as a whole.
package struct UnreadableText: Error, Hashable, Sendable, CustomStringConvertible {
    package var name: String
    package var reason: String
    package var description: String { "\(name): \(reason)" }
}

extension UInt8 {
    fileprivate var isASCIISpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
