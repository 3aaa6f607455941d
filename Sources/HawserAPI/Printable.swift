extension String {
    /// Control characters spelled out, except line ends and tabs: what others wrote must not steer the terminal that shows it. For a text of
    /// several lines whose every line is told apart otherwise, as the log does by indenting them.
    package var printable: String { spelled(\.isControl) }

    /// All control characters spelled out, line ends and tabs as well: for a cell of a table, or a message that is a line. What others wrote
    /// must not look like a line or a column of its own.
    package var printableLine: String { spelled { $0.isControl || $0 == "\n" || $0 == "\t" } }

    private func spelled(_ isSpelled: (Unicode.Scalar) -> Bool) -> String {
        guard unicodeScalars.contains(where: isSpelled) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            if isSpelled(scalar) { text += scalar.escaped(asASCII: true) } else { text.unicodeScalars.append(scalar) }
        }
    }
}

extension Unicode.Scalar {
    /// Whether a terminal may take it for a command, or a reader for the end of a line; what turns the direction of a
    /// text, joins its letters or isn't seen at all is meant, too.
    var isControl: Bool {
        switch value {
        case 0x09, 0x0A: false
        case 0..<0x20, 0x7F..<0xA0: true
        case 0..<0xA0: false
        default: [.format, .lineSeparator, .paragraphSeparator].contains(properties.generalCategory)
        }
    }
}
