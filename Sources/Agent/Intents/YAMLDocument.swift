import HostNetwork
import Yams

/// YAML as the core schema of YAML 1.2 reads it, where `yes`, `12:30:45` and `0777` are what they look like: text, text and 777.
/// (YAML 1.1, which libyaml's users mostly follow, would make a number of a MAC address that has only decimal digits.)
enum YAMLDocument {
    /// - Parameter left: how many values there may be yet; an alias stands for all that its anchor holds, so a short text can mean an
    ///   endless one.
    static func parse(_ text: String, values left: inout Int) throws -> [Document] {
        try judge(text, left)
        var documents: [Document] = []
        var nodes = try Yams.compose_all(yaml: text, .basic)
        while let node = nodes.next() { documents.append(try document(node, depth: 0, &left)) }
        // A broken text ends the sequence like a whole one does.
        if let error = nodes.error { throw error }
        return documents
    }

    /// Refuses, before it is read, what would take far more memory or time than its length says.
    ///
    /// Yams makes some hundred bytes of each value, and of each key its hash, which goes through all that the key's aliases stand for.
    private static func judge(_ text: String, _ left: Int) throws {
        let lines = Lines(of: text)
        // The reader compares each directive with all before it.
        guard lines.directives <= 64 else { throw Excess(reason: "it has more than 64 lines that begin with %") }
        var (separators, hasAliases, mayHaveOddKeys, isInAlias) = (lines.ends, false, false, false)
        var last: UInt8 = 0
        for byte in text.utf8 where byte != UInt8(ascii: " ") && byte != UInt8(ascii: "\t") {
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "["), UInt8(ascii: "{"): separators += 1
            case UInt8(ascii: "-"): if last == UInt8(ascii: "-") { separators += 1 }
            case UInt8(ascii: "*"): hasAliases = true
            case UInt8(ascii: "?"): mayHaveOddKeys = true
            case UInt8(ascii: ":"):
                separators += 1
                // A key ends on the line of its colon (YAML 1.2, section 7.4.2).
                if isInAlias || last == UInt8(ascii: "]") || last == UInt8(ascii: "}") { mayHaveOddKeys = true }
            default: break
            }
            isInAlias = byte == UInt8(ascii: "*") || (isInAlias && byte.isOfAlias)
            last = byte
        }
        guard separators <= left else { throw Excess(reason: "it has more than \(left) values") }
        guard !hasAliases || !mayHaveOddKeys else {
            throw Excess(reason: "where aliases (*) are used, a key must be a plain word, and '?' can't be")
        }
    }

    /// How many lines end, and how many begin with `%`, as libyaml sees it (`IS_BREAK_AT`, yaml_private.h): a line may
    /// also end with U+0085, U+2028 and U+2029.
    private struct Lines {
        private(set) var ends = 0
        private(set) var directives = 0

        init(of text: String) {
            var (last, lastButOne) = (UInt8(0), UInt8(0))
            var isAtBeginning = true
            for byte in text.utf8 {
                if isAtBeginning, byte == UInt8(ascii: "%") { directives += 1 }
                isAtBeginning =
                    switch byte {
                    case UInt8(ascii: "\n"), UInt8(ascii: "\r"): true
                    case 0x85: last == 0xC2
                    case 0xA8, 0xA9: last == 0x80 && lastButOne == 0xE2
                    default: false
                    }
                if isAtBeginning { ends += 1 }
                (last, lastButOne) = (byte, last)
            }
        }
    }

    private static func document(_ node: Node, depth: Int, _ left: inout Int) throws -> Document {
        left -= 1
        guard left >= 0 else {
            throw Excess(reason: "with all that its aliases unfold into, it has more values than are read")
        }
        guard depth < 64 else { throw Excess(reason: "it is nested more than 64 levels deep") }
        switch node {
        case .scalar(let scalar): return scalar.style == .plain || scalar.style == .any ? plain(scalar.string) : .string(scalar.string)
        case .sequence(let items): return .list(try items.map { try document($0, depth: depth + 1, &left) })
        case .mapping(let entries):
            return .map(
                try entries.map { key, value in
                    guard case .scalar(let name) = key else { throw Excess(reason: "a key is not a plain word") }
                    return (name.string, try document(value, depth: depth + 1, &left))
                })
        case .alias: throw Excess(reason: "it names an anchor that isn't there")
        }
    }

    /// YAML 1.2, section 10.3.2.
    private static func plain(_ text: String) -> Document {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        if text.hasPrefix("0x"), let int = Int(text.dropFirst(2), radix: 16) { return .int(int) }
        if text.hasPrefix("0o"), let int = Int(text.dropFirst(2), radix: 8) { return .int(int) }
        if let int = Int(text) { return .int(int) }
        if text.utf8.allSatisfy(Array("0123456789+-.eE".utf8).contains), let double = Double(text) { return .double(double) }
        return .string(text)
    }

    private struct Excess: Error, CustomStringConvertible {
        var reason: String
        var description: String { reason }
    }
}

extension UInt8 {
    /// Whether libyaml takes it for part of an alias's name.
    fileprivate var isOfAlias: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
