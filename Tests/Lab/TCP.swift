import CLinux
import Glibc
import SystemPackage

/// A TCP socket that waits for connections.
package struct TCPListener: Sendable {
    private let socket: ProbeSocket

    package init(in namespace: LabNamespace, at address: String, port: UInt16 = 0) throws {
        let address = try SocketAddress(address, port)
        socket = try ProbeSocket(in: namespace, family: address.family, type: SOCK_STREAM)
        try socket.bind(address)
        guard listen(socket.descriptor.rawValue, 64) == 0 else { throw .current("listen") as LabError }
    }

    /// The port that it is bound to.
    package var port: UInt16 { socket.port }

    /// The next connection, or nil when none comes within that time.
    package func accept(within time: Duration) -> TCP? {
        guard socket.wait(POLLIN, within: time) else { return nil }
        let file = Glibc.accept(socket.descriptor.rawValue, nil, nil)
        guard file >= 0 else { return nil }
        _ = hawser_nonblocking(file)
        return TCP(socket: ProbeSocket(adopting: FileDescriptor(rawValue: file)))
    }
}

/// One end of a TCP connection.
package struct TCP: Sendable {
    let socket: ProbeSocket

    /// What came of trying to connect.
    package enum Attempt: Hashable, Sendable {
        case connected
        /// The other host answered that it won't (RST or ICMP).
        case refused
        /// Nobody answered: the usual mark of a filter.
        case silence
    }

    /// Connects; nil when that fails, for any reason.
    package static func connect(
        from namespace: LabNamespace, at source: String? = nil, to address: String, port: UInt16, within time: Duration
    ) throws -> TCP? {
        let (connection, attempt) = try dial(namespace, source, address, port, time)
        return attempt == .connected ? connection : nil
    }

    /// Says what comes of connecting, and hangs up.
    package static func attempt(from namespace: LabNamespace, to address: String, port: UInt16, within time: Duration) throws -> Attempt {
        try dial(namespace, nil, address, port, time).attempt
    }

    private static func dial(
        _ namespace: LabNamespace, _ source: String?, _ address: String, _ port: UInt16, _ time: Duration
    ) throws -> (connection: TCP, attempt: Attempt) {
        let address = try SocketAddress(address, port)
        let socket = try ProbeSocket(in: namespace, family: address.family, type: SOCK_STREAM)
        if let source { try socket.bind(SocketAddress(source)) }
        let began = unsafe address.with { unsafe Glibc.connect(socket.descriptor.rawValue, $0, $1) } == 0
        if began { return (TCP(socket: socket), .connected) }
        guard Errno(rawValue: hawser_errno()) == .nowInProgress else { return (TCP(socket: socket), .refused) }
        guard socket.wait(POLLOUT, within: time) else { return (TCP(socket: socket), .silence) }
        let error = hawser_get_option(socket.descriptor.rawValue, SOL_SOCKET, SO_ERROR)
        return (TCP(socket: socket), error == 0 ? .connected : .refused)
    }

    package func send(_ text: String) throws { try socket.send(Array(text.utf8), to: nil) }

    /// What has come when that many bytes have, or when the time is over, or at the end of the connection.
    package func receive(_ count: Int, within time: Duration) -> String {
        var bytes: [UInt8] = []
        let deadline = ContinuousClock.now + time
        while bytes.count < count, let part = socket.receiveDatagram(within: ContinuousClock.now.duration(to: deadline)) {
            if part.bytes.isEmpty { break }
            bytes += part.bytes
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The port that it is bound to.
    package var port: UInt16 { socket.port }

    /// Segments that were sent again (`tcpi_total_retrans`, tcp(7)).
    package var retransmissions: Int {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        let code = unsafe getsockopt(socket.descriptor.rawValue, Int32(IPPROTO_TCP), TCP_INFO, &info, &length)
        return code == 0 ? Int(info.tcpi_total_retrans) : 0
    }

    /// Whether what one end says comes out at the other.
    package func carries(_ text: String, to other: TCP, within time: Duration) throws -> Bool {
        try send(text)
        return other.receive(text.utf8.count, within: time) == text
    }
}
