/// Which half of a pod's policy.
package enum Flow: Hashable, Sendable, CaseIterable {
    /// Flows that the pod opens: its groups' egress rules, and the sender's field of the mark.
    case out
    /// Flows that others open to it: its groups' ingress rules, and the receiver's field.
    case `in`

    package init(_ direction: Rule.Direction) { self = direction == .egress ? .out : .in }

    package var field: MarkLayout.Field { self == .out ? .sender : .receiver }
    package var text: String { self == .out ? "out" : "in" }
    package var direction: Rule.Direction { self == .out ? .egress : .ingress }
}

/// Whether a packet goes the way that opened its flow, or back.
package enum Way: Hashable, Sendable, CaseIterable {
    case original, reply

    package var suffix: String { self == .original ? "" : "-reply" }
}

/// The sets and maps that hold all that is particular to a pod. A pod has no chain of its own: adding a jump makes the
/// kernel walk every chain again, so it costs more the more chains and rules there are.
package enum BaseSet: Hashable, Sendable {
    /// Link, MAC and address of who may send: exact, or ranges of addresses.
    case own(TableFamily, Family, ranges: Bool)
    /// Links of pods without port security.
    case unfiltered(TableFamily)
    /// Link and stamp of the binding in force.
    case fresh(Flow)
    /// Link → a chain that stamps its epoch, tentatively.
    case stamp(Flow)
    /// Link → its n-th group's chain, counted from 1.
    case slot(Flow, Way, Int)
    /// Links, each counting what it was denied.
    case denied(Flow)
    /// Links, each counting what tracking could make nothing of.
    case invalid(Flow)

    package var set: NamedSet {
        switch self {
        case .own(let table, let family, let ranges):
            let address: FieldType = family == .v4 ? .ipv4Address : .ipv6Address
            return NamedSet(Named(table, name), [.ifname, .etherAddress, address], isInterval: ranges)
        case .unfiltered(let table): return NamedSet(Named(table, name), [.ifname])
        case .fresh: return NamedSet(id, [.ifname, .mark])
        case .stamp, .slot: return NamedSet(id, [.ifname], isMap: true)
        case .denied, .invalid: return NamedSet(id, [.ifname], counts: true)
        }
    }

    package var id: Named {
        switch self {
        case .own(let table, _, _), .unfiltered(let table): Named(table, name)
        default: Named(.inet, name)
        }
    }

    package var name: String {
        switch self {
        case .own(_, let family, let ranges): "own-\(family.digit)\(ranges ? "-ranges" : "")"
        case .unfiltered: "unfiltered"
        case .fresh(let flow): "fresh-\(flow.text)"
        case .stamp(let flow): "stamp-\(flow.text)"
        case .slot(let flow, let way, let number): "\(flow.text)-\(number)\(way.suffix)"
        case .denied(let flow): "denied-\(flow.text)"
        case .invalid(let flow): "invalid-\(flow.text)"
        }
    }

    /// The set that an element is in, if it is one of these.
    package init?(holding element: Element) { self.init(element.set) }

    package init?(_ id: Named) {
        // Of tens of thousands of elements nearly all are in groups' sets, whose names are longer.
        guard id.name.utf8.count < 16 else { return nil }
        switch id.name {
        case "own-4": self = .own(id.family, .v4, ranges: false)
        case "own-6": self = .own(id.family, .v6, ranges: false)
        case "own-4-ranges": self = .own(id.family, .v4, ranges: true)
        case "own-6-ranges": self = .own(id.family, .v6, ranges: true)
        case "unfiltered": self = .unfiltered(id.family)
        case "fresh-out": self = .fresh(.out)
        case "fresh-in": self = .fresh(.in)
        case "stamp-out": self = .stamp(.out)
        case "stamp-in": self = .stamp(.in)
        case "denied-out": self = .denied(.out)
        case "denied-in": self = .denied(.in)
        case "invalid-out": self = .invalid(.out)
        case "invalid-in": self = .invalid(.in)
        default:
            let parts = id.name.split(separator: "-", omittingEmptySubsequences: false)
            guard let flow = parts.first.flatMap({ word in Flow.allCases.first { $0.text == word } }),
                parts.count == 2 || (parts.count == 3 && parts[2] == "reply"),
                let number = Int(parts[1])
            else { return nil }
            self = .slot(flow, parts.count == 3 ? .reply : .original, number)
        }
    }

    /// The sets that are there from the first moment on; slots come with the pods that need them.
    static let always: [BaseSet] =
        [.own(.inet, .v4, ranges: false), .own(.inet, .v6, ranges: false), .own(.inet, .v4, ranges: true), .own(.inet, .v6, ranges: true)]
        + [.own(.arp, .v4, ranges: false), .own(.arp, .v4, ranges: true), .unfiltered(.inet), .unfiltered(.arp)]
        + Flow.allCases.flatMap { [.fresh($0), .stamp($0), .denied($0), .invalid($0)] }
}

extension Element {
    /// The link that the first field of a base set's element names.
    package var link: LinkName? {
        guard BaseSet(set) != nil, key.count >= 16 else { return nil }
        return LinkName(reported: String(decoding: key.prefix(16).prefix { $0 != 0 }, as: UTF8.self))
    }
}
