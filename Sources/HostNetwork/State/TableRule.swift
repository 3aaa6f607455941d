/// A table of routes (`RTA_TABLE`, linux/rtnetlink.h).
package struct RouteTable: Hashable, Sendable {
    package let number: UInt32

    /// As the kernel reports it.
    package init(reported number: UInt32) { self.number = number }

    /// That which every packet is looked up in (`RT_TABLE_MAIN`).
    package static let main = RouteTable(reported: 254)

    /// A subnet's, for what its pods send: a hash, in a range that no tool uses by itself.
    package init(of subnet: String, in network: ID<Network>) {
        number = 0x4000_0000 | UInt32(truncatingIfNeeded: StableHash.mixed("\(network)/\(subnet)")) & 0x3fff_ffff
    }
}

/// Which table a packet's way is looked up in (`ip rule`; `struct fib_rule_hdr`, linux/fib_rules.h): one of the rules that stand before
/// the main table's.
package struct TableRule: Hashable, Sendable {
    package enum Match: Hashable, Sendable {
        /// Its source.
        case source(Prefix)
        /// The interface that it comes by, in a family.
        case link(LinkName, Family)
    }

    package enum Action: Hashable, Sendable {
        case look(RouteTable)
        /// Past all other rules of Hawser's, to that of the main table.
        case main
    }

    package var match: Match
    package var action: Action
    /// The lowest comes first.
    package var priority: UInt32

    package init(_ match: Match, _ action: Action, priority: UInt32) {
        self.match = match
        self.action = action
        self.priority = priority
    }

    package var family: Family {
        switch match {
        case .source(let prefix): prefix.family
        case .link(_, let family): family
        }
    }

    /// Of the rules for next hops: their own subnet's table, and then the main one.
    package static let own: UInt32 = 26741
    package static let past: UInt32 = 26742
    /// Of a subnet's rule: 0x6877, "hw" in ASCII.
    package static let subnet: UInt32 = 26743
    /// Of the kernel's own rule about the main table (`fib_default_rules_init`, net/ipv4/fib_rules.c).
    package static let ofMain: UInt32 = 32766
}
