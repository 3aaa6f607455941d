/// The type of one field of a set's key, named as `nft` names it.
package enum FieldType: Hashable, Sendable, CaseIterable {
    case ifname, etherAddress, ipv4Address, ipv6Address, inetProtocol, inetService, icmpType, icmpCode, icmpv6Type, icmpv6Code, mark

    /// Bytes that a value has.
    package var length: Int {
        switch self {
        case .ifname, .ipv6Address: 16
        case .etherAddress: 6
        case .ipv4Address, .mark: 4
        case .inetService: 2
        case .inetProtocol, .icmpType, .icmpCode, .icmpv6Type, .icmpv6Code: 1
        }
    }

    /// Bytes that a value takes in a key: registers are 32 bits wide (`NFT_REG32_00` and up, linux/netfilter/nf_tables.h).
    package var paddedLength: Int { (length + 3) & ~3 }

    package var text: String {
        switch self {
        case .ifname: "ifname"
        case .etherAddress: "ether_addr"
        case .ipv4Address: "ipv4_addr"
        case .ipv6Address: "ipv6_addr"
        case .inetProtocol: "inet_proto"
        case .inetService: "inet_service"
        case .icmpType: "icmp_type"
        case .icmpCode: "icmp_code"
        case .icmpv6Type: "icmpv6_type"
        case .icmpv6Code: "icmpv6_code"
        case .mark: "mark"
        }
    }
}

/// What a rule reads of a packet, its tracked flow or its way through the host.
package enum Selector: Hashable, Sendable {
    case iifname, oifname, iifgroup, oifgroup
    case etherSource
    case arpSenderMAC, arpSenderIP
    /// Source and destination address of one family; a packet of the other family doesn't match.
    case source(Family), destination(Family)
    case l4proto
    /// The first and the second 16 bits of the transport header.
    case sourcePort, destinationPort
    /// Type and code of ICMP (`.v4`) or ICMPv6 (`.v6`); any other protocol doesn't match.
    case icmpType(Family), icmpCode(Family)
    /// Source and destination of a direction of the conntrack entry (`ct original ip saddr`, nft(8)). No match for an
    /// untracked packet, or an entry of the other family.
    case ctSource(Way, Family), ctDestination(Way, Family)
    /// The mark of the tracked flow, cut by a mask. A packet that isn't tracked doesn't match.
    case ctMark(mask: UInt32)
    /// 0 for the direction that opened the flow, 1 for the other (`enum ip_conntrack_dir`). Untracked: no match.
    case ctDirection
    /// What tracking makes of the packet: one bit of `CTState`. It has one whether it is tracked or not.
    case ctState

    /// How its value stands in a key; nil for what is only compared.
    package var type: FieldType? {
        switch self {
        case .iifname, .oifname: .ifname
        case .etherSource, .arpSenderMAC: .etherAddress
        case .arpSenderIP: .ipv4Address
        case .source(let family), .destination(let family), .ctSource(_, let family), .ctDestination(_, let family):
            family == .v4 ? .ipv4Address : .ipv6Address
        case .l4proto: .inetProtocol
        case .sourcePort, .destinationPort: .inetService
        case .icmpType(let family): family == .v4 ? .icmpType : .icmpv6Type
        case .icmpCode(let family): family == .v4 ? .icmpCode : .icmpv6Code
        case .ctMark: .mark
        case .iifgroup, .oifgroup, .ctDirection, .ctState: nil
        }
    }

    package var text: String {
        switch self {
        case .iifname: "iifname"
        case .oifname: "oifname"
        case .iifgroup: "iifgroup"
        case .oifgroup: "oifgroup"
        case .etherSource: "ether saddr"
        case .arpSenderMAC: "arp saddr ether"
        case .arpSenderIP: "arp saddr ip"
        case .source(.v4): "ip saddr"
        case .source(.v6): "ip6 saddr"
        case .destination(.v4): "ip daddr"
        case .destination(.v6): "ip6 daddr"
        case .l4proto: "meta l4proto"
        case .sourcePort: "th sport"
        case .destinationPort: "th dport"
        case .icmpType(.v4): "icmp type"
        case .icmpType(.v6): "icmpv6 type"
        case .icmpCode(.v4): "icmp code"
        case .icmpCode(.v6): "icmpv6 code"
        case .ctSource(let way, let family): "ct \(way.text) \(family == .v4 ? "ip" : "ip6") saddr"
        case .ctDestination(let way, let family): "ct \(way.text) \(family == .v4 ? "ip" : "ip6") daddr"
        case .ctMark(let mask): "ct mark & \(hex(mask))"
        case .ctDirection: "ct direction"
        case .ctState: "ct state"
        }
    }
}

/// What tracking makes of a packet, a bit each (`NF_CT_STATE_BIT` and its kin, linux/netfilter/nf_conntrack_common.h).
package enum CTState {
    /// Tracking can't make sense of it.
    package static let invalid: UInt32 = 1
    package static let established: UInt32 = 2
    /// An ICMP error about a flow, or the first packet of a flow that a helper expects.
    package static let related: UInt32 = 4
    /// The first packet of a flow, and further ones until something comes back.
    package static let new: UInt32 = 8
    package static let untracked: UInt32 = 1 << 6
}

/// A 32-bit number as `nft` prints marks.
package func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
}
