import CLinux
import Glibc

/// A socket that sends and sees whole Ethernet frames at one interface (packet(7)), to pretend with.
package struct RawLink: Sendable {
    private let socket: ProbeSocket
    /// Every protocol (`ETH_P_ALL`, linux/if_ether.h).
    private static let everyProtocol: UInt16 = 3

    package init(in namespace: LabNamespace, interface: String) throws {
        let index = try namespace.inside { unsafe if_nametoindex(interface) }
        guard index > 0 else { throw LabError("there is no interface \(interface) in \(namespace.path)") }
        socket = try ProbeSocket(in: namespace, family: AF_PACKET, type: SOCK_RAW, protocol: Int32(Self.everyProtocol.bigEndian))
        // struct sockaddr_ll (linux/if_packet.h): family and index in the host's order, protocol in network order.
        let family = UInt16(AF_PACKET)
        var address: [UInt8] = [UInt8(truncatingIfNeeded: family), UInt8(family >> 8)] + Self.everyProtocol.bigEndianBytes
        address += UInt32(index).bigEndianBytes.reversed()
        address += [UInt8](repeating: 0, count: 12)
        try socket.bind(SocketAddress(reported: address))
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
}
