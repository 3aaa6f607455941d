/// ICMP errors that pods send. Connection tracking calls an error *related* to the flow that it quotes, whoever sends it
/// (`nf_conntrack_inet_error`, net/netfilter/nf_conntrack_proto_icmp.c, compares its destination alone).
extension Layout {
    private static let related = (out: Named(.inet, "related-out"), toHost: Named(.inet, "related-to-host"), in: Named(.inet, "related-in"))

    /// Returns for an error of an end of the flow, which is judged like the flow. Accepts that of a router on the flow's
    /// way, and denies all others; the host itself is on no router's way.
    var relatedChains: [Chain] {
        func errors(_ name: Named, refusing: [Statements] = [], _ ways: [Statements]) -> Chain {
            Chain(
                Named(.inet, name.name + "-errors"),
                body: refusing + [[.lookup([.iifname], in: "unfiltered"), .verdict(.return)]]
                    + [false, true].flatMap { ranges in Family.allCases.flatMap { ends($0, ranges: ranges) } } + ways
                    + denied(.out, by: .iifname))
        }
        func related(_ name: Named, _ field: MarkLayout.Field, _ error: Statement) -> Chain {
            // A flow that a helper expects has its master's mark (`init_conntrack`, net/netfilter/nf_conntrack_core.c).
            Chain(
                name, body: [[.equal(.l4proto, 1), error], [.equal(.l4proto, 58), error], [.mark(keep: ~marks.mask(of: field), set: 0)]])
        }
        let (out, toHost, `in`) = Self.related
        return [
            // An IPv4 redirect is such an error, too, and doesn't pass by a flow's stamp either.
            errors(out, refusing: routers(to: "serving"), Family.allCases.flatMap(ways)), errors(toHost, []),
            related(out, .sender, .verdict(.goto(out.name + "-errors"))),
            related(toHost, .sender, .verdict(.goto(toHost.name + "-errors"))),
            related(`in`, .receiver, .verdict(.return)),
        ]
    }

    /// ct state related jump related-out
    var judgingErrors: [Statements] { Self.judgingRelated(Self.related.out) }
    var judgingErrorsToHost: [Statements] { Self.judgingRelated(Self.related.toHost) }
    var judgingExpected: [Statements] { Self.judgingRelated(Self.related.in) }

    private static func judgingRelated(_ chain: Named) -> [Statements] {
        [[.equal(.ctState, CTState.related), .verdict(.jump(chain.name))]]
    }

    /// The host tells nobody of a wrong header of IPv6. It reads hop-by-hop options before any hook (`ip6_rcv_core`,
    /// net/ipv6/ip6_input.c), so that a pod with a forged source would have it answer whomever the pod names, and quote
    /// what the pod says (RFC 8200, 4.2).
    var parameterProblems: Chain {
        Chain(
            Named(.inet, "parameter-problems"), base: .init(.output, priority: 0),
            body: [[.equal(.icmpType(.v6), 4), .counter, .verdict(.drop)]])
    }

    /// ct direction original iifname . ether saddr . ct original ip saddr @own-4 return, and the same of the reply: an error
    /// goes the way of what its sender sends
    private func ends(_ family: Family, ranges: Bool) -> [Statements] {
        [Way.original, .reply].map { way in
            [
                .equal(.ctDirection, way == .original ? 0 : 1),
                isOwn(.ctSource(way, family), family, ranges: ranges), .verdict(.return),
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
