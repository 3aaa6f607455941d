/// ICMP errors that pods send. Connection tracking calls an error *related* to the flow that it quotes, whoever sends it
/// (`nf_conntrack_inet_error`, net/netfilter/nf_conntrack_proto_icmp.c, compares its destination alone).
extension Layout {
    private static let related = Named(.inet, "related-out")

    /// Returns for an error of an end of the flow, which is judged like the flow. Accepts that of a router on the flow's
    /// way, and denies all others.
    var relatedOut: Chain {
        Chain(
            Self.related,
            body: [[.lookup([.iifname], in: "unfiltered"), .verdict(.return)]]
                + [false, true].flatMap { ranges in Family.allCases.flatMap { ends($0, ranges: ranges) } }
                + Family.allCases.flatMap(ways) + denied(.out, by: .iifname))
    }

    /// ct state related jump related-out
    var judgingErrors: [Statements] { [[.equal(.ctState, CTState.related), .verdict(.jump(Self.related.name))]] }

    /// iifname . ether saddr . ct original ip saddr @own-4 return, and the same of the reply
    private func ends(_ family: Family, ranges: Bool) -> [Statements] {
        [Way.original, .reply].map { way in
            [
                .lookup(
                    [.iifname, .etherSource, .ctSource(way, family)], in: BaseSet.own(.inet, family, ranges: ranges).name),
                .verdict(.return),
            ]
        }
    }

    /// iifname . ct original ip saddr . ct original ip daddr @ways-4 accept, and the same of the reply
    private func ways(_ family: Family) -> [Statements] {
        [Way.original, .reply].map { way in
            [
                .lookup([.iifname, .ctSource(way, family), .ctDestination(way, family)], in: BaseSet.way(family).name),
                .verdict(.accept),
            ]
        }
    }

    /// ICMP errors about no flow: a pod that is an end of a flow, or forwards it, has received the packet from this host.
    var refusingErrors: [Statements] {
        // As tracking tells them: `icmp_is_err` (linux/icmp.h), and all of ICMPv6 below 128 (RFC 4443, 2.1).
        let types: [(Family, ClosedRange<UInt32>)] = [(.v4, 3...5), (.v4, 11...12), (.v6, 0...127)]
        return types.map { [.within(.icmpType($0), $1), .verdict(.drop)] }
    }
}
