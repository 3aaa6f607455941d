package import HostNetwork

extension Document {
    /// The document as JSON on one line, keys in the order of the document.
    package var json: String {
        var text: [UInt8] = []
        text.reserveCapacity(512)
        write(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    private func write(to text: inout [UInt8]) {
        switch self {
        case .null: text += "null".utf8
        case .bool(let bool): text += (bool ? "true" : "false").utf8
        case .int(let int): text += String(int).utf8
        case .double(let double): text += (double.isFinite ? "\(double)" : "null").utf8
        case .string(let string): Self.quote(string, to: &text)
        case .list(let items):
            text.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                item.write(to: &text)
            }
            text.append(UInt8(ascii: "]"))
        case .map(let entries):
            text.append(UInt8(ascii: "{"))
            for (index, entry) in entries.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                Self.quote(entry.0, to: &text)
                text.append(UInt8(ascii: ":"))
                entry.1.write(to: &text)
            }
            text.append(UInt8(ascii: "}"))
        }
    }

    /// What must be escaped is of one byte each (RFC 8259, section 7), and no part of a longer character looks the same.
    private static func quote(_ string: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""): text += "\\\"".utf8
            case UInt8(ascii: "\\"): text += "\\\\".utf8
            case UInt8(ascii: "\n"): text += "\\n".utf8
            case UInt8(ascii: "\r"): text += "\\r".utf8
            case UInt8(ascii: "\t"): text += "\\t".utf8
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                text += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}
