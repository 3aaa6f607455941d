import HostNetwork
import OwnThreads
import PolicyModel
import Testing

@Suite("What a rule does to a flow's mark", .ownThreads) struct MarkTrailTests {
    @Test("is told by its expressions, as nft(8) makes them")
    func known() {
        // ct mark set 0x1
        #expect(MarkTrail([.constant(1, into: 8), .store(from: 8)]).changed == .max)
        // ct mark set meta mark
        #expect(MarkTrail([.other(into: 8), .store(from: 8)]).changed == .max)
        // ct mark set ct mark and 0xffff0000 or 0x1
        #expect(
            MarkTrail([.load(into: 8), .mask(8, and: 0xffff_0000, xor: 1, into: 8), .store(from: 8)]).changed
                == 0xffff)
        // ct mark set ct mark or 0x1
        #expect(
            MarkTrail([.load(into: 8), .mask(8, and: ~1, xor: 1, into: 8), .store(from: 8)]).changed == 1)
        // ct mark set ct mark and 0xff
        #expect(
            MarkTrail([.load(into: 8), .mask(8, and: 0xff, xor: 0, into: 8), .store(from: 8)]).changed
                == ~0xff)
        // ct mark set ct mark and 0xffff0000 or meta mark and 0xffff
        let both: [MarkStep] = [
            .load(into: 8), .mask(8, and: 0xffff_0000, xor: 0, into: 8), .other(into: 9),
            .mask(9, and: 0xffff, xor: 0, into: 9),
            .combine(.or, 8, 9, into: 8), .store(from: 8),
        ]
        #expect(MarkTrail(both).changed == 0xffff)
        // meta mark set ct mark
        #expect(MarkTrail([.load(into: 8)]).changed == 0)
        // Something in between may have written the register.
        #expect(MarkTrail([.load(into: 8), .anything, .store(from: 8)]).changed == .max)
        #expect(MarkTrail([.change(0xff)]).changed == 0xff)
        // A rule may end before its second half.
        #expect(
            MarkTrail([.load(into: 8), .constant(0, into: 9), .store(from: 9), .store(from: 8)]).changed
                == .max)
    }

    @Test(
        "changes no other bit than it is said to, whatever the mark and the registers were",
        arguments: 0..<200)
    func sound(seed: Int) {
        var random = Seeded(seed)
        let steps = random.steps()
        let said = MarkTrail(steps).changed
        for _ in 0..<20 {
            let old = UInt32.random(in: 0 ... .max, using: &random)
            // Also where the rule ends early.
            for length in 0...steps.count {
                let new = random.mark(after: steps.prefix(length), old)
                #expect((new ^ old) & ~said == 0, "\(steps.prefix(length)): \(old) became \(new)")
            }
        }
    }

    @Test("isn't said to change a bit that all of a rule's stores keep", arguments: 0..<200)
    func exact(seed: Int) {
        var random = Seeded(seed)
        let (and, xor) = (
            UInt32.random(in: 0 ... .max, using: &random), UInt32.random(in: 0 ... .max, using: &random)
        )
        #expect(
            MarkTrail([.load(into: 8), .mask(8, and: and, xor: xor, into: 8), .store(from: 8)]).changed
                == ~and | xor)
    }
}

extension Seeded {
    /// A rule of any expressions on three registers.
    fileprivate mutating func steps() -> [MarkStep] {
        (0..<number(1...8)).map { _ in
            let (one, other, result) = (number(8...10), number(8...10), number(8...10))
            // Constants as people write them: few bits, or all but few.
            let value = pick(
                UInt32(0xffff_0000), 0xffff, 0xff, 0, .max, UInt32.random(in: 0 ... .max, using: &self))
            let another = pick(UInt32(0), 1, 0xff, value)
            return switch number(0...8) {
            case 0, 1: .load(into: result)
            case 2: .constant(value, into: result)
            case 3, 4: .mask(one, and: value, xor: another, into: result)
            case 5: .combine(pick(.and, .or, .xor), one, other, into: result)
            case 6: pick(.other(into: result), .anything)
            case 7: .store(from: one)
            default: .change(value)
            }
        }
    }

    /// A flow's mark after a rule, by its meaning.
    fileprivate mutating func mark(after steps: some Sequence<MarkStep>, _ old: UInt32) -> UInt32 {
        var mark = old
        var registers: [Int: UInt32] = [:]
        func any() -> UInt32 { UInt32.random(in: 0 ... .max, using: &self) }
        for register in 8...10 { registers[register] = any() }
        for step in steps {
            switch step {
            case .load(let register): registers[register] = mark
            case .constant(let value, let register): registers[register] = value
            case .mask(let source, let and, let xor, let register):
                registers[register] = (registers[source] ?? 0) & and ^ xor
            case .combine(let combination, let one, let other, let register):
                let (one, other) = (registers[one] ?? 0, registers[other] ?? 0)
                registers[register] =
                    switch combination {
                    case .and: one & other
                    case .or: one | other
                    case .xor: one ^ other
                    }
            case .other(let register): registers[register] = any()
            case .anything: for register in 8...10 { registers[register] = any() }
            case .store(let register): mark = registers[register] ?? 0
            case .change(let bits): mark = mark & ~bits | any() & bits
            }
        }
        return mark
    }
}
