package import HostNetwork

/// Random numbers that are the same for the same seed (SplitMix64): a failing case is repeated by its seed, the test's argument.
package struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    package init(_ seed: Int) { state = UInt64(truncatingIfNeeded: seed) }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    package mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// True once in `count` times.
    package mutating func once(in count: Int) -> Bool { number(1...count) == 1 }

    package mutating func pick<Value>(_ first: Value, _ others: Value...) -> Value { others.randomElement(using: &self, or: first) }

    /// Up to `count` of `values`, each once, in any order.
    package mutating func some<Value>(_ values: [Value], atMost count: Int, atLeast least: Int = 0) -> [Value] {
        Array(values.shuffled(using: &self).prefix(number(least...count)))
    }

    /// Any address; half of the groups of an IPv6 address are zero, so that its shortest spelling matters.
    package mutating func address() -> IPAddress {
        if Bool.random(using: &self) { return .v4(.random(in: 0 ... .max, using: &self)) }
        return .v6(
            (0..<8).reduce(0) { number, _ in number << 16 | (Bool.random(using: &self) ? 0 : UInt128(next() >> UInt64(pick(48, 56)))) })
    }

    package mutating func prefix() -> Prefix {
        let address = address()
        return Prefix(address, length: number(0...address.bits)) ?? Prefix(address)
    }

    package mutating func mac() -> MAC { MAC(next()) }
}

extension Array {
    fileprivate func randomElement(using generator: inout some RandomNumberGenerator, or first: Element) -> Element {
        let position = Int.random(in: 0...count, using: &generator)
        return position == count ? first : self[position]
    }
}
