extension Document {
    /// A map without the fields that have no value.
    static func fields(_ fields: (String, Document?)...) -> Document {
        .map(fields.compactMap { name, value in value.map { (name, $0) } })
    }

    static func texts(_ values: some Sequence<some CustomStringConvertible>) -> Document { .list(values.map { .text($0) }) }

    static func text(_ value: some CustomStringConvertible) -> Document { .string(value.description) }

    /// Nil for 0, which is the same as none; in text where it would not fit in a number.
    static func revision(_ revision: UInt64) -> Document? {
        if revision == 0 { nil } else if let number = Int(exactly: revision) { .int(number) } else { .text(revision) }
    }
}
