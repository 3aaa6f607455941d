/// The part of a rule's expression that matters for the mark of the packet's flow (`ct mark`). Expressions
/// that touch neither a register nor the mark have none.
package enum MarkStep: Hashable, Sendable {
    package enum Combination: Hashable, Sendable, CaseIterable { case and, or, xor }

    /// The flow's mark is copied into a register.
    case load(into: Int)
    /// A register becomes a constant.
    case constant(UInt32, into: Int)
    /// A register becomes another's `(value & and) ^ xor` (`NFT_BITWISE_MASK_XOR`,
    /// linux/netfilter/nf_tables.h).
    case mask(Int, and: UInt32, xor: UInt32, into: Int)
    /// A register becomes two others' combination (`NFT_BITWISE_AND` and others, since Linux 6.13).
    case combine(Combination, Int, Int, into: Int)
    /// A register becomes something that nothing is known of.
    case other(into: Int)
    /// Any register may have become something else.
    case anything
    /// The flow's mark becomes what a register holds.
    case store(from: Int)
    /// Some bits of the flow's mark are changed, and the others kept (xtables' CONNMARK).
    case change(UInt32)
}

/// The bits of a flow's mark that a rule may leave different from what they were.
///
/// It follows the rule's expressions in order, and knows of each register which bits are those of the mark,
/// and which are 0. What it doesn't know counts as changed.
package struct MarkTrail: Sendable {
    private struct Known {
        var own: UInt32 = 0
        var zero: UInt32 = 0
    }

    private var registers: [Int: Known] = [:]
    package private(set) var changed: UInt32 = 0

    package init(_ steps: some Sequence<MarkStep>) { for step in steps { take(step) } }

    private mutating func take(_ step: MarkStep) {
        switch step {
        case .load(let register): registers[register] = Known(own: ~changed)
        case .constant(let value, let register): registers[register] = Known(zero: ~value)
        case .mask(let source, let and, let xor, let register):
            let known = registers[source] ?? Known()
            registers[register] = Known(own: known.own & and & ~xor, zero: (known.zero | ~and) & ~xor)
        case .combine(let combination, let one, let other, let register):
            registers[register] = Self.combined(
                combination, registers[one] ?? Known(), registers[other] ?? Known())
        case .other(let register): registers[register] = nil
        case .anything: registers = [:]
        case .store(let register):
            // A rule may end behind any expression, so what is put right by a later one still counts.
            changed |= ~(registers[register]?.own ?? 0)
        case .change(let bits): changed |= bits
        }
    }

    private static func combined(_ combination: MarkStep.Combination, _ one: Known, _ other: Known) -> Known {
        switch combination {
        case .and: Known(own: one.own & other.own, zero: one.zero | other.zero)
        case .or:
            Known(
                own: one.own & other.zero | one.zero & other.own | one.own & other.own,
                zero: one.zero & other.zero)
        case .xor:
            Known(
                own: one.own & other.zero | one.zero & other.own,
                zero: one.zero & other.zero | one.own & other.own)
        }
    }
}
