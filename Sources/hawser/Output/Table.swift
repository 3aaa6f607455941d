/// Rows in columns as wide as their widest cell, two spaces apart; a column that is empty in every row is left out.
struct Table {
    private let header: [String]
    private var rows: [[Styled]] = []

    init(_ header: String...) { self.header = header }

    mutating func add(_ cells: Styled...) { rows.append(cells) }

    func rendered(colors: Bool = Terminal.current.hasColors) -> String {
        let columns = header.indices.filter { column in rows.isEmpty || rows.contains { !$0[column].text.isEmpty } }
        let lines = [header.map { Styled($0, .bold) }] + rows
        let widths = columns.map { column in lines.map { $0[column].text.count }.max() ?? 0 }
        return lines.map { line in
            zip(columns, widths).map { column, width in
                let cell = line[column]
                let isLast = column == columns.last
                return cell.rendered(colors: colors) + (isLast ? "" : String(repeating: " ", count: width - cell.text.count))
            }.joined(separator: "  ").trimmingSpacesAtEnd
        }.joined(separator: "\n")
    }
}

/// Names and values of one thing, a line each, the values aligned; one without a value is left out.
struct Details {
    private var lines: [(name: String, value: Styled)] = []

    mutating func add(_ name: String, _ value: Styled?) {
        if let value, !value.text.isEmpty { lines.append((name, value)) }
    }

    func rendered(colors: Bool = Terminal.current.hasColors) -> String {
        let width = lines.map(\.name.count).max() ?? 0
        return lines.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + value.rendered(colors: colors)
        }.joined(separator: "\n")
    }
}

extension String {
    fileprivate var trimmingSpacesAtEnd: String {
        String(reversed().drop { $0 == " " }.reversed())
    }
}
