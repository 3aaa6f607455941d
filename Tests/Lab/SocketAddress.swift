import CLinux
import Glibc

/// An address and a port, as the calls of the C library take them.
struct SocketAddress {
    /// `struct sockaddr_in` or `struct sockaddr_in6` (ip(7), ipv6(7)).
    private(set) var bytes: [UInt8]

    init(_ address: String, _ port: UInt16 = 0) throws {
        let isIPv6 = address.utf8.contains(UInt8(ascii: ":"))
        let family = UInt16(isIPv6 ? AF_INET6 : AF_INET)
        var number = [UInt8](repeating: 0, count: isIPv6 ? 16 : 4)
        let parsed = unsafe number.withUnsafeMutableBytes { unsafe inet_pton(Int32(family), address, $0.baseAddress) }
        guard parsed == 1 else { throw LabError("\(address) is no address") }
        bytes = [UInt8(truncatingIfNeeded: family), UInt8(family >> 8), UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
        if isIPv6 { bytes += [0, 0, 0, 0] }
        bytes += number
        bytes += [UInt8](repeating: 0, count: isIPv6 ? 4 : 8)
    }

    /// In network order, 4 bytes.
    init(ipv4 number: [UInt8]) { bytes = [UInt8(AF_INET), 0, 0, 0] + number + [UInt8](repeating: 0, count: 8) }

    /// In network order, 16 bytes.
    init(ipv6 number: [UInt8]) { bytes = [UInt8(AF_INET6), 0, 0, 0, 0, 0, 0, 0] + number + [0, 0, 0, 0] }

    /// The sender of a datagram, from what the kernel wrote.
    init(reported bytes: [UInt8]) { self.bytes = bytes }

    var family: Int32 { Int32(bytes[0]) }
    var port: UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

    /// The address alone, in network order.
    var number: [UInt8] { family == AF_INET6 ? Array(bytes[8..<24]) : Array(bytes[4..<8]) }

    var text: String {
        var characters = [CChar](repeating: 0, count: 64)
        let number = number
        _ = unsafe number.withUnsafeBytes { source in
            unsafe characters.withUnsafeMutableBufferPointer { unsafe inet_ntop(family, source.baseAddress, $0.baseAddress, 64) }
        }
        return String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func with<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        unsafe bytes.withUnsafeBytes { raw in
            unsafe raw.withMemoryRebound(to: sockaddr.self) { buffer in
                guard let address = buffer.baseAddress else { fatalError("an address is never empty") }
                return unsafe body(address, socklen_t(raw.count))
            }
        }
    }
}
