/// The number of an attribute and the type of its payload (`struct nlattr`, linux/netlink.h).
package struct AttributeKey<Payload>: Hashable, Sendable {
    package let number: UInt16

    package init(_ number: some BinaryInteger) { self.number = UInt16(truncatingIfNeeded: number) }

    package init<Constant: RawRepresentable>(_ constant: Constant) where Constant.RawValue: BinaryInteger {
        self.init(constant.rawValue)
    }
}

/// The payload of an attribute that holds other attributes.
package enum Nest {}

/// The payload of an attribute that holds bytes as they are.
package enum Bytes {}

/// The payload of an attribute that says something by being there.
package enum Presence {}

/// The payload of an attribute that holds a number in network order.
package enum NetworkOrder<Number: FixedWidthInteger> {}
