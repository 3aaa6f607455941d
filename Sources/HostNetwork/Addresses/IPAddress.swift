/// An IPv4 or IPv6 address; its number is in host order.
package enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(UInt128)

    package var family: Family {
        switch self {
        case .v4: .v4
        case .v6: .v6
        }
    }

    /// Width, in bits: 32 or 128.
    package var bits: Int { family.bits }

    /// The address in network order: 4 or 16 bytes.
    package var bytes: [UInt8] {
        switch self {
        case .v4(let number):
            [
                UInt8(truncatingIfNeeded: number >> 24), UInt8(truncatingIfNeeded: number >> 16),
                UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number),
            ]
        case .v6(let number):
            [UInt8](bigEndian: number)
        }
    }

    /// Reads 4 or 16 bytes in network order; any other count is no address.
    package init?(bytes: some Collection<UInt8>) { self.init(bytes: Array(bytes)) }

    /// As above, for what the kernel sends: a generic function isn't specialised across modules.
    package init?(bytes: [UInt8]) {
        // Two words of 64 bits, because a shift of 128 bits for each byte costs several times as much.
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in bytes {
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(byte)
        }
        switch bytes.count {
        case 4: self = .v4(UInt32(truncatingIfNeeded: low))
        case 16: self = .v6(UInt128(high) << 64 | UInt128(low))
        default: return nil
        }
    }

    /// The next address up, or nil after the family's last.
    package var successor: IPAddress? {
        switch self {
        case .v4(.max), .v6(.max): nil
        case .v4(let number): .v4(number + 1)
        case .v6(let number): .v6(number + 1)
        }
    }

    /// The next address down, or nil before the family's first.
    package var predecessor: IPAddress? {
        switch self {
        case .v4(0), .v6(0): nil
        case .v4(let number): .v4(number - 1)
        case .v6(let number): .v6(number - 1)
        }
    }
}

/// IPv4 sorts before IPv6, then by number.
extension IPAddress: Comparable {
    package static func < (left: IPAddress, right: IPAddress) -> Bool {
        switch (left, right) {
        case (.v4(let left), .v4(let right)): left < right
        case (.v6(let left), .v6(let right)): left < right
        case (.v4, .v6): true
        case (.v6, .v4): false
        }
    }
}

extension IPAddress {
    /// Why no interface can have this address as its own, as in "a multicast address"; nil when one can.
    ///
    /// IPv6 link-local addresses count: the kernel makes those by itself, one for each interface. So do IPv4-mapped ones
    /// (RFC 4291, section 2.5.5.2), which never appear on a wire.
    package var notAssignable: String? {
        switch self {
        case .v4(let number):
            switch number >> 24 {
            case 0: "an address of 0.0.0.0/8, which means \"this network\""
            case 127: "a loopback address"
            case 224...239: "a multicast address"
            default: number == .max ? "the broadcast address" : nil
            }
        case .v6(0): "the unspecified address"
        case .v6(1): "the loopback address"
        case .v6(let number) where number >> 120 == 0xff: "a multicast address"
        case .v6(let number) where number >> 118 == 0xfe80 >> 6: "a link-local address"
        case .v6(let number) where number >> 32 == 0xffff: "an IPv4-mapped address"
        case .v6: nil
        }
    }
}

extension [UInt8] {
    init(bigEndian number: UInt128) {
        self.init(repeating: 0, count: 16)
        var high = UInt64(truncatingIfNeeded: number >> 64)
        var low = UInt64(truncatingIfNeeded: number)
        for index in stride(from: 7, through: 0, by: -1) {
            self[index] = UInt8(truncatingIfNeeded: high)
            self[index + 8] = UInt8(truncatingIfNeeded: low)
            high >>= 8
            low >>= 8
        }
    }
}
