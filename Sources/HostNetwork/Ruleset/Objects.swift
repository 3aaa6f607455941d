/// The families of tables that Hawser makes. Both tables are named `Marks.table`.
package enum TableFamily: Hashable, Sendable, Comparable, CaseIterable {
    case inet, arp

    package var text: String { self == .inet ? "inet" : "arp" }
}

/// The name of a chain or set, and its table's family.
package struct Named: Hashable, Sendable, Comparable {
    package var family: TableFamily
    package var name: String

    package init(_ family: TableFamily, _ name: String) {
        self.family = family
        self.name = name
    }

    package static func < (a: Self, b: Self) -> Bool { (a.family, a.name) < (b.family, b.name) }

    package var text: String { "\(family.text) \(Marks.table) \(name)" }
}

/// A chain with the rules that stand in it in a fixed order. Rules whose order doesn't matter come as `FilterRule`s.
package struct Chain: Hashable, Sendable {
    package enum Hook: Hashable, Sendable { case prerouting, input, forward, output }

    /// What makes a chain a base chain of type filter; its policy is accept.
    package struct Base: Hashable, Sendable {
        package var hook: Hook
        package var priority: Int32

        package init(_ hook: Hook, priority: Int32) {
            self.hook = hook
            self.priority = priority
        }
    }

    package var id: Named
    package var base: Base?
    package var body: [Statements]

    package init(_ id: Named, base: Base? = nil, body: [Statements] = []) {
        self.id = id
        self.base = base
        self.body = body
    }
}

/// A rule of a chain in which the order of rules doesn't matter.
package struct FilterRule: Hashable, Sendable {
    package var chain: Named
    package var statements: Statements

    package init(in chain: Named, _ statements: Statements) {
        self.chain = chain
        self.statements = statements
    }
}

/// A token bucket of packets: `limit rate R/second burst B packets` (nft(8)).
package struct PacketLimit: Hashable, Sendable {
    /// Packets a second.
    package var rate: UInt32
    /// Packets that may come at once.
    package var burst: UInt32

    package init(rate: UInt32, burst: UInt32) {
        self.rate = rate
        self.burst = burst
    }
}

/// A set, or a verdict map.
package struct NamedSet: Hashable, Sendable {
    package var id: Named
    package var key: [FieldType]
    /// Its elements are ranges in every field.
    package var isInterval: Bool
    /// Its elements map to verdicts.
    package var isMap: Bool
    /// Its elements count the packets and bytes that they match.
    package var counts: Bool
    /// An element is found only while more tracked flows than this have been looked up by it (`ct count over`); nil: always.
    package var crowd: UInt32?
    /// An element is found only as often as this; nil: always.
    package var limit: PacketLimit?

    package init(
        _ id: Named, _ key: [FieldType], isInterval: Bool = false, isMap: Bool = false, counts: Bool = false, crowd: UInt32? = nil,
        limit: PacketLimit? = nil
    ) {
        self.id = id
        self.key = key
        self.isInterval = isInterval
        self.isMap = isMap
        self.counts = counts
        self.crowd = crowd
        self.limit = limit
    }

    /// A single-field interval set lives in a tree and is told of ends by elements of their own; several fields make a
    /// concatenation whose elements carry both bounds (`NFTA_SET_ELEM_KEY_END`).
    package var isConcatenated: Bool { key.count > 1 }
}

/// An element of a set or map.
package struct Element: Hashable, Sendable {
    package var set: Named
    /// The key, or its lower bound: fields as the kernel's registers hold them, each padded to 4 bytes. A
    /// set's only field has its own length.
    package var key: [UInt8]
    /// The upper bound, included, of an interval set's element.
    package var end: [UInt8]?
    package var verdict: Verdict?
    /// Whether its set's key has one field, which decides on how a range is told to the kernel.
    package var isSingleField: Bool

    package init(_ set: Named, _ key: [UInt8], through end: [UInt8]? = nil, _ verdict: Verdict? = nil, isSingleField: Bool = false) {
        self.set = set
        self.key = key
        self.end = end
        self.verdict = verdict
        self.isSingleField = isSingleField
    }
}
