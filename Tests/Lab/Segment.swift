/// What goes inside an IP packet, put together by hand, with right checksums: the first packet of a flow that a filter may see.
package struct Segment: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// One that asks for a connection (RFC 9293), or has these flags.
        case tcp(flags: UInt8)
        /// RFC 768, and RFC 3828 with a checksum of all.
        case udp, udplite
        /// An INIT (RFC 9260, section 3.3.2).
        case sctp
        /// A request (RFC 4340, section 5.1).
        case dccp
        /// RFC 792, RFC 4443.
        case icmp(type: UInt8, code: UInt8, isIPv6: Bool)
        /// Of a protocol that has no ports.
        case other(UInt8)
    }

    package var kind: Kind
    /// Of ICMP the identifier, by which requests and their replies are told from others.
    package var sourcePort: UInt16
    package var port: UInt16

    package init(_ kind: Kind, from sourcePort: UInt16 = 0, to port: UInt16 = 0) {
        self.kind = kind
        self.sourcePort = sourcePort
        self.port = port
    }

    /// From a port that rules say nothing about, unless told which.
    package static func tcp(_ port: UInt16, from source: UInt16 = 40000) -> Segment { Segment(.tcp(flags: 2), from: source, to: port) }
    package static func udp(_ port: UInt16, from source: UInt16 = 40000) -> Segment { Segment(.udp, from: source, to: port) }
    package static func udplite(_ port: UInt16, from source: UInt16 = 40000) -> Segment { Segment(.udplite, from: source, to: port) }
    package static func sctp(_ port: UInt16, from source: UInt16 = 40000) -> Segment { Segment(.sctp, from: source, to: port) }
    package static func dccp(_ port: UInt16, from source: UInt16 = 40000) -> Segment { Segment(.dccp, from: source, to: port) }
    package static func icmp(_ type: UInt8, code: UInt8 = 0) -> Segment { echo(.icmp(type: type, code: code, isIPv6: false)) }
    package static func icmpv6(_ type: UInt8, code: UInt8 = 0) -> Segment { echo(.icmp(type: type, code: code, isIPv6: true)) }
    package static func other(_ number: UInt8) -> Segment { Segment(.other(number)) }
    private static func echo(_ kind: Kind) -> Segment { Segment(kind, from: 0x1234) }

    /// IANA, "Assigned Internet Protocol Numbers".
    package var number: UInt8 {
        switch kind {
        case .tcp: 6
        case .udp: 17
        case .dccp: 33
        case .sctp: 132
        case .udplite: 136
        case .icmp(_, _, let isIPv6): isIPv6 ? 58 : 1
        case .other(let number): number
        }
    }

    package var description: String {
        switch kind {
        case .icmp(let type, let code, let isIPv6): "icmp\(isIPv6 ? "v6" : "") type \(type) code \(code)"
        case .other(let number): "protocol \(number)"
        case .tcp(let flags): "tcp \(sourcePort) to \(port)" + (flags == 2 ? "" : " flags \(flags)")
        case .udp, .udplite, .sctp, .dccp: "\(kind) \(sourcePort) to \(port)"
        }
    }

    /// - Parameter pseudo: the pseudo header for so many bytes (RFC 9293, section 3.1; RFC 8200, section 8.1).
    package func bytes(carrying text: String, _ pseudo: (Int) -> [UInt8]) -> [UInt8] {
        var payload = Array(text.utf8)
        let ports = sourcePort.bigEndianBytes + port.bigEndianBytes
        switch kind {
        case .tcp(let flags):
            let numbers: [UInt8] = UInt32(0x1000_0000).bigEndianBytes + UInt32(0).bigEndianBytes
            return Self.summed(ports + numbers + [0x50, flags, 0xff, 0xff, 0, 0, 0, 0] + payload, at: 16, pseudo)
        case .udp, .udplite:
            let length = UInt16(8 + payload.count).bigEndianBytes
            return Self.summed(ports + length + [0, 0] + payload, at: 6, pseudo)
        case .dccp:
            // Data offset in words; no checksum coverage given: all; type 0 with a long sequence number; service code.
            return Self.summed(ports + [5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1] + [0, 0, 0, 1] + payload, at: 6, pseudo)
        case .sctp:
            while payload.count % 4 != 0 { payload.append(0) }
            // A parameter that a receiver is to skip (section 3.2.1), in which the text is.
            let parameter = UInt16(0xc000).bigEndianBytes + UInt16(4 + payload.count).bigEndianBytes + payload
            let start: [UInt8] = [0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]
            let chunk = [1, 0] + UInt16(20 + parameter.count).bigEndianBytes + start + parameter
            let bare = ports + [0, 0, 0, 0] + [0, 0, 0, 0] + chunk
            // The one checksum that is sent lowest byte first (appendix A).
            return ports + [0, 0, 0, 0] + Checksum.castagnoli(bare).bigEndianBytes.reversed() + chunk
        case .icmp(let type, let code, let isIPv6):
            // Identifier and sequence number.
            let message = [type, code, 0, 0] + sourcePort.bigEndianBytes + [0, 1] + payload
            return Self.summed(message, at: 2) { isIPv6 ? pseudo($0) : [] }
        case .other: return [0, 0, 8, 0, 0, 0, 0, 1] + payload
        }
    }

    private static func summed(_ bytes: [UInt8], at position: Int, _ pseudo: (Int) -> [UInt8]) -> [UInt8] {
        let sum = Checksum.of(pseudo(bytes.count) + bytes)
        return Array(bytes[..<position]) + (sum == 0 ? 0xffff : sum).bigEndianBytes + Array(bytes[(position + 2)...])
    }
}

extension Checksum {
    /// CRC32c (RFC 9260, appendix A).
    package static func castagnoli(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
        }
    }
}

extension Frame {
    /// A whole packet, from and to whatever addresses are claimed.
    package static func of(
        _ segment: Segment, carrying text: String, mac source: String, to destination: String, from sender: String, to receiver: String
    ) throws -> Frame {
        try ip(mac: source, to: destination, from: sender, to: receiver, protocol: segment.number, hops: 64) { pseudo in
            segment.bytes(carrying: text, pseudo)
        }
    }

    /// A question of who has `target` (RFC 4861, section 4.3), which says that its sender is at the source's MAC.
    package static func neighborSolicitation(
        mac source: String, to destination: String, from sender: String, to receiver: String, target: String
    ) throws -> Frame {
        let body = try [0, 0, 0, 0] + SocketAddress(target).number + (sender == "::" ? [] : [1, 1] + mac(source))
        return try ip(mac: source, to: destination, from: sender, to: receiver, protocol: 58) { pseudo in
            let sum = Checksum.of(pseudo(4 + body.count) + [135, 0, 0, 0] + body)
            return [135, 0] + sum.bigEndianBytes + body
        }
    }

    /// An ICMP error about `packet` (RFC 792; RFC 4443, section 2.4), which it quotes whole.
    package static func error(
        type: UInt8, code: UInt8, about packet: Frame, number: UInt32 = 0, mac source: String, to destination: String, from sender: String,
        to receiver: String
    ) throws -> Frame {
        let isIPv6 = sender.contains(":")
        return try ip(mac: source, to: destination, from: sender, to: receiver, protocol: isIPv6 ? 58 : 1, hops: 64) { pseudo in
            let body = number.bigEndianBytes + packet.payload
            let sum = Checksum.of((isIPv6 ? pseudo(4 + body.count) : []) + [type, code, 0, 0] + body)
            return [type, code] + sum.bigEndianBytes + body
        }
    }
}
