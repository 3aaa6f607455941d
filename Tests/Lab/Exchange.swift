import CLinux
import Glibc

/// Sends numbered packets between the interfaces of several namespaces around one host, and says where each came out.
///
/// That a packet hasn't arrived is known by markers, not by a time: frames of no protocol that anybody filters, which go the same way after it. First
/// each sender's to the host, then the host's to each receiver.
package final class Exchange {
    /// Where packets come from and go to.
    package enum Station: Hashable, Sendable {
        /// Behind an interface of the host's, by its name.
        case behind(String)
        /// The host itself, above its filters.
        case host
    }

    package struct Parcel {
        package var number: UInt64
        package var sender: Station
        package var frame: Frame

        package init(number: UInt64, from sender: Station, _ frame: Frame) {
            self.number = number
            self.sender = sender
            self.frame = frame
        }
    }

    private struct Far {
        var link: ProbeSocket
        /// The host's end.
        var near: ProbeSocket
        var inbox: ParcelInbox
        var mac: String
        var hostMAC: String
    }

    private let host: LabNamespace
    private var far: [String: Far] = [:]
    private var order: [String] = []
    private var atHost: [HostInbox: ParcelInbox] = [:]
    private var markers: ParcelInbox
    private let output: (ipv4: ProbeSocket, ipv6: ProbeSocket)
    private var lastMarker: UInt64 = 1 << 63
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    private struct HostInbox: Hashable {
        var isIPv6: Bool
        var number: UInt8
    }

    /// For local experiments (IEEE 802, "EtherType"); no filter of IP or ARP sees it.
    private static let experimental: UInt16 = 0x88b5
    private static let ceiling = Duration.seconds(20)
    /// As many as are sent before those that came are taken in.
    private static let handful = 64

    package init(host: LabNamespace) throws {
        self.host = host
        markers = try ParcelInbox(PacketSocket.open(in: host, interface: nil, type: Self.experimental))
        // With IPPROTO_RAW the packet brings its own header (raw(7)).
        output = try (
            ProbeSocket(in: host, family: AF_INET, type: SOCK_RAW, protocol: Int32(IPPROTO_RAW)),
            ProbeSocket(in: host, family: AF_INET6, type: SOCK_RAW, protocol: Int32(IPPROTO_RAW))
        )
    }

    /// Makes what is behind an interface of the host's a station, or makes it one again after the interface was replaced.
    ///
    /// - Parameter isMute: whether nothing behind it is to answer by itself.
    package func connect(
        _ hostInterface: String, hostMAC: String, to namespace: LabNamespace, _ interface: String, mac: String, isMute: Bool
    ) throws {
        let link = try PacketSocket.open(in: namespace, interface: interface, type: PacketSocket.everyType)
        let near = try PacketSocket.open(in: host, interface: hostInterface, type: 0)
        if far[hostInterface] == nil { order.append(hostInterface) }
        far[hostInterface] = Far(link: link, near: near, inbox: try ParcelInbox(link), mac: mac, hostMAC: hostMAC)
        guard isMute else { return }
        // Behind what packet sockets see, before the stack.
        try namespace.run(
            ["nft", "-f", "-"],
            input: """
                table netdev mute
                delete table netdev mute
                table netdev mute {
                    chain ingress { type filter hook ingress device "\(interface)" priority 0; policy drop; }
                }

                """)
    }

    /// Sends them in this order, and answers where each of them came out, once it is certain of all.
    package func carry(_ parcels: [Parcel]) throws -> [UInt64: Set<Station>] {
        try Processor.staying {
            try listen(for: parcels)
            for (position, parcel) in parcels.enumerated() {
                try send(parcel)
                if position % Self.handful == Self.handful - 1 { empty() }
            }
            let senders = Set(parcels.map(\.sender))
            for name in order where senders.contains(.behind(name)) { try mark(from: name) }
            empty()
            for name in order { try mark(to: name) }
            return collect()
        }
    }

    private func send(_ parcel: Parcel) throws {
        switch parcel.sender {
        case .behind(let name): try far[name]?.link.send(parcel.frame.bytes, to: nil)
        case .host:
            let packet = parcel.frame.payload
            let isIPv6 = parcel.frame.type == 0x86dd
            let receiver = isIPv6 ? SocketAddress(ipv6: Array(packet[24..<40])) : SocketAddress(ipv4: Array(packet[16..<20]))
            try (isIPv6 ? output.ipv6 : output.ipv4).send(packet, to: receiver)
        }
    }

    /// Every protocol has an inbox of its own at the host: raw sockets get what has passed the filters (`ip_local_deliver_finish`, net/ipv4/ip_input.c).
    private func listen(for parcels: [Parcel]) throws {
        for parcel in parcels {
            let isIPv6 = parcel.frame.type == 0x86dd
            let inbox = HostInbox(isIPv6: isIPv6, number: parcel.frame.bytes[isIPv6 ? 20 : 23])
            guard parcel.sender != .host, atHost[inbox] == nil else { continue }
            // With 255 a raw socket only sends; 0 is any to the call that makes one.
            guard inbox.number != 0, inbox.number != 255 else { continue }
            let socket = try ProbeSocket(
                in: host, family: isIPv6 ? AF_INET6 : AF_INET, type: SOCK_RAW, protocol: Int32(inbox.number))
            atHost[inbox] = try ParcelInbox(socket, seesOutgoing: true)
        }
    }

    private func empty() {
        for name in order { far[name]?.inbox.empty(&buffer) }
        for inbox in Array(atHost.keys) { atHost[inbox]?.empty(&buffer) }
    }

    private func marker(_ source: String, _ destination: String) -> (number: UInt64, frame: Frame) {
        lastMarker += 1
        let text = Array(ParcelNumber.text(lastMarker).utf8)
        return (lastMarker, Frame(from: source, to: destination, type: Self.experimental, [UInt8](repeating: 0, count: 40) + text))
    }

    private func mark(from name: String) throws {
        guard let end = far[name] else { return }
        let (number, frame) = marker(end.mac, end.hostMAC)
        try end.link.send(frame.bytes, to: nil)
        guard markers.wait(for: number, &buffer, within: Self.ceiling) else {
            throw LabError("the host doesn't hear who is behind \(name)")
        }
    }

    private func mark(to name: String) throws {
        guard let end = far[name] else { return }
        let (number, frame) = marker(end.hostMAC, end.mac)
        try end.near.send(frame.bytes, to: nil)
        guard far[name]?.inbox.wait(for: number, &buffer, within: Self.ceiling) == true else {
            throw LabError("who is behind \(name) doesn't hear the host")
        }
    }

    private func collect() -> [UInt64: Set<Station>] {
        empty()
        var arrivals: [UInt64: Set<Station>] = [:]
        func note(_ numbers: Set<UInt64>, at station: Station) {
            for number in numbers where number < 1 << 63 { arrivals[number, default: []].insert(station) }
        }
        for name in order { note(far[name]?.inbox.take() ?? [], at: .behind(name)) }
        for inbox in Array(atHost.keys) { note(atHost[inbox]?.take() ?? [], at: .host) }
        _ = markers.take()
        return arrivals
    }
}
