/// A transport protocol by its number; 0 doesn't exist here, because in a rule it means any (which is nil).
package struct IPProtocol: Hashable, Sendable {
    /// 1–255 (IANA, "Assigned Internet Protocol Numbers").
    package let number: UInt8

    /// Nil for 0.
    package init?(_ number: UInt8) {
        guard number != 0 else { return nil }
        self.number = number
    }

    /// Reads a name in any case, or a number from 1 to 255.
    package init?(named text: some StringProtocol) {
        let name = text.lowercased()
        guard let number = Self.numbers[name] ?? UInt8(strictDecimal: Array(name.utf8)[...]) else { return nil }
        self.init(number)
    }

    private init(known number: UInt8) { self.number = number }

    package static let icmp = IPProtocol(known: 1)
    package static let tcp = IPProtocol(known: 6)
    package static let udp = IPProtocol(known: 17)
    package static let dccp = IPProtocol(known: 33)
    package static let icmpv6 = IPProtocol(known: 58)
    package static let sctp = IPProtocol(known: 132)
    package static let udplite = IPProtocol(known: 136)

    /// Whether its packets begin with a source and a destination port.
    package var hasPorts: Bool { Self.withPorts.contains(self) }
    package static let withPorts: [IPProtocol] = [.tcp, .udp, .sctp, .dccp, .udplite]

    /// Whether its packets begin with a type and a code.
    package var isICMP: Bool { self == .icmp || self == .icmpv6 }

    /// The family in which alone it exists; nil for both. IPv6's as in Neutron, encapsulated IPv6 (41) included.
    package var onlyFamily: Family? {
        switch number {
        case 1: .v4
        case 41, 43, 44, 58, 59, 60: .v6
        default: nil
        }
    }

    /// The same protocol as it is called in `family`: ICMP with IPv6 is ICMPv6.
    package func spoken(in family: Family?) -> IPProtocol { self == .icmp && family == .v6 ? .icmpv6 : self }

    /// The names that people may use; a number's first name is the one that is printed.
    package static let names: [(name: String, number: UInt8)] = [
        ("icmp", 1), ("igmp", 2), ("ipip", 4), ("tcp", 6), ("egp", 8), ("udp", 17), ("dccp", 33), ("ipv6-encap", 41), ("ipv6-route", 43),
        ("ipv6-frag", 44), ("rsvp", 46), ("gre", 47), ("esp", 50), ("ah", 51), ("icmpv6", 58), ("ipv6-icmp", 58), ("ipv6-nonxt", 59),
        ("ipv6-opts", 60), ("ospf", 89), ("vrrp", 112), ("pgm", 113), ("sctp", 132), ("udplite", 136),
    ]
    private static let numbers = Dictionary(uniqueKeysWithValues: names.map { ($0.name, $0.number) })
}

extension IPProtocol: Comparable {
    package static func < (left: IPProtocol, right: IPProtocol) -> Bool { left.number < right.number }
}

/// Its name, or its number where it has none.
extension IPProtocol: CustomStringConvertible {
    package var description: String { Self.names.first { $0.number == number }?.name ?? String(number) }
}
