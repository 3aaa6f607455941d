/// Which fields of a message hold messages, and which of theirs do.
struct MessageShape: Hashable, Sendable, ExpressibleByDictionaryLiteral {
    /// By the field's number.
    let nested: [UInt64: MessageShape]

    init(dictionaryLiteral elements: (UInt64, MessageShape)...) { self.init(Dictionary(uniqueKeysWithValues: elements)) }

    init(_ nested: [UInt64: MessageShape]) { self.nested = nested }
}

/// How many values a protobuf message has, told from its bytes before anything is made of them (protobuf.dev, "Encoding"): each field counts for
/// one, those of messages within it too, and a message for four, for an empty one is as large as some texts. What is made of a message has no
/// more parts than this says, also of one that can't be read to its end.
enum ValueCount {
    private static let ofMessage = 4

    /// Nil: more than `limit`.
    static func of(_ bytes: Span<UInt8>, _ shape: MessageShape, atMost limit: Int = .max) -> Int? {
        var count = 0
        var at = 0
        /// The messages that it is in, and where each of them ends.
        var inside = [(shape: shape, end: bytes.count)]
        while let message = inside.last {
            guard at < message.end else {
                inside.removeLast()
                continue
            }
            count += 1
            switch field(of: bytes, &at, before: message.end) {
            case .passed: break
            case .bytes(let number, let length):
                if let shape = message.shape.nested[number] {
                    count += ofMessage - 1
                    inside.append((shape, at + length))
                } else {
                    at += length
                }
            case .unreadable:
                // Nobody reads this one on; nor what it is in, but that is the reader's to find out.
                at = message.end
            }
            guard count <= limit else { return nil }
        }
        return count
    }

    /// How long the values of one field of the message itself are, together.
    static func length(of number: UInt64, in bytes: Span<UInt8>) -> Int {
        var (at, length) = (0, 0)
        while at < bytes.count {
            switch field(of: bytes, &at, before: bytes.count) {
            case .passed: break
            case .bytes(let field, let count):
                if field == number { length += count }
                at += count
            case .unreadable: return length
            }
        }
        return length
    }

    private enum Field {
        case passed
        /// Of a field of this number, so many bytes of it follow.
        case bytes(UInt64, Int)
        case unreadable
    }

    /// Passes a field's tag, and its value where that isn't bytes.
    private static func field(of bytes: Span<UInt8>, _ at: inout Int, before end: Int) -> Field {
        guard let tag = number(in: bytes, &at, before: end) else { return .unreadable }
        switch tag & 7 {
        case 0: return number(in: bytes, &at, before: end) == nil ? .unreadable : .passed
        case 1, 5:
            at += tag & 7 == 1 ? 8 : 4
            return at <= end ? .passed : .unreadable
        case 2:
            guard let length = number(in: bytes, &at, before: end), length <= UInt64(end - at) else { return .unreadable }
            return .bytes(tag >> 3, Int(length))
        // Groups, of which nothing is made; what is in them counts as if it were outside.
        case 3, 4: return .passed
        default: return .unreadable
        }
    }

    /// A varint: seven bits a byte, ten bytes at most.
    private static func number(in bytes: Span<UInt8>, _ at: inout Int, before end: Int) -> UInt64? {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard at < end else { return nil }
            let byte = bytes[at]
            at += 1
            result |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return result }
        }
        return nil
    }
}
