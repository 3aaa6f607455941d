/// The kinds of resources, in the order in which they are taken in: each kind leans only on the ones before it.
package enum Kind: String, Hashable, Sendable, CaseIterable {
    case network, addressGroup, securityGroup, pod, neighbor, elasticIP

    /// By its rank: a raw value that is text would be hashed and compared as text, with every `IntentID`.
    package func hash(into hasher: inout Hasher) { hasher.combine(rank) }
    package static func == (left: Kind, right: Kind) -> Bool { left.rank == right.rank }

    /// As people say it: "security group".
    package var words: String {
        switch self {
        case .addressGroup: "address group"
        case .securityGroup: "security group"
        case .elasticIP: "elastic IP"
        case .network, .pod, .neighbor: rawValue
        }
    }

    /// Reads a kind as people type it: any case, with or without hyphens, spaces or underscores, singular or plural; `group` and `port` too.
    package init?(named text: some StringProtocol) {
        var plain = text.lowercased().filter { $0 != "-" && $0 != "_" && $0 != " " }
        if plain.hasSuffix("s") { plain.removeLast() }
        switch plain {
        case "group": self = .securityGroup
        case "port": self = .pod
        default:
            guard let kind = Kind.allCases.first(where: { $0.rawValue.lowercased() == plain }) else { return nil }
            self = kind
        }
    }
}

extension Kind: Comparable {
    package static func < (left: Kind, right: Kind) -> Bool { left.rank < right.rank }

    private var rank: UInt8 {
        switch self {
        case .network: 0
        case .addressGroup: 1
        case .securityGroup: 2
        case .pod: 3
        case .neighbor: 4
        case .elasticIP: 5
        }
    }
}
