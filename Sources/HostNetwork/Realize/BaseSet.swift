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
    /// The direction's name in nft(8).
    package var text: String { self == .original ? "original" : "reply" }
}

/// The sets and maps that hold all that is particular to a pod. A pod has no chain of its own: adding a jump makes the
/// kernel walk every chain again, so it costs more the more chains and rules there are.
package enum BaseSet: Hashable, Sendable {
    /// Link, MAC and address of who may send: exact, or ranges of addresses.
    case own(TableFamily, Family, ranges: Bool)
    /// Links of pods without port security.
    case unfiltered(TableFamily)
    /// Link and address of the pod behind it.
    case party(Family)
    /// Links of pods that may send fragments, so many a second; nil: any number.
    case fragments(PacketLimit?)
    /// Links that may make the host resolve a neighbor, so many times a second.
    case discovery(TableFamily)
    /// Link of a router, and the two ends of the flows that it forwards.
    case way(Family)
    /// Link and stamp of the binding in force.
    case fresh(Flow)
    /// Link, address of the pod behind it, and stamp of its binding in force.
    case freshAt(Flow, Family)
    /// Link → a chain that stamps its epoch, tentatively.
    case stamp(Flow)
    /// Link → its n-th group's chain, counted from 1.
    case slot(Flow, Way, Int)
    /// Links, each counting what it was denied.
    case denied(Flow)
    /// Links, each counting the ARP messages that it was denied.
    case deniedARP
    /// Links, each counting what tracking could make nothing of.
    case invalid(Flow)
    /// Links whose pods have more tracked flows than so many.
    case crowded(UInt32)
    /// Links, each counting the flows that were one too many.
    case surplus

    package var set: NamedSet {
        switch self {
        case .own(let table, let family, let ranges):
            return NamedSet(Named(table, name), [.ifname, .etherAddress, Self.address(family)], isInterval: ranges)
        case .unfiltered(let table): return NamedSet(Named(table, name), [.ifname])
        case .party(let family): return NamedSet(id, [.ifname, Self.address(family)])
        case .fragments(let limit): return NamedSet(id, [.ifname], limit: limit)
        case .discovery: return NamedSet(id, [.ifname], limit: Self.discoveryLimit)
        case .way(let family):
            return NamedSet(id, [.ifname, Self.address(family), Self.address(family)], isInterval: true)
        case .fresh: return NamedSet(id, [.ifname, .mark])
        case .freshAt(_, let family): return NamedSet(id, [.ifname, Self.address(family), .mark])
        case .stamp, .slot: return NamedSet(id, [.ifname], isMap: true)
        case .denied, .deniedARP, .invalid, .surplus: return NamedSet(id, [.ifname], counts: true)
        case .crowded(let most): return NamedSet(id, [.ifname], crowd: most)
        }
    }

    package var id: Named {
        switch self {
        case .own(let table, _, _), .unfiltered(let table), .discovery(let table): Named(table, name)
        case .deniedARP: Named(.arp, name)
        default: Named(.inet, name)
        }
    }

    package var name: String {
        switch self {
        case .own(_, let family, let ranges): "own-\(family.digit)\(ranges ? "-ranges" : "")"
        case .unfiltered: "unfiltered"
        case .party(let family): "party-\(family.digit)"
        // Another limit is another set: the kernel can't change what a set's elements do.
        case .fragments(let limit): limit.map { "fragments-\($0.rate)" } ?? "fragments"
        case .discovery: "discovery"
        case .way(let family): "ways-\(family.digit)"
        case .fresh(let flow): "fresh-\(flow.text)"
        case .freshAt(let flow, let family): "fresh-\(flow.text)-\(family.digit)"
        case .stamp(let flow): "stamp-\(flow.text)"
        case .slot(let flow, let way, let number): "\(flow.text)-\(number)\(way.suffix)"
        case .denied(let flow): "denied-\(flow.text)"
        case .deniedARP: "denied-out"
        case .invalid(let flow): "invalid-\(flow.text)"
        // Another limit is another set: the kernel can't change what a set's elements do.
        case .crowded(let most): "crowded-\(most)"
        case .surplus: "surplus"
        }
    }

    /// The set that an element is in, if it is one of these.
    package init?(holding element: Element) { self.init(element.set) }

    package init?(_ id: Named) {
        // Of tens of thousands of elements nearly all are in groups' sets, whose names are longer.
        guard id.name.utf8.count < 20 else { return nil }
        switch id.name {
        case "own-4": self = .own(id.family, .v4, ranges: false)
        case "own-6": self = .own(id.family, .v6, ranges: false)
        case "own-4-ranges": self = .own(id.family, .v4, ranges: true)
        case "own-6-ranges": self = .own(id.family, .v6, ranges: true)
        case "unfiltered": self = .unfiltered(id.family)
        case "party-4": self = .party(.v4)
        case "party-6": self = .party(.v6)
        case "ways-4": self = .way(.v4)
        case "ways-6": self = .way(.v6)
        case "discovery": self = .discovery(id.family)
        case "fragments": self = .fragments(nil)
        case let name where name.hasPrefix("fragments-"):
            guard let rate = UInt32(name.dropFirst("fragments-".count)) else { return nil }
            self = .fragments(PacketLimit(fragments: rate))
        case "fresh-out": self = .fresh(.out)
        case "fresh-in": self = .fresh(.in)
        case "fresh-out-4": self = .freshAt(.out, .v4)
        case "fresh-out-6": self = .freshAt(.out, .v6)
        case "fresh-in-4": self = .freshAt(.in, .v4)
        case "fresh-in-6": self = .freshAt(.in, .v6)
        case "stamp-out": self = .stamp(.out)
        case "stamp-in": self = .stamp(.in)
        case "denied-out": self = id.family == .arp ? .deniedARP : .denied(.out)
        case "denied-in": self = .denied(.in)
        case "invalid-out": self = .invalid(.out)
        case "invalid-in": self = .invalid(.in)
        case "surplus": self = .surplus
        case let name where name.hasPrefix("crowded-"):
            guard let most = UInt32(name.dropFirst("crowded-".count)) else { return nil }
            self = .crowded(most)
        default:
            let parts = id.name.split(separator: "-", omittingEmptySubsequences: false)
            guard let flow = parts.first.flatMap({ word in Flow.allCases.first { $0.text == word } }),
                parts.count == 2 || (parts.count == 3 && parts[2] == "reply"),
                let number = Int(parts[1])
            else { return nil }
            self = .slot(flow, parts.count == 3 ? .reply : .original, number)
        }
    }

    private static func address(_ family: Family) -> FieldType { family == .v4 ? .ipv4Address : .ipv6Address }

    /// Enough for a pod that looks for its router. The machine has one table of neighbors for all namespaces, of 1,024
    /// entries, from which those younger than 5 s can't be evicted (`neigh_forced_gc`, net/core/neighbour.c).
    static let discoveryLimit = PacketLimit(rate: 2, burst: 10)

    /// The sets that are there from the first moment on; slots come with the pods that need them.
    static let always: [BaseSet] =
        [.own(.inet, .v4, ranges: false), .own(.inet, .v6, ranges: false), .own(.inet, .v4, ranges: true), .own(.inet, .v6, ranges: true)]
        + [.own(.arp, .v4, ranges: false), .own(.arp, .v4, ranges: true), .unfiltered(.inet), .unfiltered(.arp)]
        + [.party(.v4), .party(.v6), .way(.v4), .way(.v6), .discovery(.inet), .discovery(.arp), .deniedARP]
        + Flow.allCases.flatMap { [.fresh($0), .stamp($0), .denied($0), .invalid($0)] }
        + Flow.allCases.flatMap { flow in Family.allCases.map { .freshAt(flow, $0) } }
}

extension Element {
    /// The link that the first field of a base set's element names.
    package var link: LinkName? {
        guard BaseSet(set) != nil, key.count >= 16 else { return nil }
        return LinkName(reported: String(decoding: key.prefix(16).prefix { $0 != 0 }, as: UTF8.self))
    }
}

extension PacketLimit {
    /// Fragments of a pod: the burst carries a few datagrams of 64 KiB.
    package init(fragments rate: UInt32) { self.init(rate: rate, burst: rate * 10) }
}
