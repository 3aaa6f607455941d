import CLinux
import Glibc

/// A socket that sends and sees whole Ethernet frames at one interface (packet(7)), to pretend with.
package struct RawLink: Sendable {
    private let socket: ProbeSocket

    package init(in namespace: LabNamespace, interface: String) throws {
        socket = try PacketSocket.open(in: namespace, interface: interface, type: PacketSocket.everyType)
        socket.makeRoom()
    }

    package func send(_ frame: Frame) throws { try socket.send(frame.bytes, to: nil) }

    /// The first frame that `matches`, or nil when none comes within that time. What this socket sends isn't seen.
    package func receive(within time: Duration, where matches: (Frame) -> Bool = { _ in true }) -> Frame? {
        let deadline = ContinuousClock.now + time
        while let (bytes, from) = socket.receiveDatagram(within: ContinuousClock.now.duration(to: deadline)) {
            // sll_pkttype: PACKET_OUTGOING (linux/if_packet.h)
            if from.bytes.count > 10, from.bytes[10] == 4 { continue }
            let frame = Frame(bytes: bytes)
            if matches(frame) { return frame }
        }
        return nil
    }

    /// All frames that have come and that come until none comes for that time; a hundred thousand of a flood that doesn't end.
    package func receiveAll(until time: Duration) -> [Frame] {
        var frames: [Frame] = []
        while frames.count < 100_000, let frame = receive(within: time) { frames.append(frame) }
        return frames
    }
}

/// Sockets of whole frames (packet(7)).
enum PacketSocket {
    /// `ETH_P_ALL` (linux/if_ether.h).
    static let everyType: UInt16 = 3

    /// At one interface, or at all of them; with type 0 it only sends.
    static func open(in namespace: LabNamespace, interface: String?, type: UInt16) throws -> ProbeSocket {
        let index = try interface.map { name in try namespace.inside { unsafe if_nametoindex(name) } } ?? 0
        if let interface, index == 0 { throw LabError("there is no interface \(interface) in \(namespace.path)") }
        let socket = try ProbeSocket(in: namespace, family: AF_PACKET, type: SOCK_RAW, protocol: Int32(type.bigEndian))
        // struct sockaddr_ll (linux/if_packet.h): family and index in the host's order, protocol in network order.
        let family = UInt16(AF_PACKET)
        var address: [UInt8] = [UInt8(truncatingIfNeeded: family), UInt8(family >> 8)] + type.bigEndianBytes
        address += UInt32(index).bigEndianBytes.reversed()
        address += [UInt8](repeating: 0, count: 12)
        try socket.bind(SocketAddress(reported: address))
        return socket
    }
}
