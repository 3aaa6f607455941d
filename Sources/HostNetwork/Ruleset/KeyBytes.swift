/// Builds an element's key, field by field, as the kernel's registers hold it.
package struct KeyBytes: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() { bytes.reserveCapacity(44) }

    package static func of(_ build: (inout KeyBytes) -> Void) -> [UInt8] {
        var key = KeyBytes()
        build(&key)
        return key.bytes
    }

    package mutating func name(_ link: LinkName) {
        bytes.append(contentsOf: link.value.utf8)
        pad(to: 16, written: link.value.utf8.count)
    }

    package mutating func mac(_ mac: MAC) {
        bytes.append(contentsOf: mac.bytes)
        pad(to: 8, written: 6)
    }

    package mutating func address(_ address: IPAddress) { bytes.append(contentsOf: address.bytes) }

    /// A protocol number, an ICMP type or code.
    package mutating func octet(_ value: UInt8) {
        bytes.append(value)
        pad(to: 4, written: 1)
    }

    /// A port, in network order.
    package mutating func port(_ value: UInt16) {
        bytes.append(UInt8(value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
        pad(to: 4, written: 2)
    }

    /// A mark, in the host's order.
    package mutating func mark(_ value: UInt32) {
        let bigEndian = [
            UInt8(value >> 24), UInt8(truncatingIfNeeded: value >> 16), UInt8(truncatingIfNeeded: value >> 8),
            UInt8(truncatingIfNeeded: value),
        ]
        #if _endian(little)
            bytes.append(contentsOf: bigEndian.reversed())
        #else
            bytes.append(contentsOf: bigEndian)
        #endif
    }

    /// The mark in four bytes of a key.
    package static func mark(in bytes: some Collection<UInt8>) -> UInt32 {
        #if _endian(little)
            bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        #else
            bytes.reduce(0) { $0 << 8 | UInt32($1) }
        #endif
    }

    private mutating func pad(to length: Int, written: Int) {
        for _ in written..<length { bytes.append(0) }
    }
}
