/// What one pod or neighbor adds to a group that rules name as their remote: an element for each of its addresses.
///
/// Each member is a part of its own, so that one among ten thousand costs what one alone costs.
struct MemberPart {
    var instance: GroupInstance
    var because: IntentID
    var addresses: [IPAddress]

    var entries: [Entry] {
        let sets = RemoteSets(owner: .group(instance))
        return addresses.map { address in
            Entry(.element(Element(sets.singles(address.family).id, KeyBytes.of { $0.address(address) })), because: because)
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
