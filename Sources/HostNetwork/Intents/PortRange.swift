/// All ports from `first` to `last`, both included and neither of them 0.
package struct PortRange: Hashable, Sendable {
    package let first: UInt16
    package let last: UInt16

    /// Nil when a port is 0 or the two are the wrong way round.
    package init?(_ first: UInt16, _ last: UInt16) {
        guard 0 < first, first <= last else { return nil }
        self.init(first: first, last: last)
    }

    /// One port; nil for 0.
    package init?(_ port: UInt16) { self.init(port, port) }

    private init(first: UInt16, last: UInt16) {
        self.first = first
        self.last = last
    }

    /// Every port there is: in a rule the same as naming none.
    package static let all = PortRange(first: 1, last: .max)

    package var isOne: Bool { first == last }

    package func contains(_ port: UInt16) -> Bool { first <= port && port <= last }

    /// The exact union as sorted ranges that neither overlap nor touch.
    package static func disjointUnion(_ ranges: some Sequence<PortRange>) -> [PortRange] {
        var union: [PortRange] = []
        for range in ranges.sorted() {
            if let open = union.last, open.last == .max || range.first <= open.last + 1 {
                union[union.count - 1] = PortRange(first: open.first, last: max(open.last, range.last))
            } else {
                union.append(range)
            }
        }
        return union
    }
}

extension PortRange: Comparable {
    package static func < (left: PortRange, right: PortRange) -> Bool {
        left.first == right.first ? left.last < right.last : left.first < right.first
    }
}

extension PortRange: CustomStringConvertible {
    package var description: String { isOne ? "\(first)" : "\(first)-\(last)" }
}

/// Text that was meant to be a port or a range of ports, and isn't.
package struct InvalidPorts: Error, Hashable, Sendable {
    package let reason: String
    package static let valid = "a port from 1 to 65535, or a range such as 80-81"
}

extension PortRange {
    /// Reads `80` or `80-81`.
    package init(parsing text: some StringProtocol) throws(InvalidPorts) {
        let bytes = Array(text.utf8)
        let dash = bytes.firstIndex(of: ASCII.dash)
        let first = try Self.port(bytes[..<(dash ?? bytes.endIndex)])
        let last = if let dash { try Self.port(bytes[(dash + 1)...]) } else { first }
        guard first <= last else { throw InvalidPorts(reason: "the first port is above the last") }
        self.init(first: first, last: last)
    }

    private static func port(_ text: ArraySlice<UInt8>) throws(InvalidPorts) -> UInt16 {
        guard let number = UInt64(strictDecimal: text) else { throw InvalidPorts(reason: "not a port or a range of ports") }
        guard number > 0 else { throw InvalidPorts(reason: "there is no port 0") }
        guard let port = UInt16(exactly: number) else { throw InvalidPorts(reason: "there is no port above 65535") }
        return port
    }
}
