import Foundation
import HostNetwork
import SwiftProtobuf

extension Document {
    /// A message as a map. What this version doesn't know of it is named "field 12", which the validation refuses as it refuses a
    /// misspelt word of a file: a rule whose newer half is unknown must not mean more than what was written.
    static func message(_ unknown: UnknownStorage, _ fields: (String, Document?)...) -> Document {
        .map(fields.compactMap { name, value in value.map { (name, $0) } } + unknown.documents)
    }

    /// A text without presence: an empty one was left out.
    static func given(_ text: String) -> Document? { text.isEmpty ? nil : .string(text) }

    static func texts(_ texts: [String]) -> Document { .list(texts.map { .string($0) }) }

    /// As files have it: 0 is none, and what doesn't fit in a number is text.
    static func revision(_ revision: UInt64) -> Document? {
        if revision == 0 { nil } else if let number = Int(exactly: revision) { .int(number) } else { .string("\(revision)") }
    }
}

extension UnknownStorage {
    /// Named by the number of the first: that there is one is enough to refuse the message.
    var documents: [(String, Document)] { firstNumber.map { [("field \($0)", .bool(true))] } ?? [] }

    /// Of the first tag, a varint whose lowest three bits are the wire type (protobuf.dev, "Encoding").
    private var firstNumber: UInt64? {
        guard !data.isEmpty else { return nil }
        var tag: UInt64 = 0
        for (index, byte) in data.prefix(5).enumerated() {
            tag |= UInt64(byte & 0x7F) << UInt64(7 * index)
            if byte & 0x80 == 0 { break }
        }
        return tag >> 3
    }
}
