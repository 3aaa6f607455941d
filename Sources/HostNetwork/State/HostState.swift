/// What Hawser's share of a host is: one type for what is wanted and for what is there.
package struct HostState: Sendable {
    package private(set) var entries: [Object.Key: Entry] = [:]
    /// How many elements and rules each set and chain holds, so that one that goes empty costs no search.
    private var contents: [Named: Int] = [:]
    /// What is on each link, the link itself included.
    private var belongings: [LinkName: Set<Object.Key>] = [:]

    package init() {}

    package init(_ entries: some Sequence<Entry>) {
        self.entries.reserveCapacity(entries.underestimatedCount)
        for entry in entries { insert(entry) }
    }

    package mutating func insert(_ entry: Entry) {
        let key = entry.object.key
        if let old = entries.updateValue(entry, forKey: key) {
            // The host's route to an address may lead to another link than before; all else has its place in its key.
            guard old.object.link != entry.object.link else { return }
            forget(old.object, key)
        }
        if let container = entry.object.container { contents[container, default: 0] += 1 }
        if let link = entry.object.link { belongings[link, default: []].insert(key) }
    }

    /// Puts it in unless another has its key, which is answered then.
    mutating func insert(new entry: Entry, _ key: Object.Key) -> Entry? {
        // One search, and not another to put it there.
        func fill(_ place: inout Entry?) -> Entry? {
            guard place == nil else { return place }
            place = entry
            return nil
        }
        if let there = fill(&entries[key]) { return there }
        if let container = entry.object.container { contents[container, default: 0] += 1 }
        if let link = entry.object.link { belongings[link, default: []].insert(key) }
        return nil
    }

    /// Takes the other's entries where they say the same: then both hold one and not one each.
    package mutating func share(with other: HostState) {
        for (key, entry) in other.entries {
            if let place = entries.index(forKey: key), entries.values[place] == entry { entries.values[place] = entry }
        }
    }

    /// The keys of what is in one of them only, or isn't the same in both.
    package func keys(differingFrom other: HostState) -> Set<Object.Key> {
        var keys: Set<Object.Key> = []
        var same = 0
        for (key, entry) in other.entries { if entries[key] == entry { same += 1 } else { keys.insert(key) } }
        if same < entries.count { for key in entries.keys where other.entries[key] == nil { keys.insert(key) } }
        return keys
    }

    /// Takes away this alone.
    package mutating func remove(_ key: Object.Key) {
        if let old = entries.removeValue(forKey: key) { forget(old.object, key) }
    }

    private mutating func forget(_ object: Object, _ key: Object.Key) {
        if let container = object.container {
            let count = contents[container, default: 1] - 1
            contents[container] = count > 0 ? count : nil
        }
        if let link = object.link {
            belongings[link]?.remove(key)
            if belongings[link]?.isEmpty ?? false { belongings[link] = nil }
        }
    }

    /// Whether a set or chain holds anything.
    func isEmpty(_ container: Named) -> Bool { contents[container] == nil }

    /// The keys of a link and of all that is on it.
    package func keys(on link: LinkName) -> Set<Object.Key> { belongings[link] ?? [] }

    package subscript(key: Object.Key) -> Object? { entries[key]?.object }

    package func contains(_ object: Object) -> Bool { entries[object.key]?.object == object }

    package var links: some Sequence<Link> {
        entries.values.lazy.compactMap { if case .link(let link) = $0.object { link } else { nil } }
    }
}

extension HostState: Hashable {
    package static func == (a: Self, b: Self) -> Bool { a.entries == b.entries }
    package func hash(into hasher: inout Hasher) { hasher.combine(entries) }
}
