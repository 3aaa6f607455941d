/// A kind of resource, as programs spell it and as people may type it.
package enum ResourceKind: String, Codable, Hashable, Sendable, CaseIterable {
    case network, securityGroup, addressGroup, pod, neighbor, elasticIP

    /// Reads a kind in any case, singular or plural, with or without hyphens: "Security-Groups", "group", "ports".
    package init?(spoken text: String) {
        let plain = text.lowercased().filter { $0 != "-" && $0 != "_" }
        let singular = plain.hasSuffix("s") ? String(plain.dropLast()) : plain
        switch singular {
        case "group": self = .securityGroup
        case "port": self = .pod
        default:
            guard let kind = Self.allCases.first(where: { $0.rawValue.lowercased() == singular }) else { return nil }
            self = kind
        }
    }

    /// The kinds as an error message lists them.
    package static var spelled: String {
        allCases.map(\.rawValue).joined(separator: ", ") + " (also group, port, plurals)"
    }
}
