/// The share of the desired state that one thing is the reason of, so that a change re-derives only what it touches.
package enum Part: Hashable, Sendable {
    case base
    /// The subnets of the networks that pods are attached to.
    case subnets
    case pod(ID<Pod>)
    /// A group that an attached pod is bound to.
    case group(GroupInstance)
    /// A group that such a group's rules name as their remote.
    case members(GroupInstance)
    case member(GroupInstance, IntentID)
    case addressGroup(ID<AddressGroup>)
    case tunnels(ID<Network>)
    /// What leads to a pod on another host.
    case neighbor(ID<Neighbor>)
    case routes(ID<Network>)
}

/// The desired state as the union of its parts: an object is there while any part claims it.
package struct Claims: Sendable {
    package private(set) var state = HostState()
    private var parts: [Part: [Entry]] = [:]
    /// How many parts claim an object, where it is more than one.
    private var shared: [Object.Key: Int] = [:]
    /// Claims to the key of another object: a pod and a neighbor, while one becomes the other, ask for a route to the same address.
    private var rivals: [Object.Key: [Entry]] = [:]
    /// The parts whose chains and sets these are.
    private var owners: [Named: Part] = [:]

    package init() {}

    package func owner(of id: Named) -> Part? { owners[id] }

    package func contains(_ part: Part) -> Bool { parts[part] != nil }

    package func entries(of part: Part) -> [Entry] { parts[part] ?? [] }

    /// Makes `entries` the whole of a part, and adds the keys of all objects that this may have changed to `touched`, some of them more than once.
    package mutating func set(_ part: Part, to entries: [Entry], touched: inout [Object.Key]) {
        let old = parts[part] ?? []
        if old.isEmpty {
            guard !entries.isEmpty else { return }
            for entry in entries {
                claim(entry, for: part)
                touched.append(entry.object.key)
            }
            parts[part] = entries
            return
        }
        // Most of a large part stays as it is, much of it in its place.
        let prefix = zip(old, entries).prefix { $0 == $1 }.count
        let rest = min(old.count, entries.count) - prefix
        let suffix = zip(old.reversed().prefix(rest), entries.reversed().prefix(rest)).prefix { $0 == $1 }.count
        var coming: [Entry: Int] = [:]
        for entry in entries[prefix..<(entries.count - suffix)] { coming[entry, default: 0] += 1 }
        for entry in old[prefix..<(old.count - suffix)] {
            if let count = coming[entry], count > 0 {
                coming[entry] = count - 1
            } else {
                release(entry)
                touched.append(entry.object.key)
            }
        }
        for (entry, count) in coming where count > 0 {
            for _ in 0..<count { claim(entry, for: part) }
            touched.append(entry.object.key)
        }
        for entry in entries { explain(entry) }
        parts[part] = entries.isEmpty ? nil : entries
    }

    /// The same object may be there for another reason now, as when a rule has another id: that is no difference in force.
    private mutating func explain(_ entry: Entry) {
        let key = entry.object.key
        guard shared[key] == nil, let there = state.entries[key], there == entry else { return }
        if !there.isExplained(as: entry) { state.insert(entry) }
    }

    private mutating func release(_ entry: Entry) {
        let key = entry.object.key
        if let position = rivals[key]?.firstIndex(of: entry) {
            rivals[key]?.remove(at: position)
            if rivals[key]?.isEmpty ?? false { rivals[key] = nil }
            return
        }
        if let count = shared[key] {
            shared[key] = count > 2 ? count - 1 : nil
            return
        }
        state.remove(key)
        if let id = entry.object.holder { owners[id] = nil }
        guard let heir = rivals[key]?.min(by: { $0.precedes($1) }), let rest = rivals.removeValue(forKey: key) else { return }
        for entry in rest.filter({ $0 == heir }) + rest.filter({ $0 != heir }) { claim(entry) }
    }

    private mutating func claim(_ entry: Entry, for part: Part) {
        if let id = entry.object.holder { owners[id] = part }
        claim(entry)
    }

    private mutating func claim(_ entry: Entry) {
        let key = entry.object.key
        guard let there = state.insert(new: entry, key) else { return }
        if there == entry {
            shared[key, default: 1] += 1
        } else if there.precedes(entry) {
            rivals[key, default: []].append(entry)
        } else {
            rivals[key, default: []] += Array(repeating: there, count: shared.removeValue(forKey: key) ?? 1)
            state.insert(entry)
            let mine = rivals[key, default: []].filter { $0 == entry }.count
            if mine > 0 { shared[key] = mine + 1 }
            rivals[key]?.removeAll { $0 == entry }
        }
    }
}

extension Entry {
    /// Which of two rivals wins, whatever the order in which they came. A pod that is here wins over one that is said to be elsewhere.
    fileprivate func precedes(_ other: Entry) -> Bool {
        if because.kind != other.because.kind { return because.kind < other.because.kind }
        return Operation(.add, self).text < Operation(.add, other).text
    }
}

extension Object {
    /// The chain or set that it is.
    package var holder: Named? {
        switch self {
        case .chain(let chain): chain.id
        case .set(let set): set.id
        default: nil
        }
    }

    /// The chain or set that it is in.
    package var container: Named? {
        switch self {
        case .rule(let rule): rule.chain
        case .element(let element): element.set
        default: nil
        }
    }
}
