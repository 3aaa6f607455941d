package import HostNetwork

/// Reads JSON (RFC 8259) into a `Document`: keeps the order of keys and a key that stands there twice, which the validation refuses.
package struct JSONParser: ~Copyable {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    /// How many values there may be, and how many yet.
    private let most: Int
    private var left: Int

    package static func parse(_ text: some Collection<UInt8>) throws(JSONSyntaxError) -> Document {
        var left = Document.mostValues
        return try parse(text, values: &left)
    }

    /// - Parameter left: how many values there may be yet, for texts that come together.
    package static func parse(_ text: some Collection<UInt8>, values left: inout Int) throws(JSONSyntaxError) -> Document {
        var parser = JSONParser(bytes: Array(text), left: left)
        defer { left = parser.left }
        parser.skipSpace()
        let document = try parser.value()
        parser.skipSpace()
        guard parser.position == parser.bytes.count else { throw parser.error("nothing more after the document") }
        return document
    }

    private init(bytes: [UInt8], left: Int) {
        self.bytes = bytes
        most = left
        self.left = left
    }

    private mutating func value() throws(JSONSyntaxError) -> Document {
        guard depth < 64 else { throw error("a document of at most 64 levels") }
        left -= 1
        guard left >= 0 else { throw error("a document of at most \(most) values") }
        depth += 1
        defer { depth -= 1 }
        guard let first = peek else { throw error("a value") }
        switch first {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("a value")
        }
    }

    private mutating func object() throws(JSONSyntaxError) -> Document {
        var entries: [(String, Document)] = []
        position += 1
        skipSpace()
        if take("}") { return .map(entries) }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw error("a key in quotes") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw error("':' after the key") }
            skipSpace()
            entries.append((key, try value()))
            skipSpace()
        } while take(",")
        guard take("}") else { throw error("',' or '}'") }
        return .map(entries)
    }

    private mutating func array() throws(JSONSyntaxError) -> Document {
        var items: [Document] = []
        position += 1
        skipSpace()
        if take("]") { return .list(items) }
        repeat {
            skipSpace()
            items.append(try value())
            skipSpace()
        } while take(",")
        guard take("]") else { throw error("',' or ']'") }
        return .list(items)
    }

    private mutating func word(_ word: String, _ document: Document) throws(JSONSyntaxError) -> Document {
        guard bytes[position...].starts(with: word.utf8) else { throw error("true, false or null") }
        position += word.utf8.count
        return document
    }

    private mutating func number() throws(JSONSyntaxError) -> Document {
        let start = position
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if let int = Int(text), !text.hasPrefix("+") { return .int(int) }
        guard let double = Double(text) else { throw error("a number") }
        return .double(double)
    }

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func error(_ expected: String) -> JSONSyntaxError {
        let before = bytes[..<min(position, bytes.count)]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONSyntaxError(line: before.count { $0 == 0x0A } + 1, column: before.count - lineStart + 1, expected: expected)
    }
}

extension JSONParser {
    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        // Most have nothing to be unescaped.
        let rest = bytes[position...]
        let plain = rest.prefix { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        position = plain.endIndex
        var text = Array(plain)
        while let byte = peek {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw error("UTF-8") }
                return string
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
            case 0..<0x20: throw error("no control character in a string")
            default: text.append(byte)
            }
        }
        throw error("'\"' at the end of a string")
    }

    private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
        guard let byte = peek else { throw error("an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code), take("\\"), take("u") {  // the first half of a pair (RFC 8259, section 7)
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else { throw error("the second half of a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw error("a Unicode character") }
            return Array(String(Character(scalar)).utf8)
        default: throw error("one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u")
        }
    }

    private mutating func hexadecimal() throws(JSONSyntaxError) -> UInt32 {
        let end = position + 4
        // A sign would do for the number that follows it, and not for JSON.
        guard end <= bytes.count, bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-"),
            let code = UInt32(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16)
        else {
            throw error("four hexadecimal digits")
        }
        position = end
        return code
    }
}

/// The text isn't JSON.
package struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    package var line: Int
    package var column: Int
    package var expected: String
    package var description: String { "line \(line), column \(column): expected \(expected)" }
}
