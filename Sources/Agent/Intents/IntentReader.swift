package import Foundation
package import HostNetwork
import Store
import Yams

/// Reads the text of intents, YAML or JSON, into documents.
package enum IntentReader {
    /// One document of a JSON text, or all those of a YAML stream (separated by `---`).
    /// JSON is what calls itself so ("….json") or, where there is no name to go by, begins with a brace.
    package static func documents(in text: Data, named name: String) throws(UnreadableText) -> [Document] {
        var left = Document.mostValues
        return try documents(in: text, named: name, values: &left)
    }

    /// The same of one of several texts that come together.
    ///
    /// - Parameter left: how many values there may be yet.
    static func documents(in text: Data, named name: String, values left: inout Int) throws(UnreadableText) -> [Document] {
        let startsLikeJSON = text.first { !$0.isASCIISpace } == UInt8(ascii: "{")
        let saysYAML = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
        do {
            if name.hasSuffix(".json") { return [try JSONParser.parse(text, values: &left)] }
            // YAML is nearly a superset of JSON, but not quite: tabs, for one.
            if startsLikeJSON, !saysYAML {
                var leftAfter = left
                if let document = try? JSONParser.parse(text, values: &leftAfter) {
                    left = leftAfter
                    return [document]
                }
            }
            guard let string = String(validating: text, as: UTF8.self) else { throw UnreadableText(name: name, reason: "it isn't UTF-8") }
            return try YAMLDocument.parse(string, values: &left)
        } catch let error as UnreadableText {
            throw error
        } catch {
            throw UnreadableText(name: name, reason: Self.words("\(error)"))
        }
    }

    /// Yams quotes the whole line, which may be the whole text.
    private static func words(_ text: String) -> String {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return text.utf8.count <= 1000 ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(300))) + "…"
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
