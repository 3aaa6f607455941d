import HostNetwork
import Yams

/// YAML as the core schema of YAML 1.2 reads it, where `yes`, `12:30:45` and `0777` are what they look like: text, text and 777.
/// (YAML 1.1, which libyaml's users mostly follow, would make a number of a MAC address that has only decimal digits.)
enum YAMLDocument {
    static func parse(_ text: String) throws -> [Document] {
        var budget = Budget(nodes: 10_000 + 4 * text.utf8.count)
        var documents: [Document] = []
        var nodes = try Yams.compose_all(yaml: text, .basic)
        while let node = nodes.next() { documents.append(try document(node, depth: 0, &budget)) }
        // A broken text ends the sequence like a whole one does.
        if let error = nodes.error { throw error }
        return documents
    }

    /// How much a text may unfold into: an alias stands for all that its anchor holds, so a short text can mean an endless one.
    private struct Budget {
        var nodes: Int
    }

    private static func document(_ node: Node, depth: Int, _ budget: inout Budget) throws -> Document {
        budget.nodes -= 1
        guard budget.nodes > 0 else { throw Excess(reason: "its aliases unfold into far more than is written") }
        guard depth < 64 else { throw Excess(reason: "it is nested more than 64 levels deep") }
        switch node {
        case .scalar(let scalar): return scalar.style == .plain || scalar.style == .any ? plain(scalar.string) : .string(scalar.string)
        case .sequence(let items): return .list(try items.map { try document($0, depth: depth + 1, &budget) })
        case .mapping(let entries):
            return .map(
                try entries.map { key, value in
                    guard case .scalar(let name) = key else { throw Excess(reason: "a key is not a plain word") }
                    return (name.string, try document(value, depth: depth + 1, &budget))
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
