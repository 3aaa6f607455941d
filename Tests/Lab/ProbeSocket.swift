import CLinux
import Glibc
import SystemPackage

/// A socket in a namespace, closed with the last reference to it. Nothing waits longer than it is told.
final class ProbeSocket: Sendable {
    let descriptor: FileDescriptor

    init(in namespace: LabNamespace, family: Int32, type: __socket_type, protocol number: Int32 = 0) throws {
        let kind = Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let file = try namespace.inside { socket(family, kind, number) }
        guard file >= 0 else { throw .current("socket") as LabError }
        descriptor = FileDescriptor(rawValue: file)
    }

    init(adopting descriptor: FileDescriptor) { self.descriptor = descriptor }

    deinit { try? descriptor.close() }

    func bind(_ address: SocketAddress) throws {
        _ = hawser_set_option(descriptor.rawValue, SOL_SOCKET, SO_REUSEADDR, 1)
        guard unsafe address.with({ unsafe Glibc.bind(descriptor.rawValue, $0, $1) }) == 0 else {
            throw .current("bind to \(address.text) port \(address.port)") as LabError
        }
    }

    /// Makes room for some 80,000 short datagrams that nobody has read yet: what finds none is lost, and nothing that is tested denied it.
    func makeRoom() {
        // SO_RCVBUFFORCE (asm-generic/socket.h)
        if hawser_set_option(descriptor.rawValue, SOL_SOCKET, 33, 32 << 20) != 0 {
            // In a user namespace of its own; then no more fits than the host lets anybody have.
            _ = hawser_set_option(descriptor.rawValue, SOL_SOCKET, SO_RCVBUF, 32 << 20)
        }
    }

    /// The port that the socket is bound to.
    var port: UInt16 {
        var bytes = [UInt8](repeating: 0, count: 128)
        var length = socklen_t(bytes.count)
        _ = unsafe bytes.withUnsafeMutableBytes { raw in
            unsafe raw.withMemoryRebound(to: sockaddr.self) { unsafe getsockname(descriptor.rawValue, $0.baseAddress, &length) }
        }
        return SocketAddress(reported: bytes).port
    }

    /// Whether it becomes ready within that time.
    func wait(_ events: Int32, within time: Duration) -> Bool {
        let deadline = ContinuousClock.now + time
        var entry = pollfd(fd: descriptor.rawValue, events: Int16(events), revents: 0)
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            let milliseconds = max(0, left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000)
            let ready = unsafe poll(&entry, 1, Int32(clamping: milliseconds))
            if ready > 0 { return true }
            if ready == 0 || Errno(rawValue: hawser_errno()) != .interrupted { return false }
        }
    }

    /// Sends a datagram; an error of the network, as a refusal by ICMP, counts as sent, for the packet is what is being looked at.
    func send(_ bytes: [UInt8], to address: SocketAddress?) throws {
        let sent = unsafe bytes.withUnsafeBytes { raw in
            // A connection that the other side has reset is no reason to end the process (SIGPIPE).
            guard let address else { return unsafe Glibc.send(descriptor.rawValue, raw.baseAddress, raw.count, Int32(MSG_NOSIGNAL)) }
            return unsafe address.with { unsafe sendto(descriptor.rawValue, raw.baseAddress, raw.count, 0, $0, $1) }
        }
        guard sent < 0 else { return }
        switch Errno(rawValue: hawser_errno()) {
        // A filter on the way out, and errors that earlier packets came back with.
        case .notPermitted, .connectionRefused, .connectionReset, .brokenPipe, .noRouteToHost, .networkUnreachable, .permissionDenied,
            .hostIsDown:
            return
        case let error: throw LabError("send: \(error)")
        }
    }

    /// The next datagram, or nil when none comes within that time.
    func receiveDatagram(within time: Duration) -> (bytes: [UInt8], from: SocketAddress)? {
        var bytes = [UInt8](repeating: 0, count: 65536)
        var sender = [UInt8](repeating: 0, count: 128)
        let deadline = ContinuousClock.now + time
        while wait(POLLIN, within: ContinuousClock.now.duration(to: deadline)) {
            var length = socklen_t(sender.count)
            let count = unsafe bytes.withUnsafeMutableBytes { raw in
                unsafe sender.withUnsafeMutableBytes { buffer in
                    unsafe buffer.withMemoryRebound(to: sockaddr.self) { address in
                        unsafe recvfrom(descriptor.rawValue, raw.baseAddress, raw.count, 0, address.baseAddress, &length)
                    }
                }
            }
            // An error of the network that came back (ICMP) is no datagram.
            if count >= 0 { return (Array(bytes.prefix(count)), SocketAddress(reported: Array(sender.prefix(Int(length))))) }
        }
        return nil
    }
}
