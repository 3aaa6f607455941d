/// How the bits of the connection-tracking mark that Hawser owns are divided.
///
/// The upper half is the field of the binding that sends (the pod that opened the flow), the lower half that of the binding
/// that receives. A field's top bit says that its epoch is *tentative*: written before the rules judged the flow. A rule that
/// allows the flow clears it. All other bits of the mark are preserved.
package struct MarkLayout: Hashable, Sendable {
    /// Which of a flow's two bindings.
    package enum Field: Hashable, Sendable, CaseIterable {
        case sender, receiver

        package var other: Self { self == .sender ? .receiver : .sender }
    }

    /// The bits that Hawser owns: contiguous, an even number from 6 to 32. With 4 there would be one epoch, so none after it.
    package let mask: UInt32
    private let width: UInt32
    private let low: UInt32

    package static let standard = MarkLayout(validated: 0xffff_0000)

    package init(mask: UInt32) throws(InvalidMask) {
        let low = UInt32(mask.trailingZeroBitCount)
        let contiguous = mask != 0 && (mask >> low) & ((mask >> low) &+ 1) == 0
        guard contiguous, mask.nonzeroBitCount >= 6, mask.nonzeroBitCount % 2 == 0 else { throw InvalidMask(mask: mask) }
        self.init(validated: mask)
    }

    private init(validated mask: UInt32) {
        self.mask = mask
        width = UInt32(mask.nonzeroBitCount) / 2
        low = UInt32(mask.trailingZeroBitCount)
    }

    /// Epochs run from 1 to this; 0 is a flow that was never judged.
    package var lastEpoch: UInt32 { (1 << (width - 1)) - 1 }

    package func mask(of field: Field) -> UInt32 { ((1 << width) - 1) << shift(of: field) }
    package func tentative(_ field: Field) -> UInt32 { (1 << (width - 1)) << shift(of: field) }
    package func stamp(_ epoch: Epoch, _ field: Field) -> UInt32 { epoch.value << shift(of: field) }

    /// The epoch that a stamp carries.
    package func epoch(of stamp: UInt32, _ field: Field) -> Epoch {
        Epoch((stamp & mask(of: field) & ~tentative(field)) >> shift(of: field))
    }

    private func shift(of field: Field) -> UInt32 { field == .sender ? low + width : low }
}

/// A mask that can't hold two fields.
package struct InvalidMask: Error, Hashable, Sendable, CustomStringConvertible {
    package var mask: UInt32
    package var description: String {
        "conntrack.mark is \(hex(mask)): it must be an even number of contiguous bits, 6 at least, such as 0xffff0000"
    }
}

/// How often something was taken away from a pod's binding. A tracked flow that was allowed in another epoch is judged again.
package struct Epoch: Hashable, Sendable, Comparable {
    package let value: UInt32

    package init(_ value: UInt32) { self.value = value }

    package static let first = Epoch(1)

    package static func < (a: Self, b: Self) -> Bool { a.value < b.value }

    /// The one after, and whether the count began anew, so that flows with old stamps must be forgotten first.
    package func next(in layout: MarkLayout) -> (epoch: Epoch, wrapped: Bool) {
        value >= layout.lastEpoch ? (.first, true) : (Epoch(value + 1), false)
    }
}
