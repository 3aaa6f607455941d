/// Packets that a pod has just sent, before the host reassembles, tracks or routes them.
///
/// A packet from an address that isn't the pod's must not reach connection tracking: a forged segment ends another
/// pod's connection there, and a forged fragment joins another pod's datagram.
extension Layout {
    var arrivalChains: [Chain] {
        [arrival, fragment, linkLocal, discovery, Chain(Named(.inet, "unaddressed"), body: bootstrap)]
    }

    /// Accepts packets from the pod's own addresses, and the few messages of a pod that has none yet. Nearly all packets are
    /// whole, and pass by the first rule of their family.
    ///
    /// Stands before defragmentation, which has priority -400 (`NF_IP_PRI_CONNTRACK_DEFRAG`, linux/netfilter_ipv4.h).
    private var arrival: Chain {
        Chain(
            Named(.inet, "arrival"), base: .init(.prerouting, priority: -450),
            body: Self.unless(.iifgroup, .return)
                + Family.allCases.map { [.whole($0), isOwn(.source($0), $0, ranges: false), .verdict(.accept)] }
                + Family.allCases.flatMap(limitingFragments)
                + nobody(.v6, .verdict(.jump("link-local")))
                + Self.solicitations.map { [.equal(.icmpType(.v6), $0), .verdict(.jump("discovery"))] }
                + Family.allCases.map { [isOwn(.source($0), $0, ranges: true), .verdict(.accept)] }
                + [[.lookup([.iifname], in: "unfiltered"), .verdict(.accept)]]
                + nobody(.v4, .verdict(.jump("unaddressed"))) + denied(.out, by: .iifname))
    }

    /// Accepts what a pod must say from a link-local or unspecified address, within its limit: whatever the host answers
    /// makes an entry in the neighbor table, an ICMP error included.
    private var linkLocal: Chain {
        Chain(
            Named(.inet, "link-local"),
            body: [
                [.lookup([.iifname], in: "unfiltered"), .verdict(.return)],
                // A pair may be of all addresses.
                [isOwn(.source(.v6), .v6, ranges: true), .verdict(.return)],
                [.verdict(.jump("discovery"))], [.verdict(.jump("unaddressed"))],
            ] + denied(.out, by: .iifname))
    }

    /// iifname . ether saddr @unaddressed ip saddr @nobody-4
    private func nobody(_ family: Family, _ verdict: Statement) -> [Statements] {
        [
            [
                .lookup([.iifname, .etherSource], in: Self.unaddressed.id.name),
                .lookup([.source(family)], in: Self.nobody(family).id.name), verdict,
            ]
        ]
    }

    private func limitingFragments(_ family: Family) -> [Statements] {
        [
            [.fragment(family), .verdict(.jump("fragment"))],
            [.fragment(family), isOwn(.source(family), family, ranges: false), .verdict(.accept)],
        ]
    }

    /// Returns for fragments within the pod's limit. A pod without any rule isn't in the set.
    private var fragment: Chain {
        Chain(
            Named(.inet, "fragment"),
            body: [
                [.lookup([.iifname], in: "unfiltered"), .verdict(.return)],
                [.lookup([.iifname], in: BaseSet.fragments(podFragments).name), .verdict(.return)],
            ] + denied(.out, by: .iifname))
    }

    /// Returns for packets within the pod's limit that may make an entry in the neighbor table. The unspecified address
    /// makes none (RFC 4861, 7.2.3).
    private var discovery: Chain {
        Chain(
            Named(.inet, "discovery"),
            body: [
                [.among(.source(.v6), AddressRange(Prefix(.v6(0)))), .verdict(.return)],
                [.lookup([.iifname], in: BaseSet.discovery(.inet).name), .verdict(.return)],
            ] + denied(.out, by: .iifname))
    }

    /// Neighbor and router solicitation: the messages that make a router learn their sender (RFC 4861, 6.2.6 and 7.2.3).
    private static let solicitations: [UInt32] = [135, 133]

    /// iifname . ether saddr . ip saddr @own-4: the pod may send from the address, with the packet's MAC.
    func isOwn(_ address: Selector, _ family: Family, ranges: Bool) -> Statement {
        .lookup([.iifname, .etherSource, address], in: BaseSet.own(.inet, family, ranges: ranges).name)
    }

    /// Messages that a host of any network must be able to send: DHCP as a client (RFC 2131, RFC 8415), router
    /// solicitation, neighbor discovery (RFC 4861) and multicast listener reports (RFC 3810).
    private var bootstrap: [Statements] {
        let udp: UInt32 = 17
        let dhcp: [Statements] = [(client: 68, server: 67), (546, 547)].map { ports in
            [.equal(.l4proto, udp), .equal(.sourcePort, ports.client), .equal(.destinationPort, ports.server), .verdict(.accept)]
        }
        return dhcp + neighborDiscovery
    }

    var neighborDiscovery: [Statements] {
        let types: [UInt32] = [133, 135, 136, 131, 132, 143]
        return types.map { [.equal(.icmpType(.v6), $0), .verdict(.accept)] }
    }

    // MARK: ARP, which inet never sees

    /// Requests from a range of addresses are limited like solicitations, because each makes an entry, too.
    var arp: Chain {
        let sender: [Selector] = [.iifname, .arpSenderMAC, .arpSenderIP]
        let fromPod = Statement.equal(.iifgroup, Marks.linkGroup)
        let isRare = Statement.lookup([.iifname], in: BaseSet.discovery(.arp).name)
        return Chain(
            Named(.arp, "input"), base: .init(.input, priority: 0),
            body: [
                // Entries of tunnels are permanent: nobody has to ask, and whoever asks would make more.
                [.equal(.iifgroup, Marks.tunnelGroup), .counter, .verdict(.drop)],
                [fromPod, .lookup(sender, in: BaseSet.own(.arp, .v4, ranges: false).name), .verdict(.accept)],
                [fromPod, .lookup(sender, in: BaseSet.own(.arp, .v4, ranges: true).name), isRare, .verdict(.accept)],
                [fromPod, .lookup([.iifname], in: "unfiltered"), isRare, .verdict(.accept)],
                [fromPod, .lookup([.iifname], in: BaseSet.deniedARP.name), .verdict(.drop)],
                [fromPod, .verdict(.drop)],
            ])
    }
}
