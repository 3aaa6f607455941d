import CLibMNL
import CLinux
package import SystemPackage

/// Which part of the kernel a socket speaks with (`NETLINK_…`, linux/netlink.h).
package enum NetlinkFamily: Int32, Hashable, Sendable {
    /// `NETLINK_ROUTE`: links, addresses, routes, neighbors.
    case route = 0
    /// `NETLINK_NETFILTER`: nftables, tracked flows, logged packets.
    case netfilter = 12
}

/// A socket to the kernel of the network namespace that the calling thread was in when it was opened, wherever it is used.
///
/// The kernel handles a request while it is being sent, so that its answers are there when the send returns. Everything here
/// blocks, for no longer than `patience` after the last answer.
@safe package struct NetlinkSocket: ~Copyable {
    private let socket: OpaquePointer  // struct mnl_socket, libmnl/libmnl.h
    /// Readable when a multicast message is there; owned by the socket.
    package let descriptor: FileDescriptor
    /// The socket's address: `nlmsg_pid` of the messages that its requests lead to.
    package let port: UInt32
    /// Bytes that one send can carry.
    package let sendLimit: Int
    /// Bytes that the kernel holds for this socket; an answer takes some hundreds of them whatever it says.
    package let receiveLimit: Int
    /// How long the kernel may take to answer.
    package var patience: Duration
    /// Called with every datagram before it goes out, for measurements that send the same again.
    package var onSend: (@Sendable (Span<UInt8>) -> Void)?

    /// One datagram: the kernel makes those of a dump up to 32 KiB long, when the reader has room for them (af_netlink.c).
    var buffer: [UInt8]
    private var nextSequence: UInt32

    /// Opens and binds a socket, and joins multicast `groups` (`RTNLGRP_…`, `NFNLGRP_…`).
    ///
    /// - Parameter space: bytes wanted for each direction. Without `CAP_NET_ADMIN` in the initial user namespace the kernel
    ///   gives no more than `net.core.wmem_max` and `rmem_max`; nil leaves the kernel's default and saves the calls.
    package init(_ family: NetlinkFamily, groups: [UInt32] = [], space: Int? = nil) throws(TransportError) {
        guard let pointer = unsafe mnl_socket_open2(family.rawValue, Int32(SOCK_CLOEXEC.rawValue)) else { throw .current("socket") }
        do throws(TransportError) {
            unsafe try Self.prepare(pointer, family, groups, space)
        } catch {
            unsafe _ = mnl_socket_close(pointer)
            throw error
        }
        unsafe socket = pointer
        descriptor = unsafe FileDescriptor(rawValue: mnl_socket_get_fd(pointer))
        port = unsafe mnl_socket_get_portid(pointer)
        // The kernel counts its own overhead in, and refuses a datagram that leaves no room for 32 bytes (`netlink_sendmsg`).
        sendLimit = Int(hawser_get_option(descriptor.rawValue, SOL_SOCKET, SO_SNDBUF)) - 32
        receiveLimit = Int(hawser_get_option(descriptor.rawValue, SOL_SOCKET, SO_RCVBUF))
        buffer = [UInt8](repeating: 0, count: 64 << 10)
        patience = .seconds(10)
        nextSequence = 1
    }

    deinit { unsafe _ = mnl_socket_close(socket) }

    /// Takes `count` sequence numbers for messages that the caller numbers.
    package mutating func sequences(_ count: Int) -> ClosedRange<UInt32> {
        // 0 is for messages that nobody asked for.
        if UInt64(nextSequence) + UInt64(count) > UInt64(UInt32.max) { nextSequence = 1 }
        defer { nextSequence += UInt32(count) }
        return nextSequence...(nextSequence + UInt32(count) - 1)
    }

    private static func prepare(
        _ socket: OpaquePointer, _ family: NetlinkFamily, _ groups: [UInt32], _ space: Int?
    ) throws(TransportError) {
        let descriptor = unsafe mnl_socket_get_fd(socket)
        if let space {
            set(descriptor, SO_SNDBUFFORCE, or: SO_SNDBUF, space)
            set(descriptor, SO_RCVBUFFORCE, or: SO_RCVBUF, space)
        }
        // The kernel's own words in answers, without the refused message itself; both are there since Linux 4.12.
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] { _ = hawser_set_option(descriptor, SOL_NETLINK, option, 1) }
        // Dumps filtered by the kernel; since Linux 4.20.
        if family == .route { _ = hawser_set_option(descriptor, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1) }
        guard unsafe mnl_socket_bind(socket, 0, pid_t(MNL_SOCKET_AUTOPID)) == 0 else { throw .current("bind") }
        for group in groups {
            guard hawser_set_option(descriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Int32(group)) == 0 else {
                throw .current("joining multicast group \(group)")
            }
        }
    }

    private static func set(_ descriptor: Int32, _ forced: Int32, or usual: Int32, _ bytes: Int) {
        if hawser_set_option(descriptor, SOL_SOCKET, forced, Int32(clamping: bytes)) != 0 {
            _ = hawser_set_option(descriptor, SOL_SOCKET, usual, Int32(clamping: bytes))
        }
    }
}

extension Errno {
    /// What the last call of this thread failed with (errno(3)).
    package static var current: Errno { Errno(rawValue: hawser_errno()) }
}

extension TransportError {
    static func current(_ doing: String) -> Self { .system(Errno.current, doing: doing) }
}
