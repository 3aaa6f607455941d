extension Packet.Transport {
    /// What tracking makes of such a packet that belongs to no flow: the first of one, or nothing.
    package func opening(_ family: Family) -> Packet.Tracking {
        switch self {
        case .ports: .flow(.original, mark: 0)
        case .icmp(let type, _): Self.icmp(type, family)
        // ICMP in a family that isn't its own, and what says that nothing follows (`ipv6_skip_exthdr`, net/ipv6/exthdrs_core.c).
        case .other(let number):
            (family == .v4 ? number == 58 : number == 1 || number == 59) ? .invalid : .flow(.original, mark: 0)
        }
    }

    /// Requests alone begin a flow (`valid_new` of nf_conntrack_proto_icmp.c and nf_conntrack_proto_icmpv6.c, net/netfilter); discovery of
    /// multicast listeners and of neighbors is exempt (`noct_valid_new`, there).
    private static func icmp(_ type: UInt8, _ family: Family) -> Packet.Tracking {
        let requests: [UInt8] = family == .v4 ? [8, 13, 15, 17] : [128, 139]
        if requests.contains(type) { return .flow(.original, mark: 0) }
        return family == .v6 && ((130...136).contains(type) || type == 143) ? .none : .invalid
    }
}
