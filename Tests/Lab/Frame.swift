import Glibc

/// An Ethernet frame (IEEE 802.3), put together by hand.
package struct Frame: Hashable, Sendable {
    package var bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    package init(from source: String, to destination: String, type: UInt16, _ payload: [UInt8]) {
        bytes = Self.mac(destination) + Self.mac(source) + type.bigEndianBytes + payload
    }

    package static let broadcast = "ff:ff:ff:ff:ff:ff"

    /// A UDP datagram (RFC 768) over IPv4 or IPv6, with right checksums, whatever addresses are claimed.
    package static func udp(
        mac source: String, to destination: String, from sender: String, port: UInt16, to receiver: String, port receiverPort: UInt16,
        _ text: String
    ) throws -> Frame {
        let payload = Array(text.utf8)
        let header = port.bigEndianBytes + receiverPort.bigEndianBytes + UInt16(8 + payload.count).bigEndianBytes
        return try ip(mac: source, to: destination, from: sender, to: receiver, protocol: 17) { pseudo in
            let sum = Checksum.of(pseudo(8 + payload.count) + header + [0, 0] + payload)
            return header + (sum == 0 ? 0xffff : sum).bigEndianBytes + payload
        }
    }

    /// A neighbor advertisement (RFC 4861, section 4.4) that `target` is at the source's MAC; unsolicited, overriding.
    package static func neighborAdvertisement(
        mac source: String, to destination: String, from sender: String, to receiver: String, target: String
    ) throws -> Frame {
        let body = try [0x20, 0, 0, 0] + SocketAddress(target).number + [2, 1] + mac(source)
        return try ip(mac: source, to: destination, from: sender, to: receiver, protocol: 58) { pseudo in
            let sum = Checksum.of(pseudo(4 + body.count) + [136, 0, 0, 0] + body)
            return [136, 0] + sum.bigEndianBytes + body
        }
    }

    /// A router advertisement (RFC 4861, section 4.2): that its source is a default router for so many
    /// seconds, and, if one is given, that hosts make addresses of a prefix of 64 bits.
    package static func routerAdvertisement(
        mac source: String, from sender: String, seconds: UInt16 = 1800, prefix: String? = nil
    ) throws -> Frame {
        var body: [UInt8] =
            [64, 0] + seconds.bigEndianBytes + [UInt8](repeating: 0, count: 8) + [1, 1] + mac(source)
        if let prefix {
            // On the link, and for addresses; for a day.
            body +=
                try [3, 4, 64, 0xc0] + UInt32(86400).bigEndianBytes + UInt32(86400).bigEndianBytes + [
                    0, 0, 0, 0,
                ]
                + SocketAddress(prefix).number
        }
        return try ip(mac: source, to: "33:33:00:00:00:01", from: sender, to: "ff02::1", protocol: 58) {
            pseudo in
            let sum = Checksum.of(pseudo(4 + body.count) + [134, 0, 0, 0] + body)
            return [134, 0] + sum.bigEndianBytes + body
        }
    }

    /// ARP (RFC 826): 1 asks who has `target`, 2 says that the sender's address is at its MAC.
    package static func arp(
        _ operation: UInt16, mac source: String, to destination: String, sender: String, senderMAC: String? = nil, target: String
    ) throws -> Frame {
        var payload: [UInt8] = [0, 1, 8, 0, 6, 4] + operation.bigEndianBytes
        payload += try mac(senderMAC ?? source) + SocketAddress(sender).number
        payload += try (operation == 1 ? [UInt8](repeating: 0, count: 6) : mac(destination)) + SocketAddress(target).number
        return Frame(from: source, to: destination, type: 0x0806, payload)
    }

    /// A packet whose content is made by `content` from the pseudo header that goes into its checksum.
    package static func ip(
        mac source: String, to destination: String, from sender: String, to receiver: String, protocol number: UInt8, hops: UInt8 = 255,
        _ content: (_ pseudo: (Int) -> [UInt8]) -> [UInt8]
    ) throws -> Frame {
        let (sender, receiver) = (try SocketAddress(sender), try SocketAddress(receiver))
        let addresses = sender.number + receiver.number
        if sender.family == AF_INET6 {
            let content = content { addresses + UInt32($0).bigEndianBytes + [0, 0, 0, number] }
            let header: [UInt8] = [0x60, 0, 0, 0] + UInt16(content.count).bigEndianBytes + [number, hops]
            return Frame(from: source, to: destination, type: 0x86dd, header + addresses + content)
        }
        let content = content { addresses + [0, number] + UInt16($0).bigEndianBytes }
        var header: [UInt8] = [0x45, 0] + UInt16(20 + content.count).bigEndianBytes + [0, 0, 0, 0, hops, number, 0, 0] + addresses
        header.replaceSubrange(10..<12, with: Checksum.of(header).bigEndianBytes)
        return Frame(from: source, to: destination, type: 0x0800, header + content)
    }

    /// 0x0800 IPv4, 0x86dd IPv6, 0x0806 ARP.
    package var type: UInt16 { bytes.count < 14 ? 0 : UInt16(bytes[12]) << 8 | UInt16(bytes[13]) }
    package var payload: [UInt8] { Array(bytes.dropFirst(14)) }

    /// Whether it tells routers which multicast groups somebody without an address yet listens to (RFC 3810, section 5.2): behind a header of
    /// hop-by-hop options.
    package var isListenerReport: Bool {
        let (next, source, type) = (6, 8..<24, 48)
        return self.type == 0x86dd && payload.count > type && payload[next] == 0 && payload[source].allSatisfy { $0 == 0 }
            && payload[type] == 143
    }

    /// Whether the text is somewhere in it.
    package func contains(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
    }

    package static func mac(_ text: String) -> [UInt8] { text.split(separator: ":").map { UInt8($0, radix: 16) ?? 0 } }
}
