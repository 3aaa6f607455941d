/// One of the two address families.
package enum Family: Hashable, Sendable, CaseIterable, Comparable {
    case v4, v6

    /// Width of an address, in bits.
    package var bits: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }
}

extension Family {
    /// How names of sets and chains tell the families apart.
    package var digit: String { self == .v4 ? "4" : "6" }
}

extension Family: CustomStringConvertible {
    package var description: String {
        switch self {
        case .v4: "IPv4"
        case .v6: "IPv6"
        }
    }
}
