import HostNetwork
import NIOCore

/// Where a connection comes from, as far as one place can be told from others: an IPv4 address, or the 64 bits of an IPv6 network, for whoever
/// has one of its addresses has all of them.
struct PushSource: Hashable, Sendable {
    private let number: UInt64

    init(_ address: IPAddress?) {
        switch address {
        case .v4(let number): self.number = UInt64(number)
        // As a socket for both families has IPv4 (RFC 4291, section 2.5.5.2): all of it shares its first 64 bits.
        case .v6(let number) where number >> 32 == 0xFFFF: self.number = UInt64(truncatingIfNeeded: number & 0xFFFF_FFFF)
        case .v6(let number): self.number = UInt64(truncatingIfNeeded: number >> 64)
        case nil: number = .max
        }
    }

    init(_ channel: any Channel) {
        self.init(channel.remoteAddress?.ipAddress.flatMap { try? IPAddress(parsing: $0) })
    }
}
