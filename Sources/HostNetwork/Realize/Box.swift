/// What one rule lets through, as ranges: of remote addresses, protocols, and two numbers more.
///
/// The numbers are source and destination port, or type and code of ICMP. What a rule leaves open is the whole range, so a
/// group's rules are boxes in one space, and what they allow together is the boxes' union.
struct Box: Hashable {
    var addresses: ClosedRange<UInt128>
    var protocols: ClosedRange<UInt8>
    var first: ClosedRange<UInt16>
    var second: ClosedRange<UInt16>
    /// The rule that it comes from, as people name it.
    var rule: String

    func overlaps(_ other: Box) -> Bool {
        addresses.overlaps(other.addresses) && protocols.overlaps(other.protocols) && first.overlaps(other.first)
            && second.overlaps(other.second)
    }

    func contains(_ other: Box) -> Bool {
        addresses.contains(other.addresses) && protocols.contains(other.protocols) && first.contains(other.first)
            && second.contains(other.second)
    }

    /// What is left of this box without `other`: at most two pieces in each dimension, disjoint.
    func subtracting(_ other: Box) -> [Box] {
        guard overlaps(other) else { return [self] }
        var pieces: [Box] = []
        var rest = self
        for range in rest.addresses.outside(other.addresses) { pieces.append(rest.with { $0.addresses = range }) }
        rest.addresses = rest.addresses.clamped(to: other.addresses)
        for range in rest.protocols.outside(other.protocols) { pieces.append(rest.with { $0.protocols = range }) }
        rest.protocols = rest.protocols.clamped(to: other.protocols)
        for range in rest.first.outside(other.first) { pieces.append(rest.with { $0.first = range }) }
        rest.first = rest.first.clamped(to: other.first)
        for range in rest.second.outside(other.second) { pieces.append(rest.with { $0.second = range }) }
        return pieces
    }

    func isWider(than other: Box) -> Bool {
        let mine = (addresses.width, UInt128(protocols.width), UInt128(second.width), UInt128(first.width))
        let its = (other.addresses.width, UInt128(other.protocols.width), UInt128(other.second.width), UInt128(other.first.width))
        if mine != its { return mine > its }
        let here = (addresses.lowerBound, UInt128(protocols.lowerBound), UInt128(second.lowerBound), UInt128(first.lowerBound))
        let there =
            (
                other.addresses.lowerBound, UInt128(other.protocols.lowerBound), UInt128(other.second.lowerBound),
                UInt128(other.first.lowerBound)
            )
        return here != there ? here < there : rule < other.rule
    }

    private func with(_ change: (inout Box) -> Void) -> Box {
        var copy = self
        change(&copy)
        return copy
    }
}

extension ClosedRange where Bound: FixedWidthInteger {
    fileprivate var width: Bound { upperBound - lowerBound }

    /// The parts below and above `other`, which overlaps this range.
    fileprivate func outside(_ other: Self) -> [Self] {
        var parts: [Self] = []
        if lowerBound < other.lowerBound { parts.append(lowerBound...(other.lowerBound - 1)) }
        if upperBound > other.upperBound { parts.append((other.upperBound + 1)...upperBound) }
        return parts
    }
}
