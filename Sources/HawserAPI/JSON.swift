package import Foundation

/// JSON as every interface of Hawser writes it: keys in alphabetical order, slashes as they are, times in RFC 3339, UTC, with milliseconds.
package enum JSON {
    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// One value on one line, without a line end.
    package static func line(_ value: some Encodable) throws -> Data {
        try encoder([.sortedKeys, .withoutEscapingSlashes]).encode(value)
    }

    /// One value over several lines, for people and for files; without a line end.
    package static func pretty(_ value: some Encodable) throws -> Data {
        try encoder([.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]).encode(value)
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
