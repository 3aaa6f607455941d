/// What a YAML, JSON or protobuf document says, before anything is made of it: all three end in the same validation.
package enum Document: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case list([Document])
    /// In the order written; a key may stand there twice, which the validation refuses.
    case map([(String, Document)])
}

extension Document: Equatable {
    package static func == (left: Document, right: Document) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.list(let left), .list(let right)): left == right
        case (.map(let left), .map(let right)): left.elementsEqual(right) { $0.0 == $1.0 && $0.1 == $1.1 }
        default: false
        }
    }
}

extension Document {
    /// How many values a text may have, lists and maps included: some hundred bytes of memory each.
    package static let mostValues = 4_000_000
}

/// One line in YAML's flow style, as a person would quote it back.
extension Document: CustomStringConvertible {
    package var description: String {
        switch self {
        case .null: "null"
        case .bool(let bool): "\(bool)"
        case .int(let int): "\(int)"
        case .double(let double): "\(double)"
        case .string(let string): string
        case .list(let items): "[" + items.map(\.description).joined(separator: ", ") + "]"
        case .map(let entries): "{" + entries.map { "\($0): \($1)" }.joined(separator: ", ") + "}"
        }
    }
}

extension Document: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension Document: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    package init(arrayLiteral elements: Document...) { self = .list(elements) }
    package init(dictionaryLiteral elements: (String, Document)...) { self = .map(elements) }
}
