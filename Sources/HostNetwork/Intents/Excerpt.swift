/// The beginning of what somebody wrote, to be quoted back: the end of a long value says no more, and nobody knows how long it is.
struct Excerpt {
    /// In Unicode's scalars: a character may be as long as the text.
    fileprivate static let longest = 100

    private var scalars = String.UnicodeScalarView()
    private var room = longest
    private var isCut = false

    fileprivate var text: String { String(scalars) + (isCut ? "…" : "") }

    fileprivate mutating func add(_ text: String) {
        for scalar in text.unicodeScalars {
            guard room > 0 else {
                isCut = true
                return
            }
            room -= 1
            scalars.append(scalar)
        }
    }

    /// As `Document.description`, no further than there is room.
    fileprivate mutating func add(_ document: Document) {
        guard !isCut else { return }
        switch document {
        case .null, .bool, .int, .double: add(document.description)
        case .string(let string): add(string)
        case .list(let items):
            add("[")
            for (index, item) in items.enumerated() {
                guard !isCut else { break }
                if index > 0 { add(", ") }
                add(item)
            }
            add("]")
        case .map(let entries):
            add("{")
            for (index, entry) in entries.enumerated() {
                guard !isCut else { break }
                if index > 0 { add(", ") }
                add(entry.0)
                add(": ")
                add(entry.1)
            }
            add("}")
        }
    }
}

extension String {
    package var excerpt: String {
        // Bytes are counted at once, and there are no fewer of them.
        if utf8.count <= Excerpt.longest { return self }
        var excerpt = Excerpt()
        excerpt.add(self)
        return excerpt.text
    }
}

extension Document {
    package var excerpt: String {
        var excerpt = Excerpt()
        excerpt.add(self)
        return excerpt.text
    }
}
