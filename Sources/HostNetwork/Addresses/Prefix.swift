/// An address prefix with its host bits cleared.
package struct Prefix: Hashable, Sendable {
    /// The prefix's first address.
    package let address: IPAddress
    /// In bits.
    package let length: Int

    /// Nil when `length` isn't one of the family's; host bits of `address` are cleared.
    package init?(_ address: IPAddress, length: Int) {
        guard (0...address.bits).contains(length) else { return nil }
        self.init(clearing: address, length: length)
    }

    /// The prefix of one address.
    package init(_ address: IPAddress) { self.init(clearing: address, length: address.bits) }

    /// Reads `10.1.0.0/24`; a bare address is the prefix of that one address.
    package init(parsing text: some StringProtocol) throws(InvalidAddress) {
        let bytes = Array(text.utf8)
        let slash = bytes.firstIndex(of: ASCII.slash) ?? bytes.endIndex
        guard let address = IPAddress(text: bytes[..<slash]) else { throw .prefix(text) }
        guard slash < bytes.endIndex else {
            self.init(address)
            return
        }
        guard let length = Int(strictDecimal: bytes[(slash + 1)...]), length <= address.bits else { throw .prefix(text) }
        self.init(clearing: address, length: length)
    }

    private init(clearing address: IPAddress, length: Int) {
        self.address =
            switch address {
            case .v4(let number): .v4(number & ~UInt32.hostMask(length))
            case .v6(let number): .v6(number & ~UInt128.hostMask(length))
            }
        self.length = length
    }

    /// 0.0.0.0/0 or ::/0.
    package static func everything(_ family: Family) -> Prefix {
        switch family {
        case .v4: Prefix(clearing: .v4(0), length: 0)
        case .v6: Prefix(clearing: .v6(0), length: 0)
        }
    }

    package var family: Family { address.family }
    package var first: IPAddress { address }
    package var last: IPAddress {
        switch address {
        case .v4(let number): .v4(number | .hostMask(length))
        case .v6(let number): .v6(number | .hostMask(length))
        }
    }
    /// Whether this is one address only.
    package var isHost: Bool { length == address.bits }
    /// Whether this is every address of its family.
    package var isEverything: Bool { length == 0 }

    package func contains(_ other: IPAddress) -> Bool {
        switch (address, other) {
        case (.v4(let number), .v4(let other)): (number ^ other) & ~UInt32.hostMask(length) == 0
        case (.v6(let number), .v6(let other)): (number ^ other) & ~UInt128.hostMask(length) == 0
        default: false
        }
    }

    package func contains(_ other: Prefix) -> Bool { length <= other.length && contains(other.address) }
    package func overlaps(_ other: Prefix) -> Bool { contains(other.address) || other.contains(address) }
}

/// By first address, the wider one first.
extension Prefix: Comparable {
    package static func < (left: Prefix, right: Prefix) -> Bool {
        left.address == right.address ? left.length < right.length : left.address < right.address
    }
}

extension Prefix: CustomStringConvertible {
    package var description: String { "\(address)/\(length)" }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The bits after the first `length` ones.
    fileprivate static func hostMask(_ length: Int) -> Self { length >= bitWidth ? 0 : .max >> Self(length) }
}
