import Kernel
import Lab
import Synchronization

/// What a dataplane has sent to the kernel.
final class Recorder: Sendable {
    /// A datagram.
    struct Sent: Sendable {
        var outlet: LinuxDataplane.Outlet
        var bytes: [UInt8]

        /// Whether it is a transaction of nftables: it starts with `NFNL_MSG_BATCH_BEGIN` (linux/netfilter/nfnetlink.h).
        var isTransaction: Bool { outlet == .firewall && Message.type(bytes, 0) == 0x10 }

        /// Whether it asks for a list: a look, which is no part of a change.
        var isLook: Bool { NetlinkRequest.all(in: bytes).first?.isDump ?? false }
    }

    private let sent = Mutex<[Sent]>([])

    var listener: LinuxDataplane.Listener {
        { [self] (outlet: LinuxDataplane.Outlet, bytes: Span<UInt8>) in
            var copy: [UInt8] = []
            copy.reserveCapacity(bytes.count)
            for index in bytes.indices { copy.append(bytes[index]) }
            let datagram = Sent(outlet: outlet, bytes: copy)
            sent.withLock { $0.append(datagram) }
        }
    }

    /// All since the last time.
    func take() -> [Sent] {
        sent.withLock { sent in
            defer { sent = [] }
            return sent
        }
    }
}

/// Reading and changing messages in place (`struct nlmsghdr`, linux/netlink.h); all numbers are in the host's order.
enum Message {
    static func length(_ bytes: [UInt8], _ offset: Int) -> Int { Int(number(bytes, offset)) }
    static func type(_ bytes: [UInt8], _ offset: Int) -> UInt16 { UInt16(truncatingIfNeeded: number(bytes, offset + 4)) }
    static func flags(_ bytes: [UInt8], _ offset: Int) -> UInt16 { UInt16(truncatingIfNeeded: number(bytes, offset + 4) >> 16) }
    static func sequence(_ bytes: [UInt8], _ offset: Int) -> UInt32 { number(bytes, offset + 8) }

    /// Where each message begins.
    static func starts(_ bytes: [UInt8]) -> [Int] {
        var starts: [Int] = []
        var offset = 0
        while offset + 16 <= bytes.count, length(bytes, offset) >= 16 {
            starts.append(offset)
            offset += (length(bytes, offset) + 3) & ~3
        }
        return starts
    }

    static func number(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        guard offset + 4 <= bytes.count else { return 0 }
        return (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }.littleEndianAsHost
    }

    static func put(_ value: UInt32, _ bytes: inout [UInt8], _ offset: Int) {
        let value = value.littleEndianAsHost
        for index in 0..<4 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) }
    }
}

extension UInt32 {
    /// The same number where the host is little-endian.
    fileprivate var littleEndianAsHost: UInt32 { UInt32(littleEndian: self) }
}
