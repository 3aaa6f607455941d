/// An Ethernet address: 48 bits, its first byte the highest.
package struct MAC: Hashable, Sendable {
    package let value: UInt64

    /// Keeps the low 48 bits.
    package init(_ value: UInt64) { self.value = value & 0xffff_ffff_ffff }

    /// Reads 6 bytes in the order of the wire.
    package init?(bytes: some Collection<UInt8>) { self.init(bytes: Array(bytes)) }

    /// As above, for what the kernel sends: a generic function isn't specialised across modules.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 6 else { return nil }
        value = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Reads six hexadecimal bytes between colons or dashes, of one or two digits each, in either case.
    package init(parsing text: some StringProtocol) throws(InvalidAddress) {
        let bytes = Array(text.utf8)
        let separator = bytes.contains(ASCII.dash) ? ASCII.dash : ASCII.colon
        let parts = bytes.split(separator: separator, omittingEmptySubsequences: false)
        guard bytes.count <= 17, parts.count == 6 else { throw .mac(text) }
        var value: UInt64 = 0
        for part in parts {
            guard (1...2).contains(part.count) else { throw .mac(text) }
            var byte: UInt8 = 0
            for character in part {
                guard let digit = character.hexDigit else { throw .mac(text) }
                byte = byte << 4 | digit
            }
            value = value << 8 | UInt64(byte)
        }
        self.value = value
    }

    /// A locally administered unicast address (IEEE 802, clause 8.4) that is always the same for the same text.
    package init(derivedFrom text: String) {
        self.init(StableHash.fnv1a(text.utf8) & 0xfcff_ffff_ffff | 0x0200_0000_0000)
    }

    /// The address in the order of the wire: 6 bytes.
    package var bytes: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: value >> (40 - 8 * UInt64($0))) } }

    /// Whether one interface can have this address: neither a group address nor all zeros.
    package var isUnicast: Bool { value != 0 && value & 0x0100_0000_0000 == 0 }
}

extension MAC: Comparable {
    package static func < (left: MAC, right: MAC) -> Bool { left.value < right.value }
}

extension MAC: CustomStringConvertible {
    package var description: String {
        var text = [UInt8](repeating: ASCII.colon, count: 17)
        for (index, byte) in bytes.enumerated() {
            text[3 * index] = (byte >> 4).asHexDigit
            text[3 * index + 1] = (byte & 0x0f).asHexDigit
        }
        return String(decoding: text, as: UTF8.self)
    }
}
