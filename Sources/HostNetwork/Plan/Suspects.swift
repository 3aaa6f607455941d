/// What of a routing domain may be other than believed, for somebody else has touched it.
package struct Suspects: Hashable, Sendable {
    /// Pairs and tunnels, with all that is on them, at both ends.
    package var links: Set<LinkName> = []
    /// Pairs of which only the ends inside of pods are suspected.
    package var sides: Set<LinkName> = []
    /// Routes of Hawser's out of interfaces that aren't.
    package var elsewhere = false
    /// Chains and sets, with what is in them.
    package var holders: Set<Named> = []
    /// Whole tables.
    package var tables: Set<TableFamily> = []
    /// Links that have lost their mark, by the number by which they were known to be Hawser's.
    package var unmarked: [LinkName: Int32] = [:]
    /// Destinations that others' routes have taken the place of Hawser's to.
    package var usurped: Set<Prefix> = []

    package init() {}

    package init(links: Set<LinkName>) { self.links = links }

    package init(sides: Set<LinkName>) { self.sides = sides }

    package var isEmpty: Bool { !concernsLinks && !concernsRuleset }
    package var concernsLinks: Bool { !links.isEmpty || !sides.isEmpty || elsewhere }
    package var concernsRuleset: Bool { !holders.isEmpty || !tables.isEmpty }

    package mutating func formUnion(_ other: Suspects) {
        links.formUnion(other.links)
        sides.formUnion(other.sides)
        elsewhere = elsewhere || other.elsewhere
        holders.formUnion(other.holders)
        tables.formUnion(other.tables)
        unmarked.merge(other.unmarked) { $1 }
        usurped.formUnion(other.usurped)
    }

    package func covers(_ object: Object) -> Bool {
        if let holder = object.holder ?? object.container { return holders.contains(holder) || tables.contains(holder.family) }
        if let link = object.link { return links.contains(link) || (sides.contains(link) && object.key.isOfSide) }
        if case .table(let family) = object { return tables.contains(family) }
        return elsewhere
    }
}

extension Object.Key {
    /// Whether a look at a pod's end tells of it: a pair is both of its ends.
    fileprivate var isOfSide: Bool { if case .link = self { true } else { isInside } }
}

extension HostState {
    /// What is believed to be there of the suspects.
    package func keys(of suspects: Suspects) -> Set<Object.Key> {
        var result = suspects.links.reduce(into: Set<Object.Key>()) { $0.formUnion(keys(on: $1)) }
        for link in suspects.sides { result.formUnion(keys(on: link).filter(\.isOfSide)) }
        guard suspects.elsewhere || suspects.concernsRuleset else { return result }
        for (key, entry) in entries where suspects.covers(entry.object) { result.insert(key) }
        return result
    }

    /// What is different in another state from what this one believes.
    package func differences(to found: HostState) -> [Difference] {
        keys(differingFrom: found).compactMap { key in
            entries[key].map { Difference($0, found[key].map { .changed(to: $0) } ?? .missing) }
                ?? found.entries[key].map { Difference($0, .extra) }
        }.sorted()
    }

    /// Believes of the suspects what was found of them, and answers what is different from what was believed. An object that is found as it is
    /// wanted is taken from `desired`, which both hold then.
    package mutating func take(_ found: HostState, of suspects: Suspects, expecting desired: HostState) -> [Difference] {
        var suspects = suspects
        // With a pair goes all that is on it, at either end.
        suspects.links.formUnion(suspects.sides.filter { found[.link($0)] == nil })
        var differences: [Difference] = []
        for key in keys(of: suspects).union(found.entries.keys) {
            let (before, after) = (entries[key], found.entries[key])
            guard before != after else { continue }
            switch (before, after) {
            case (let before?, nil):
                differences.append(Difference(before, .missing))
                remove(key)
            case (let before, let after?):
                let entry = desired.entries[key].flatMap { $0 == after ? $0 : nil } ?? after
                differences.append(before.map { Difference($0, .changed(to: after.object)) } ?? Difference(entry, .extra))
                insert(entry)
            case (nil, nil): continue
            }
        }
        return differences.sorted()
    }
}
