package import Foundation

/// JSON as every interface of Hawser writes it: keys in alphabetical order, slashes as they are, times in RFC 3339, UTC, with milliseconds.
/// What steers a terminal or isn't seen (`printable`) is spelled out, because people look at it with `curl`, too.
package enum JSON {
    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// One value on one line, without a line end.
    package static func line(_ value: some Encodable) throws -> Data {
        spelled(try encoder([.sortedKeys, .withoutEscapingSlashes]).encode(value))
    }

    /// One value over several lines, for people and for files; without a line end.
    package static func pretty(_ value: some Encodable) throws -> Data {
        spelled(try encoder([.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]).encode(value))
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            try Date(decoder.singleValueContainer().decode(String.self), strategy: time)
        }
        return try decoder.decode(type, from: data)
    }

    /// "2027-01-31T09:15:00.250Z".
    package static func text(_ date: Date) -> String { date.formatted(time) }

    /// The encoder spells out what is below U+0020. Nothing else of that kind stands outside of JSON's texts.
    private static func spelled(_ json: Data) -> Data {
        guard json.contains(where: { $0 >= 0x7F }) else { return json }
        let scalars = String(decoding: json, as: UTF8.self).unicodeScalars
        guard scalars.contains(where: isSpelled) else { return json }
        let text = scalars.reduce(into: "") { text, scalar in
            guard isSpelled(scalar) else { return text.unicodeScalars.append(scalar) }
            for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter {
                let digits = String(unit, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return Data(text.utf8)
    }

    private static func isSpelled(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= 0x7F && scalar.isControl }

    private static func encoder(_ formatting: JSONEncoder.OutputFormatting) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(text(date))
        }
        return encoder
    }
}
