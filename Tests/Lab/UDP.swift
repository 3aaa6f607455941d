import CLinux
import Glibc

/// A UDP socket.
package struct UDP: Sendable {
    let socket: ProbeSocket

    /// A datagram that came.
    package struct Datagram: Hashable, Sendable {
        package let bytes: [UInt8]
        package let address: String
        package let port: UInt16

        package var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Binds to an address of the namespace, and to a free port unless told which.
    package init(in namespace: LabNamespace, at address: String, port: UInt16 = 0) throws {
        let address = try SocketAddress(address, port)
        socket = try ProbeSocket(in: namespace, family: address.family, type: SOCK_DGRAM)
        try socket.bind(address)
    }

    /// The port that it is bound to.
    package var port: UInt16 { socket.port }

    package func send(_ text: String, to address: String, port: UInt16) throws {
        try socket.send(Array(text.utf8), to: SocketAddress(address, port))
    }

    package func receive(within time: Duration) -> Datagram? {
        socket.receiveDatagram(within: time).map { Datagram(bytes: $0.bytes, address: $0.from.text, port: $0.from.port) }
    }

    /// Whether what this sends comes out of `other`, which has that address; packets that came before are forgotten.
    package func reaches(_ other: UDP, at address: String, within time: Duration) throws -> Bool {
        while other.receive(within: .zero) != nil {}
        let mark = "mark \(UInt64.random(in: .min ... .max))"
        try send(mark, to: address, port: other.port)
        let deadline = ContinuousClock.now + time
        while let datagram = other.receive(within: ContinuousClock.now.duration(to: deadline)) {
            if datagram.text == mark { return true }
        }
        return false
    }
}
