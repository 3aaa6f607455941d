/// What selectors find in a packet; nil where the kernel finds nothing and ends the rule (`NFT_BREAK`, linux/netfilter/nf_tables.h).
extension Packet {
    /// As a number.
    func number(_ selector: Selector) -> UInt32? {
        switch selector {
        case .iifgroup: incoming?.group
        case .oifgroup: outgoing?.group
        case .l4proto: l4proto.map { UInt32($0) }
        case .sourcePort: ports.map { UInt32($0.source) }
        case .destinationPort: ports.map { UInt32($0.destination) }
        case .icmpType(let family): icmp(family).map { UInt32($0.type) }
        case .icmpCode(let family): icmp(family).map { UInt32($0.code) }
        case .ctMark(let mask): mark.map { $0 & mask }
        case .ctDirection: way.map { $0 == .original ? 0 : 1 }
        case .ctState: state
        case .iifname, .oifname, .etherSource, .arpSenderMAC, .arpSenderIP, .source, .destination, .ctSource, .ctDestination: nil
        }
    }

    /// As an address.
    func address(_ selector: Selector) -> IPAddress? {
        guard case .ip(let source, let destination, _) = content else { return nil }
        return switch selector {
        case .source(let family): source.family == family ? source : nil
        case .destination(let family): destination.family == family ? destination : nil
        // An ICMP error is taken for one about a flow of its own ends.
        case .ctSource(let end, let family): way.flatMap { $0 == end ? address(.source(family)) : address(.destination(family)) }
        case .ctDestination(let end, let family):
            way.flatMap { $0 == end ? address(.destination(family)) : address(.source(family)) }
        default: nil
        }
    }

    /// Nil for ARP.
    var family: Family? { if case .ip(let source, _, _) = content { source.family } else { nil } }

    /// As a field of a key.
    func append(_ selector: Selector, to key: inout KeyBytes) -> Bool {
        switch selector {
        // Without an interface the kernel takes the empty name.
        case .iifname: key.name(incoming?.name ?? LinkName(reported: ""))
        case .oifname: key.name(outgoing?.name ?? LinkName(reported: ""))
        case .etherSource:
            guard let etherSource else { return false }
            key.mac(etherSource)
        case .arpSenderMAC:
            guard case .arp(let sender, _) = content else { return false }
            key.mac(sender)
        case .arpSenderIP:
            guard case .arp(_, let address) = content else { return false }
            key.address(address)
        case .source, .destination, .ctSource, .ctDestination:
            guard let address = address(selector) else { return false }
            key.address(address)
        case .l4proto, .icmpType, .icmpCode:
            guard let number = number(selector) else { return false }
            key.octet(UInt8(truncatingIfNeeded: number))
        case .sourcePort, .destinationPort:
            guard let number = number(selector) else { return false }
            key.port(UInt16(truncatingIfNeeded: number))
        case .ctMark:
            guard let number = number(selector) else { return false }
            key.mark(number)
        case .iifgroup, .oifgroup, .ctDirection, .ctState: return false
        }
        return true
    }

    private var state: UInt32 {
        switch tracking {
        case .none: CTState.untracked
        case .invalid: CTState.invalid
        case .flow: isError ? CTState.related : CTState.established
        }
    }

    private var way: Way? { if case .flow(let way, _) = tracking { way } else { nil } }

    private var l4proto: UInt8? {
        guard case .ip(let source, _, let transport) = content else { return nil }
        return switch transport {
        case .ports(let number, _, _): number.number
        case .icmp: IPProtocol.icmp.spoken(in: source.family).number
        case .other(let number): number
        }
    }

    /// Only of protocols that have ports: what rules ask of ports they ask of those.
    private var ports: (source: UInt16, destination: UInt16)? {
        guard case .ip(_, _, .ports(_, let source, let destination)) = content else { return nil }
        return (source, destination)
    }

    /// Whether it is an ICMP error, which tracking counts to the flow that it is about (`nf_conntrack_icmpv4_error` and `nf_conntrack_icmpv6_error`,
    /// net/netfilter).
    private var isError: Bool {
        guard case .ip(let source, _, .icmp(let type, _)) = content else { return false }
        return source.family == .v4 ? [3, 4, 5, 11, 12].contains(type) : type < 128 || type == 137
    }

    private func icmp(_ family: Family) -> (type: UInt8, code: UInt8)? {
        guard case .ip(let source, _, .icmp(let type, let code)) = content, source.family == family else { return nil }
        return (type, code)
    }
}
