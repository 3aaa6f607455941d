import CLibMNL
import CLinux
package import SystemPackage

/// A socket that only listens to multicast messages, of which there may be thousands: it has no buffer of its own, and the kernel holds no
/// more than a few messages for it.
package struct EventSocket: ~Copyable {
    /// Bytes that the kernel holds until they are read; it doubles them for what it needs itself (socket(7)).
    package enum Room: Int32 {
        /// A dozen messages. More than that is told as an overrun, and says all that there is to say.
        case least = 0x2000
        /// A hundred.
        case ample = 0x10000
    }

    package let descriptor: FileDescriptor

    /// For the namespace that the calling thread is in.
    ///
    /// - Parameter groups: `RTNLGRP_…`, linux/rtnetlink.h.
    package init(groups: [UInt32]) throws(TransportError) {
        let file = socket(
            AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), NETLINK_ROUTE)
        guard file >= 0 else { throw .current("socket") }
        do throws(TransportError) {
            try Self.prepare(file, groups)
        } catch {
            _ = close(file)
            throw error
        }
        descriptor = FileDescriptor(rawValue: file)
    }

    private static func prepare(_ file: Int32, _ groups: [UInt32]) throws(TransportError) {
        _ = hawser_set_option(file, SOL_SOCKET, SO_RCVBUF, Room.least.rawValue)
        guard hawser_bind_netlink(file) == 0 else { throw .current("bind") }
        for group in groups {
            guard hawser_set_option(file, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Int32(group)) == 0 else {
                throw .current("joining multicast group \(group)")
            }
        }
    }

    deinit { try? descriptor.close() }

    /// What is there already stays.
    package func hold(_ room: Room) { _ = hawser_set_option(descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, room.rawValue) }
}

/// What the messages of event sockets are read into, one socket after the other.
package struct EventBuffer: ~Copyable {
    private var bytes = [UInt8](repeating: 0, count: 16 << 10)

    package init() {}

    /// Hands over what a socket has, without waiting; false when some of it was lost, or there is no end of it.
    package mutating func drain(_ descriptor: FileDescriptor, _ body: (MessageHeader, RawSpan) -> Void) -> Bool {
        for _ in 0..<Self.most {
            var sender = sockaddr_nl()
            let length = unsafe bytes.withUnsafeMutableBytes { unsafe NetlinkSocket.receive(descriptor, $0, &sender) }
            guard length >= 0 else {
                switch Errno.current {
                case .interrupted: continue
                case .wouldBlock, .resourceTemporarilyUnavailable: return true
                default: return false
                }
            }
            // Any process may send to the socket; the kernel's address is 0.
            guard sender.nl_pid == 0 else { continue }
            guard length <= bytes.count else { return false }
            let all = unsafe bytes.span.bytes.extracting(first: length)
            guard all.messages(body) else { return false }
        }
        return false
    }

    /// Datagrams that are read in one go.
    private static let most = 64
}
