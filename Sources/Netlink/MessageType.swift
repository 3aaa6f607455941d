import CLibMNL

/// What a message asks for or reports (`nlmsg_type`, linux/netlink.h).
package struct MessageType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// An rtnetlink message (`RTM_…`, linux/rtnetlink.h).
    package init(_ route: Int) { rawValue = UInt16(truncatingIfNeeded: route) }

    /// A netfilter message: the subsystem in the high byte, its own number in the low one (linux/netfilter/nfnetlink.h).
    package init(subsystem: Int32, message: UInt32) {
        rawValue = UInt16(truncatingIfNeeded: subsystem) << 8 | UInt16(truncatingIfNeeded: message)
    }

    static let error = Self(Int(NLMSG_ERROR))
    static let done = Self(Int(NLMSG_DONE))
    static let overrun = Self(Int(NLMSG_OVERRUN))
    static let noOperation = Self(Int(NLMSG_NOOP))
}

extension MessageType: CustomStringConvertible {
    package var description: String {
        switch Int(rawValue) {
        case RTM_NEWLINK: "RTM_NEWLINK"
        case RTM_DELLINK: "RTM_DELLINK"
        case RTM_GETLINK: "RTM_GETLINK"
        case RTM_SETLINK: "RTM_SETLINK"
        case RTM_NEWLINKPROP: "RTM_NEWLINKPROP"
        case RTM_NEWADDR: "RTM_NEWADDR"
        case RTM_DELADDR: "RTM_DELADDR"
        case RTM_GETADDR: "RTM_GETADDR"
        case RTM_NEWROUTE: "RTM_NEWROUTE"
        case RTM_DELROUTE: "RTM_DELROUTE"
        case RTM_GETROUTE: "RTM_GETROUTE"
        case RTM_NEWNEIGH: "RTM_NEWNEIGH"
        case RTM_DELNEIGH: "RTM_DELNEIGH"
        case RTM_GETNEIGH: "RTM_GETNEIGH"
        case RTM_GETNSID: "RTM_GETNSID"
        case let number where number < 0x100: "message \(number)"
        case let number: "netfilter message \(number >> 8)/\(number & 0xff)"
        }
    }
}

/// The flags of a message (`NLM_F_…`, linux/netlink.h). `NLM_F_REQUEST` and `NLM_F_ACK` are set for every request by itself.
package struct MessageFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }
    private init(_ flag: Int32) { rawValue = UInt16(truncatingIfNeeded: flag) }

    package static let request = Self(NLM_F_REQUEST)
    package static let acknowledge = Self(NLM_F_ACK)
    /// The answer has several parts and ends with `NLMSG_DONE`.
    package static let multipart = Self(NLM_F_MULTI)
    /// The kernel reports what it made to the one that asked for it, too.
    package static let echo = Self(NLM_F_ECHO)
    /// What is dumped changed while it was being dumped.
    package static let interrupted = Self(NLM_F_DUMP_INTR)
    package static let dump = Self(NLM_F_DUMP)
    package static let create = Self(NLM_F_CREATE)
    /// Refuse if it exists.
    package static let exclusive = Self(NLM_F_EXCL)
    /// One more of those that there are.
    package static let append = Self(NLM_F_APPEND)
    /// Take the place of what exists.
    package static let replace = Self(NLM_F_REPLACE)
    /// An answer carries attributes of its own (`NLMSGERR_ATTR_…`).
    static let explained = Self(NLM_F_ACK_TLVS)
    /// An answer carries the header only of what it answers.
    static let capped = Self(NLM_F_CAPPED)
}

/// `struct nlmsghdr` (linux/netlink.h).
package struct MessageHeader: Hashable, Sendable {
    /// Bytes in the header.
    package static let size = MemoryLayout<nlmsghdr>.size

    /// Bytes, with the header and without the padding behind it.
    package var length: Int
    package var type: MessageType
    package var flags: MessageFlags
    package var sequence: UInt32
    /// Whose request led to this message; 0: the kernel did it by itself.
    package var port: UInt32

    init(_ bytes: RawSpan, at offset: Int) {
        length = Int(bytes.number(at: offset, as: UInt32.self))
        type = MessageType(rawValue: bytes.number(at: offset + 4))
        flags = MessageFlags(rawValue: bytes.number(at: offset + 6))
        sequence = bytes.number(at: offset + 8)
        port = bytes.number(at: offset + 12)
    }
}
