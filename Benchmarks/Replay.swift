import HostNetwork
import Kernel
import Lab
import Netlink
import SystemPackage

/// Sends bytes again that Hawser has sent on another host that was in the same state: what the kernel alone takes for them.
struct Replay: ~Copyable {
    private var firewall: NetlinkSocket
    private var links: NetlinkSocket

    /// The sockets are open for good, as Hawser's are.
    init(in host: LabNamespace) throws {
        let place = try NetworkNamespace(at: host.path)
        let firewall = try NetlinkSocket(.netfilter, in: place, space: 16 << 20)
        let links = try NetlinkSocket(.route, in: place, space: 8 << 20)
        self.firewall = firewall
        self.links = links
    }

    /// Transactions of nftables, and nothing else.
    mutating func commit(_ sent: [Recorder.Sent]) throws {
        for datagram in sent where datagram.isTransaction { try commit(datagram.bytes) }
    }

    /// A batch whose numbers stay as they are.
    private mutating func commit(_ bytes: [UInt8]) throws {
        let starts = Message.starts(bytes)
        guard let first = starts.first, let last = starts.last,
            let end = starts.last(where: { Message.flags(bytes, $0) & MessageFlags.acknowledge.rawValue != 0 })
        else { return }
        let numbers = Message.sequence(bytes, first)...Message.sequence(bytes, last)
        let refused = try firewall.transact(bytes.span, numbers, end: Message.sequence(bytes, end))
        if let error = refused.first { throw Refused(text: "a replayed transaction: \(error)") }
    }

    /// Everything that made a pod's interface and its binding, for another namespace: what the kernel numbers is put right.
    mutating func attach(_ sent: [Recorder.Sent], in place: String) throws {
        let namespace = try NetworkNamespace(at: place)
        let descriptor = UInt32(bitPattern: namespace.descriptor.rawValue)
        var host: UInt32 = 0
        var peer: UInt32 = 0
        for datagram in sent where !datagram.isLook {
            switch datagram.outlet {
            case .firewall: if datagram.isTransaction { try commit(datagram.bytes) }
            case .host:
                var batch = Batch(again: Self.renumbered(datagram.bytes, link: host, descriptor: descriptor))
                let refused = try links.send(&batch) { _, header, message in
                    guard header.type == MessageType(rawValue: 16) else { return }  // RTM_NEWLINK
                    // struct ifinfomsg (linux/rtnetlink.h), then IFLA_LINK (linux/if_link.h): the index of the other end.
                    host = message.number(at: 20)
                    message.attributes(from: 32) { number, payload in if number == 5 { peer = payload.number() } }
                }
                if let error = refused.values.first { throw Refused(text: "a replayed message about links: \(error)") }
            case .pod:
                var batch = Batch(again: Self.renumbered(datagram.bytes, link: peer, descriptor: descriptor))
                var socket = try NetlinkSocket(.route, in: namespace)
                let refused = try socket.send(&batch)
                if let error = refused.values.first { throw Refused(text: "a replayed message inside a pod: \(error)") }
            }
        }
    }

    /// Indices of links other than the loopback's, and descriptors of namespaces.
    private static func renumbered(_ bytes: [UInt8], link: UInt32, descriptor: UInt32) -> [UInt8] {
        var bytes = bytes
        for start in Message.starts(bytes) {
            let body = start + 16
            switch Message.type(bytes, start) {  // RTM_… (linux/rtnetlink.h)
            case 16 where Message.number(bytes, body + 4) == 0:
                // RTM_NEWLINK that makes: IFLA_NET_NS_FD of the peer, deep inside.
                put(descriptor, attribute: 28, from: body + 16, to: start + Message.length(bytes, start), &bytes)
            case 16, 18, 19, 20, 28, 108:
                // RTM_NEWLINK, GETLINK, SETLINK, NEWADDR, NEWNEIGH, NEWLINKPROP: the index is the second word.
                if Message.number(bytes, body + 4) > 1 { Message.put(link, &bytes, body + 4) }
            case 24: put(link, attribute: 4, from: body + 12, to: start + Message.length(bytes, start), &bytes)  // RTM_NEWROUTE: RTA_OIF
            // RTM_GETNSID: NETNSA_FD
            case 90: put(descriptor, attribute: 3, from: body + 4, to: start + Message.length(bytes, start), &bytes)
            default: continue
            }
        }
        return bytes
    }

    /// Puts a number into each attribute of four bytes with this number.
    private static func put(_ value: UInt32, attribute number: UInt32, from start: Int, to end: Int, _ bytes: inout [UInt8]) {
        for offset in stride(from: start, to: end - 7, by: 4) where Message.number(bytes, offset) == 8 | number << 16 {
            Message.put(value, &bytes, offset + 4)
        }
    }

    struct Refused: Error, CustomStringConvertible {
        var text: String
        var description: String { text }
    }
}
