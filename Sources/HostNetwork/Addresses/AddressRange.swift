/// All addresses from `first` to `last`, both included and of one family.
package struct AddressRange: Hashable, Sendable {
    package let first: IPAddress
    package let last: IPAddress

    /// Nil when the two are of different families or the wrong way round.
    package init?(_ first: IPAddress, _ last: IPAddress) {
        guard first.family == last.family, first <= last else { return nil }
        self.init(first: first, last: last)
    }

    package init(_ prefix: Prefix) { self.init(first: prefix.first, last: prefix.last) }

    /// Of one family, and in this order.
    init(first: IPAddress, last: IPAddress) {
        self.first = first
        self.last = last
    }

    package var family: Family { first.family }

    package func contains(_ address: IPAddress) -> Bool { first <= address && address <= last && address.family == family }

    package func overlaps(_ other: AddressRange) -> Bool { family == other.family && first <= other.last && other.first <= last }

    /// The exact union as sorted ranges that neither overlap nor touch: IPv4 first, then IPv6.
    package static func disjointUnion(_ ranges: some Sequence<AddressRange>) -> [AddressRange] {
        var union: [AddressRange] = []
        for range in ranges.sorted() {
            if let open = union.last, range.follows(open) {
                if range.last > open.last { union[union.count - 1] = AddressRange(first: open.first, last: range.last) }
            } else {
                union.append(range)
            }
        }
        return union
    }

    /// What is left of this range without the others: sorted, disjoint.
    package func subtracting(_ others: some Sequence<AddressRange>) -> [AddressRange] {
        var left: [AddressRange] = []
        var start: IPAddress? = first
        for other in others.sorted() where other.family == family && other.last >= first && other.first <= last {
            guard let from = start else { break }
            if from < other.first, let end = other.first.predecessor { left.append(AddressRange(first: from, last: end)) }
            start = other.last.successor.map { max($0, from) }
        }
        if let start, start <= last { left.append(AddressRange(first: start, last: last)) }
        return left
    }

    /// Whether this range, which starts no earlier, overlaps or touches `other`.
    private func follows(_ other: AddressRange) -> Bool {
        guard family == other.family else { return false }
        guard let next = other.last.successor else { return true }
        return first <= next
    }
}

extension AddressRange: Comparable {
    package static func < (left: AddressRange, right: AddressRange) -> Bool {
        left.first == right.first ? left.last < right.last : left.first < right.first
    }
}

extension AddressRange: CustomStringConvertible {
    package var description: String { first == last ? first.description : "\(first)-\(last)" }
}

extension Prefix {
    /// The exact union of overlapping, nested and adjacent prefixes: sorted maximal ranges, IPv4 first.
    package static func disjointUnion(_ prefixes: some Sequence<Prefix>) -> [AddressRange] {
        AddressRange.disjointUnion(prefixes.map { AddressRange($0) })
    }
}
