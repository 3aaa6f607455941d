/// What pods and neighbors add to a group that rules name as their remote: an element for each of their addresses.
///
/// Each member is a part of its own, so that one among ten thousand costs what one alone costs; ten thousand that come together share what
/// their sets are called.
struct MemberSets {
    private let v4: Named
    private let v6: Named

    init(of instance: GroupInstance) {
        let sets = RemoteSets(owner: .group(instance))
        v4 = sets.singles(.v4).id
        v6 = sets.singles(.v6).id
    }

    func entries(of member: IntentID, at addresses: [IPAddress]) -> [Entry] {
        addresses.map { address in
            Entry(.element(Element(address.family == .v4 ? v4 : v6, address.bytes)), because: member)
        }
    }
}

/// The sets of a remote group, and its ranges, which may overlap between members and so are made as one.
struct MembersPart {
    var instance: GroupInstance
    var ranges: [AddressRange]

    var entries: [Entry] { RemoteSets(owner: .group(instance)).entries(ranges: ranges, because: instance.because) }
}

/// An address group that rules name.
struct AddressGroupPart {
    var id: ID<AddressGroup>
    var cidrs: [Prefix]

    var entries: [Entry] {
        let sets = RemoteSets(owner: .addressGroup(id))
        let because = IntentID(.addressGroup, id.value)
        let (singles, ranges) = Self.divided(cidrs)
        let elements = singles.map { address in
            Entry(.element(Element(sets.singles(address.family).id, KeyBytes.of { $0.address(address) })), because: because)
        }
        return sets.entries(ranges: ranges, because: because) + elements
    }

    /// Single addresses apart from ranges; an address within a range is not told twice.
    static func divided(_ cidrs: [Prefix]) -> (singles: [IPAddress], ranges: [AddressRange]) {
        let ranges = Prefix.disjointUnion(cidrs.filter { !$0.isHost })
        let singles = Set(cidrs.filter(\.isHost).map(\.first)).filter { single in !ranges.contains { $0.contains(single) } }
        return (Array(singles), ranges)
    }
}

extension RemoteSets {
    /// The sets for single addresses always, those for ranges where there are any, with the ranges in them.
    fileprivate func entries(ranges: [AddressRange], because: IntentID) -> [Entry] {
        var entries = Family.allCases.map { Entry(.set(singles($0)), because: because) }
        for family in Family.allCases {
            let mine = ranges.filter { $0.family == family }
            guard !mine.isEmpty else { continue }
            let set = self.ranges(family)
            entries.append(Entry(.set(set), because: because))
            entries += mine.map { range in
                let bounds = (KeyBytes.of { $0.address(range.first) }, KeyBytes.of { $0.address(range.last) })
                let element = Element(set.id, bounds.0, through: bounds.1, isSingleField: true)
                return Entry(.element(element), because: because)
            }
        }
        return entries
    }
}
