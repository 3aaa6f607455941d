import CLinux
import Glibc

/// A socket that pings (ICMP, RFC 792; ICMPv6, RFC 4443).
package struct Echo: Sendable {
    private let socket: ProbeSocket
    private let isIPv6: Bool

    /// - Parameter source: an address of the namespace; it says the family.
    package init(in namespace: LabNamespace, at source: String) throws {
        let address = try SocketAddress(source)
        isIPv6 = address.family == AF_INET6
        socket = try ProbeSocket(
            in: namespace, family: address.family, type: SOCK_RAW, protocol: Int32(isIPv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
        try socket.bind(address)
    }

    /// Whether `address` answers a ping within that time, one with so many bytes of filling.
    package func reaches(_ address: String, filling size: Int = 0, within time: Duration) throws -> Bool {
        // Identifier and sequence number.
        let mark = UInt32.random(in: .min ... .max).bigEndianBytes
        var message: [UInt8] = [isIPv6 ? 128 : 8, 0, 0, 0] + mark + [UInt8](repeating: 0x2e, count: size)
        // The kernel fills in the checksum of ICMPv6.
        if !isIPv6 { message.replaceSubrange(2..<4, with: Checksum.of(message).bigEndianBytes) }
        try socket.send(message, to: SocketAddress(address))
        let deadline = ContinuousClock.now + time
        while let (bytes, _) = socket.receiveDatagram(within: ContinuousClock.now.duration(to: deadline)) {
            // A raw IPv4 socket gets the IP header, too.
            let header = isIPv6 ? 0 : Int(bytes.first.map { $0 & 0xf } ?? 0) * 4
            guard bytes.count >= header + 8 else { continue }
            if bytes[header] == (isIPv6 ? 129 : 0), Array(bytes[(header + 4)..<(header + 8)]) == mark { return true }
        }
        return false
    }
}

/// The Internet checksum (RFC 1071).
package enum Checksum {
    package static func of(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
        }
        while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}

extension FixedWidthInteger {
    package var bigEndianBytes: [UInt8] {
        (0..<(Self.bitWidth / 8)).map { UInt8(truncatingIfNeeded: self >> (Self.bitWidth - 8 - 8 * $0)) }
    }
}
