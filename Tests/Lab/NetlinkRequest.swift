/// One message of a datagram that goes to the kernel (`struct nlmsghdr`, linux/netlink.h).
package struct NetlinkRequest: Sendable {
    package let bytes: [UInt8]

    /// The messages of a datagram.
    package static func all(in datagram: [UInt8]) -> [NetlinkRequest] {
        var requests: [NetlinkRequest] = []
        var rest = datagram[...]
        while rest.count >= 16 {
            let length = Int(NetlinkRequest(bytes: Array(rest)).number(at: 0))
            guard length >= 16, length <= rest.count else { break }
            requests.append(NetlinkRequest(bytes: Array(rest.prefix(length))))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return requests
    }

    private func number(at offset: Int) -> UInt32 {
        bytes[offset..<(offset + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    package var type: UInt16 { UInt16(truncatingIfNeeded: number(at: 4)) }
    package var flags: UInt16 { UInt16(truncatingIfNeeded: number(at: 4) >> 16) }
    package var sequence: UInt32 { number(at: 8) }
    package var port: UInt32 { number(at: 12) }

    /// Whether it reads a list (`NLM_F_DUMP`), which every GET without it doesn't.
    package var isDump: Bool { reads && flags & 0x300 == 0x300 }

    /// Begin or end of a netfilter batch (`NFNL_MSG_BATCH_BEGIN`, `_END`, linux/netfilter/nfnetlink.h). RTM_NEWLINK and RTM_DELLINK have the same
    /// numbers, and say more.
    package var isMargin: Bool { (type == 0x10 || type == 0x11) && bytes.count == 20 }

    /// Whether it asks, and changes nothing.
    package var reads: Bool {
        // rtnetlink's come in fours: NEW, DEL, GET, SET (linux/rtnetlink.h).
        guard type >= 0x100 else { return type & 3 == 2 }
        // Those of nftables that ask (`enum nf_tables_msg_types`), and those of tracking (`enum cntl_msg_types`).
        return switch type >> 8 {
        case 10: [1, 4, 7, 10, 13, 16, 19, 23].contains(type & 0xff)
        case 1: [1, 3].contains(type & 0xff)
        default: false
        }
    }

    package var changes: Bool { !isMargin && !reads }
}
