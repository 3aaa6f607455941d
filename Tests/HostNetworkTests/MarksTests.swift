import HostNetwork
import Testing

@Suite("The bits of a flow's mark") struct MarksTests {
    static let masks: [UInt32] = [0xffff_0000, 0xffff_ffff, 0x0000_ffff, 0x0000_003f, 0xfc00_0000, 0x000f_f000, 0xff00_0000, 0x3fff_fffc]

    @Test("hold two fields side by side, within the mask, and tell a tentative stamp from a good one", arguments: masks)
    func fields(mask: UInt32) throws {
        let marks = try MarkLayout(mask: mask)
        #expect(marks.mask(of: .sender) & marks.mask(of: .receiver) == 0)
        #expect(marks.mask(of: .sender) | marks.mask(of: .receiver) == mask)
        for field in MarkLayout.Field.allCases {
            let tentative = marks.tentative(field)
            #expect(tentative.nonzeroBitCount == 1 && tentative & ~marks.mask(of: field) == 0)
            var stamps: Set<UInt32> = []
            for value in Set((1...min(marks.lastEpoch, 50)).map(\.self) + [marks.lastEpoch]) {
                let stamp = marks.stamp(Epoch(value), field)
                #expect(stamp != 0 && stamp & ~marks.mask(of: field) == 0 && stamp & tentative == 0)
                #expect(marks.epoch(of: stamp | tentative, field) == Epoch(value))
                #expect(marks.epoch(of: stamp | ~marks.mask(of: field), field) == Epoch(value))
                #expect(stamps.insert(stamp).inserted)
            }
        }
    }

    @Test("have room for an epoch after each, and say when the count begins anew", arguments: masks)
    func epochs(mask: UInt32) throws {
        let marks = try MarkLayout(mask: mask)
        #expect(marks.lastEpoch >= 3)
        let last = Epoch(marks.lastEpoch)
        #expect(Epoch.first.next(in: marks) == (Epoch(2), false))
        #expect(Epoch(marks.lastEpoch - 1).next(in: marks) == (last, false))
        #expect(last.next(in: marks) == (.first, true))
    }

    @Test(
        "are refused where two fields have no room",
        arguments: [0, 1, 0xf, 0x7f, 0xff00_ff00, 0x8000_0001, 0xffff_fffe, 0x5555_5555] as [UInt32])
    func refused(mask: UInt32) {
        let refusal = #expect(throws: InvalidMask.self) { try MarkLayout(mask: mask) }
        #expect(refusal?.mask == mask)
    }
}
