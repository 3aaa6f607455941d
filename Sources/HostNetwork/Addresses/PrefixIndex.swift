/// Prefixes and their owners. Finds what overlaps a prefix without looking at all of them.
struct PrefixIndex<Owner: Hashable & Comparable & Sendable>: Hashable, Sendable {
    private var owners: [Prefix: Set<Owner>] = [:]
    /// Each once, in order: the prefixes inside of another one stand together.
    private var sorted: [Prefix] = []
    /// How many there are of each length, by family.
    private var lengths: [Family: [Int: Int]] = [:]

    mutating func insert(_ owner: Owner, at prefix: Prefix) {
        guard owners[prefix] == nil else {
            owners[prefix]?.insert(owner)
            return
        }
        owners[prefix] = [owner]
        sorted.insert(prefix, at: place(of: prefix))
        lengths[prefix.family, default: [:]][prefix.length, default: 0] += 1
    }

    mutating func remove(_ owner: Owner, at prefix: Prefix) {
        guard owners[prefix]?.remove(owner) != nil, owners[prefix]?.isEmpty == true else { return }
        owners[prefix] = nil
        sorted.remove(at: place(of: prefix))
        let left = (lengths[prefix.family]?[prefix.length] ?? 1) - 1
        lengths[prefix.family]?[prefix.length] = left == 0 ? nil : left
        if lengths[prefix.family]?.isEmpty == true { lengths[prefix.family] = nil }
    }

    /// Returns the widest one that overlaps `prefix` and has an owner for which `isWanted` holds; nil for none.
    func first(overlapping prefix: Prefix, where isWanted: (Owner) -> Bool = { _ in true }) -> (prefix: Prefix, owner: Owner)? {
        // Prefixes are apart or nested: what overlaps is one of those that hold it, or is inside of it.
        for length in (lengths[prefix.family] ?? [:]).keys.sorted() where length <= prefix.length {
            guard let wider = Prefix(prefix.address, length: length), let owner = owner(of: wider, isWanted) else { continue }
            return (wider, owner)
        }
        for inner in sorted[place(of: prefix)...] {
            guard prefix.contains(inner) else { break }
            if let owner = owner(of: inner, isWanted) { return (inner, owner) }
        }
        return nil
    }

    private func owner(of prefix: Prefix, _ isWanted: (Owner) -> Bool) -> Owner? { owners[prefix]?.filter(isWanted).min() }

    /// Returns where it stands, or would stand.
    private func place(of prefix: Prefix) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < prefix { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
