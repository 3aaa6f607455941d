/// What of the host's own traffic with pods is let through.
package struct HostPolicy: Hashable, Sendable {
    /// Flows that the host opens to a pod.
    package enum ToPods: String, Hashable, Sendable, CaseIterable {
        /// All, so that node probes work.
        case allow
        /// Judged by the pod's ingress rules.
        case rules
    }

    /// Flows that a pod opens to the host, beside DHCP, neighbor discovery and ping of the gateway.
    package enum FromPods: String, Hashable, Sendable, CaseIterable {
        /// None: only replies.
        case replies
        /// Judged by the pod's egress rules.
        case rules
        /// All.
        case allow
    }

    package var toPods: ToPods
    package var fromPods: FromPods

    package init(toPods: ToPods = .allow, fromPods: FromPods = .replies) {
        self.toPods = toPods
        self.fromPods = fromPods
    }
}

/// The part of the ruleset that is there whatever the intents say: both tables, the chains that packets go through, the sets
/// that pods are elements of. `Docs/Kernel-Objects.md` draws the way of a packet.
package struct Layout: Hashable, Sendable {
    package var marks: MarkLayout
    package var host: HostPolicy
    package var invalid: InvalidPackets
    /// The most tracked flows that a pod may have opened; nil: as many as it likes.
    package var podFlows: UInt32?
    /// The most fragments a second that a pod may send; nil: as many as it likes.
    package var podFragments: PacketLimit?
    /// Nil where the host's own address isn't known: then it has no tunnels.
    package var underlay: Underlay?

    package init(
        marks: MarkLayout = .standard, host: HostPolicy = HostPolicy(), invalid: InvalidPackets = .rules, podFlows: UInt32? = nil,
        podFragments: PacketLimit? = nil, underlay: Underlay? = nil
    ) {
        self.marks = marks
        self.host = host
        self.invalid = invalid
        self.podFlows = podFlows
        self.podFragments = podFragments
        self.underlay = underlay
    }

    package static let because = IntentID(.network, "*")

    /// Tables, base sets and chains.
    package var entries: [Entry] {
        let objects: [Object] =
            TableFamily.allCases.map { .table($0) } + (BaseSet.always + [.fragments(podFragments)] + crowdSets).map { .set($0.set) }
            + [.set(Self.gateways(.v4)), .set(Self.gateways(.v6)), .set(Self.unaddressed)] + subnetSets
            + Family.allCases.flatMap(nobody) + portless
            + chains.map { .chain($0) }
        return objects.map { Entry($0, because: Self.because, comment: "hawser") }
    }

    /// The addresses of the pods' gateways: the host answers their ping.
    package static func gateways(_ family: Family) -> NamedSet {
        NamedSet(Named(.inet, "gateways-\(family.digit)"), [family == .v4 ? .ipv4Address : .ipv6Address])
    }

    /// Sources that are no particular pod's: unspecified, and in IPv6 those of the link alone (RFC 4291, section 2.5.6), which DHCPv6 and
    /// router solicitation come from.
    static func nobody(_ family: Family) -> NamedSet {
        NamedSet(Named(.inet, "nobody-\(family.digit)"), [family == .v4 ? .ipv4Address : .ipv6Address], isInterval: true)
    }

    private func nobody(_ family: Family) -> [Object] {
        let set = Self.nobody(family)
        let link: ClosedRange<UInt128> = 0xfe80 << 112...0xfec0 << 112 - 1
        let ranges: [ClosedRange<IPAddress>] =
            family == .v4 ? [.v4(0)...(.v4(0))] : [.v6(0)...(.v6(0)), .v6(link.lowerBound)...(.v6(link.upperBound))]
        return [.set(set)]
            + ranges.map { range in
                let bounds = (KeyBytes.of { $0.address(range.lowerBound) }, KeyBytes.of { $0.address(range.upperBound) })
                return .element(Element(set.id, bounds.0, through: bounds.1, isSingleField: true))
            }
    }

    /// Link and MAC of who may ask for an address, or for its neighbors, before it has one.
    package static let unaddressed = NamedSet(Named(.inet, "unaddressed"), [.ifname, .etherAddress])

    /// The chain that a slot's rule stands in, for packets that are told apart by the interface they came by or leave by.
    package static func slots(_ flow: Flow, _ way: Way) -> Named { Named(.inet, "judge-\(flow.text)\(way.suffix)") }

    /// The rule that sends a packet to a pod's n-th group.
    package static func slotRule(_ flow: Flow, _ way: Way, _ number: Int) -> FilterRule {
        FilterRule(in: slots(flow, way), [.dispatch([link(flow, way)], by: BaseSet.slot(flow, way, number).name)])
    }

    /// The chain that stamps an epoch, tentatively.
    package func stampChain(_ flow: Flow, _ epoch: Epoch) -> Chain {
        let field = flow.field
        let stamp = marks.tentative(field) | marks.stamp(epoch, field)
        return Chain(Self.stampChain(flow, epoch), body: [[.mark(keep: ~marks.mask(of: field), set: stamp)]])
    }

    package static func stampChain(_ flow: Flow, _ epoch: Epoch) -> Named { Named(.inet, "epoch-\(flow.text)-\(epoch.value)") }

    static func isStampChain(_ id: Named) -> Bool { id.family == .inet && id.name.hasPrefix("epoch-") }

    /// The chain that a stateful rule sends a flow to that it allows.
    package static func allow(_ flow: Flow, _ way: Way) -> Named { Named(.inet, "allow-\(flow.text)\(way.suffix)") }

    /// Accepts, and makes the flow's tentative stamp a good one: only a stamp of this link's own epoch in force, and
    /// only where the pod is an end of the flow. Otherwise a pod that shares the address, or forwards for it, would make
    /// good what another pod's denied packet has written.
    ///
    /// An ICMP error passes by a rule about ICMP, but makes nothing good: tracking calls it related to the flow that it
    /// quotes. An untracked packet has no mark, which ends the rule that would change it. Every rule of every group leads
    /// here, and the kernel comes along once for each when a jump is added, so this is kept short.
    private func allowing(_ flow: Flow, _ way: Way) -> Chain {
        let link = Self.link(flow, way)
        let tentative = marks.tentative(flow.field)
        let earning = fresh(flow, link, marks.mask(of: flow.field) & ~tentative).map { isOwn -> Statements in
            [.equal(.ctMark(mask: tentative), tentative), isOwn, .mark(keep: ~tentative, set: 0), .verdict(.accept)]
        }
        return Chain(
            Self.allow(flow, way),
            body: [
                [.equal(.ctState, CTState.related), .verdict(.accept)],
                [.dispatch([.l4proto], by: Self.portless.id.name)],
            ] + earning + [[.verdict(.accept)]])
    }

    /// Whether these bits of the mark are the stamp in force of the pod behind the link, and the pod is an end of the
    /// packet's flow: iifname . ct mark & 0xff000000 @fresh-out; for each family oifname . ip daddr . ct mark @fresh-out-4.
    ///
    /// One lookup says both, because lookups are most of what an established packet costs.
    private func fresh(_ flow: Flow, _ link: Selector, _ mask: UInt32) -> Statements {
        guard link == .oifname else { return [.lookup([link, .ctMark(mask: mask)], in: BaseSet.fresh(flow).name)] }
        return Family.allCases.map {
            .lookup([link, .destination($0), .ctMark(mask: mask)], in: BaseSet.freshAt(flow, $0).name)
        }
    }

    /// Whether the pod behind the link is an end of the packet's flow, for each family: oifname . ip daddr @party-4
    ///
    /// A packet that a pod sends bears one of its own addresses (`Layout+Arrival`), so the pod is an end of its flow. A
    /// packet for another address only passes through the pod that it is sent to: by a next hop, or by somebody's route.
    private func parties(_ link: Selector) -> [Statements] {
        guard link == .oifname else { return [[]] }
        return Family.allCases.map { [.lookup([link, .destination($0)], in: BaseSet.party($0).name)] }
    }

    /// Protocols whose ports many kernels don't track: to those a flow is all that two hosts say in it
    /// (net/netfilter/nf_conntrack_proto_generic.c; DCCP since about Linux 6.17, the others where a kernel is built so). Such a flow is never good
    /// as a whole: each packet is judged.
    private static let portless = NamedSet(Named(.inet, "portless"), [.inetProtocol], isMap: true)

    private var portless: [Object] {
        let protocols: [IPProtocol] = [.dccp, .sctp, .udplite]
        return [.set(Self.portless)]
            + protocols.map { number in .element(Element(Self.portless.id, [number.number], .accept)) }
    }

    /// Which interface tells the pod: a pod's own flows leave it in the original direction, and their replies come to it.
    private static func link(_ flow: Flow, _ way: Way) -> Selector {
        switch (flow, way) {
        case (.out, .original), (.in, .reply): .iifname
        case (.out, .reply), (.in, .original): .oifname
        }
    }

    private var chains: [Chain] {
        let slots = Flow.allCases.flatMap { flow in Way.allCases.map { Chain(Self.slots(flow, $0)) } }
        let allowing = Flow.allCases.flatMap { flow in Way.allCases.map { self.allowing(flow, $0) } }
        return slots + allowing + arrivalChains + relatedChains + [
            parameterProblems, refusedPortsChain, tunnellingChain, fromOwnReply, serving, toPodReply, egress, ingress,
        ]
            + invalidChains + hostChains + fabricChains + [arp]
    }

    // MARK: Forwarded packets

    /// A packet's source is the pod's own when it gets here (`Layout+Arrival`).
    private var egress: Chain {
        Chain(
            Named(.inet, "egress"), base: .init(.forward, priority: 0),
            body: Self.unless(.iifgroup, others) + sent)
    }

    private var ingress: Chain {
        Chain(
            Named(.inet, "ingress"), base: .init(.forward, priority: 10),
            body: Self.unless(.oifgroup, .return) + received)
    }

    /// iifgroup != 26743 return
    ///
    /// What is about pods follows in the base chain itself: each chain that a packet is led to costs it some ten nanoseconds.
    static func unless(_ group: Selector, _ verdict: Verdict) -> [Statements] {
        [[.unequal(group, Marks.linkGroup), .verdict(verdict)]]
    }

    /// What a pod sends. A router's message is of no flow, or an error: none passes by a stamp before it is refused.
    var sent: [Statements] {
        refusingPorts + judgingErrors + [[.equal(.ctDirection, 1), .verdict(.goto("from-own-reply"))]]
            + judged(.out, .original, refusing: routers(to: "serving"), passing: "unfiltered")
            + refused(.out, by: .iifname)
    }

    private var fromOwnReply: Chain {
        Chain(Named(.inet, "from-own-reply"), body: judged(.in, .reply, passing: "unfiltered") + denied(.out, by: .iifname))
    }

    /// Whatever its rules say, no pod is a DHCP server (RFC 2131, RFC 8415) or a router (RFC 4861) to others.
    func servers(to chain: String) -> [Statements] { dhcpServers(to: chain) + routers(to: chain) }

    func dhcpServers(to chain: String) -> [Statements] {
        [(server: 67, client: 68), (547, 546)].map { ports in
            [.equal(.l4proto, 17), .equal(.sourcePort, ports.server), .equal(.destinationPort, ports.client), .verdict(.goto(chain))]
        }
    }

    /// Advertisement, and redirects of both families (RFC 792). Tracking makes a flow of none of them: the first is exempt
    /// (`noct_valid_new`, net/netfilter/nf_conntrack_proto_icmpv6.c), the second invalid, the third invalid or related.
    func routers(to chain: String) -> [Statements] {
        let messages: [(Family, UInt32)] = [(.v6, 134), (.v6, 137), (.v4, 5)]
        return messages.map { [.equal(.icmpType($0), $1), .verdict(.goto(chain))] }
    }

    /// Where a packet ends that none but a DHCP server or a router sends: one to others, and one to the host.
    package static let serving = [Named(.inet, "serving"), Named(.inet, "serving-host")]

    private var serving: Chain {
        Chain(Self.serving[0], body: [[.lookup([.iifname], in: "unfiltered"), .verdict(.accept)]] + denied(.out, by: .iifname))
    }

    /// What a pod is sent. What is related and goes back is an error alone.
    var received: [Statements] {
        [[.equal(.ctDirection, 1), .verdict(.goto("to-pod-reply"))]] + judgingExpected
            + judged(.in, .original, passing: "unfiltered")
            + refused(.in, by: .oifname)
    }

    private var toPodReply: Chain {
        Chain(Named(.inet, "to-pod-reply"), body: judged(.out, .reply, passing: "unfiltered") + denied(.in, by: .oifname))
    }

    /// A flow whose stamp is fresh passes. Any other gets a tentative stamp, before it is judged: a packet that is overtaken
    /// by a commit can then only leave an old stamp behind, never a fresh one that the old rules earned. Stamps are read
    /// and written only where the pod is an end of the flow.
    ///
    /// - Parameter refusing: what is refused whatever the rules say, and is of no flow that has a stamp.
    private func judged(_ flow: Flow, _ way: Way, refusing: [Statements] = [], passing: String? = nil) -> [Statements] {
        let link = Self.link(flow, way)
        return fresh(flow, link, marks.mask(of: flow.field)).map { [$0, .verdict(.accept)] }
            + refusing
            + (passing.map { [[.lookup([link], in: $0), .verdict(.accept)]] } ?? [])
            + (way == .original ? countingInvalid(flow) : [])
            + (way == .original && flow == .out ? refusingCrowds : [])
            + parties(link).map { $0 + [.dispatch([link], by: BaseSet.stamp(flow).name)] }
            + [[.verdict(.jump(Self.slots(flow, way).name))]]
    }

    /// Counted for the pod; for a link that no pod is bound to, just dropped.
    func denied(_ flow: Flow, by link: Selector) -> [Statements] {
        [[.lookup([link], in: BaseSet.denied(flow).name), .verdict(.drop)], [.verdict(.drop)]]
    }
}
