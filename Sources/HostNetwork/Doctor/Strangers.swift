/// What other programs have in one network namespace beside which rules and revocations may not hold; as far
/// as it was read.
package struct Strangers: Hashable, Sendable {
    /// The place of a rule, as `nft -a` names it.
    package struct Place: Hashable, Sendable, CustomStringConvertible {
        package var family: String
        package var table: String
        package var chain: String
        package var handle: UInt64

        package init(family: String, table: String, chain: String, handle: UInt64) {
            self.family = family
            self.table = table
            self.chain = chain
            self.handle = handle
        }

        package var description: String { "table \(family) \(table), chain \(chain), handle \(handle)" }
    }

    /// A rule that changes bits of flows' marks.
    package struct Marker: Hashable, Sendable {
        package var place: Place
        package var changes: UInt32

        package init(_ place: Place, changes: UInt32) {
            self.place = place
            self.changes = changes
        }
    }

    /// A rule that adds flows to a flowtable.
    package struct Offloader: Hashable, Sendable {
        package var place: Place
        package var flowtable: String

        package init(_ place: Place, to flowtable: String) {
            self.place = place
            self.flowtable = flowtable
        }
    }

    /// A flowtable: its flows go from device to device, and past the hook `forward`.
    package struct Flowtable: Hashable, Sendable {
        package var family: String
        package var table: String
        package var name: String
        package var devices: [String]

        package init(family: String, table: String, name: String, devices: [String]) {
            self.family = family
            self.table = table
            self.name = name
            self.devices = devices
        }
    }

    package var markers = Sample<Marker>()
    package var offloaders = Sample<Offloader>()
    package var flowtables = Sample<Flowtable>()
    /// The services of IPVS; nil where the kernel has none.
    package var services: VirtualServices?
    /// Why not all was read; nil: it was.
    package var unread: String?

    package init() {}
}

/// As many of a kind as somebody can look at, and how many there are.
package struct Sample<Element: Hashable & Sendable>: Hashable, Sendable {
    package private(set) var some: [Element] = []
    package private(set) var count = 0

    package init() {}

    package mutating func add(_ element: Element) {
        count += 1
        if some.count < 20 { some.append(element) }
    }
}
