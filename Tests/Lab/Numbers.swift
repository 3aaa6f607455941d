/// Numbers of datagrams, in their order. An expectation that fails shows them by ranges, and not one by one: there may be tens of thousands.
package struct Numbers: Sequence, Equatable, Sendable {
    private var all: [Int]

    package init(_ all: [Int]) { self.all = all }

    package var count: Int { all.count }
    package var isEmpty: Bool { all.isEmpty }
    package var first: Int? { all.first }

    package mutating func append(_ number: Int) { all.append(number) }

    package func makeIterator() -> IndexingIterator<[Int]> { all.makeIterator() }
}

extension Numbers: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: Int...) { self.init(elements) }
}

extension Numbers: CustomStringConvertible {
    package var description: String {
        let ranges = RangeSet(all.map { $0..<($0 + 1) }).ranges
        let shown = ranges.prefix(20).map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound - 1)" }
        return "\(count) in \(ranges.count) ranges: " + (shown + (ranges.count > 20 ? ["…"] : [])).joined(separator: ", ")
    }
}
