/// A packet as rules see it: what it is, where it comes by and leaves by, and the tracked flow that it belongs to.
package struct Packet: Hashable, Sendable {
    /// An interface of the host.
    package struct Interface: Hashable, Sendable {
        package var name: LinkName
        /// `IFLA_GROUP` (linux/if_link.h).
        package var group: UInt32

        package init(name: LinkName, group: UInt32) {
            self.name = name
            self.group = group
        }

        /// The host side of a pod's pair.
        package init(of pod: ID<Pod>) { self.init(name: LinkName(of: pod), group: Marks.linkGroup) }
    }

    package enum Content: Hashable, Sendable {
        case ip(source: IPAddress, destination: IPAddress, Transport)
        case arp(sender: MAC, IPAddress)
    }

    package enum Transport: Hashable, Sendable {
        case ports(IPProtocol, source: UInt16, destination: UInt16)
        /// ICMP or ICMPv6, whichever speaks the packet's family.
        case icmp(type: UInt8, code: UInt8)
        /// Any other protocol, by its number.
        case other(UInt8)
    }

    /// What connection tracking knows of it.
    package enum Tracking: Hashable, Sendable {
        /// Nothing, for it is exempt: neighbor discovery is (`nf_conntrack_icmpv6.c`), and what a rule says so of.
        case none
        /// It belongs to no flow and can't begin one (INVALID).
        case invalid
        /// The way that it goes in its flow, and the flow's mark.
        case flow(Way, mark: UInt32)
    }

    package var hook: Chain.Hook
    package var incoming: Interface?
    package var outgoing: Interface?
    package var etherSource: MAC?
    package var content: Content
    package var tracking: Tracking

    package init(
        _ hook: Chain.Hook, from incoming: Interface? = nil, to outgoing: Interface? = nil, etherSource: MAC? = nil, _ content: Content,
        _ tracking: Tracking = .flow(.original, mark: 0)
    ) {
        self.hook = hook
        self.incoming = incoming
        self.outgoing = outgoing
        self.etherSource = etherSource
        self.content = content
        self.tracking = tracking
    }

    /// The family of the tables that see it.
    package var table: TableFamily { if case .arp = content { .arp } else { .inet } }

    /// The mark of its flow; nil for a packet that isn't tracked.
    package var mark: UInt32? {
        get { if case .flow(_, let mark) = tracking { mark } else { nil } }
        set { if case .flow(let way, _) = tracking, let newValue { tracking = .flow(way, mark: newValue) } }
    }
}
