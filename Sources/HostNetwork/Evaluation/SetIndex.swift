/// The elements of one set, found as the kernel finds them.
struct SetIndex: Sendable {
    private let lengths: [Int]
    private var exact: [[UInt8]: Entry] = [:]
    /// Ranges by their first field, where that is one value; most are, or there are few.
    private var ranges: [[UInt8]: [Entry]] = [:]
    private var wide: [Entry] = []
    /// Ranges of a set of one field, sorted when `close` is called.
    private var single: [(low: [UInt8], entry: Entry)] = []

    init(_ set: NamedSet) { lengths = set.key.map { set.isConcatenated ? $0.paddedLength : $0.length } }

    mutating func insert(_ element: Element, _ entry: Entry) {
        guard let end = element.end else {
            exact[element.key] = entry
            return
        }
        let first = lengths.first ?? 0
        if lengths.count == 1 {
            single.append((element.key, entry))
        } else if element.key.prefix(first) == end.prefix(first) {
            ranges[Array(element.key.prefix(first)), default: []].append(entry)
        } else {
            wide.append(entry)
        }
    }

    mutating func close() { single.sort { $0.low.lexicographicallyPrecedes($1.low) } }

    /// - Parameter registers: the fields, each padded to 4 bytes.
    func find(_ registers: [UInt8]) -> Entry? {
        let key = lengths.count == 1 ? Array(registers.prefix(lengths[0])) : registers
        if let entry = exact[key] { return entry }
        if !single.isEmpty { return single.last(before: key).flatMap { holds($0, key) ? $0 : nil } }
        return (ranges[Array(key.prefix(lengths.first ?? 0))] ?? []).first { holds($0, key) } ?? wide.first { holds($0, key) }
    }

    /// Each field between its bounds.
    private func holds(_ entry: Entry, _ key: [UInt8]) -> Bool {
        guard let element = entry.object.element, let end = element.end, element.key.count == key.count, end.count == key.count else {
            return false
        }
        var start = 0
        for length in lengths {
            let field = start..<min(start + length, key.count)
            let isBelow = key[field].lexicographicallyPrecedes(element.key[field])
            let isAbove = end[field].lexicographicallyPrecedes(key[field])
            if isBelow || isAbove { return false }
            start = field.upperBound
        }
        return true
    }
}

extension [(low: [UInt8], entry: Entry)] {
    /// The last that starts at or before `key`.
    fileprivate func last(before key: [UInt8]) -> Entry? {
        var range = 0..<count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range = key.lexicographicallyPrecedes(self[middle].low) ? range.lowerBound..<middle : (middle + 1)..<range.upperBound
        }
        return range.lowerBound > 0 ? self[range.lowerBound - 1].entry : nil
    }
}
