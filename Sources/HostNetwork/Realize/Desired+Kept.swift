extension Desired {
    /// Of what is there and isn't wanted, what must stay while not all that was asked for is known: whatever isn't certainly of somebody who
    /// was asked for since.
    ///
    /// - Parameter asked: the links of pods that were asked for since, also of those that were to go.
    package func kept(of actual: HostState, asked: Set<LinkName>) -> [Object.Key] {
        let known = asked.union(intents.pods.keys.map { LinkName(of: $0) })
        let replaced = replaced(in: actual, known)
        return actual.entries.compactMap { key, entry -> Object.Key? in
            guard state.entries[key] == nil else { return nil }
            // Whose epochs they stamp isn't known, and the next plan may want one of them: they are seen, and spared by it.
            if case .chain(let chain) = entry.object, Layout.isStampChain(chain.id) { return nil }
            if let link = entry.object.place { return known.contains(link) || replaced.contains(link) ? nil : key }
            // What a group that is asked for and bound allows is known, and so is an address group. Members of groups are pods' own, and
            // what the fixed part holds beside what is wanted, such as slots, serves pods that aren't known.
            guard let container = entry.object.container else { return key }
            return isKnown(container) ? nil : key
        }
    }

    /// Links whose addresses a pod that is known has: that pod was given them.
    private func replaced(in actual: HostState, _ known: Set<LinkName>) -> Set<LinkName> {
        let taken = Set(intents.pods.values.flatMap(\.addresses))
        var replaced: Set<LinkName> = []
        for entry in actual.entries.values {
            guard let element = entry.object.element, let link = element.link, !known.contains(link) else { continue }
            guard case .own(.inet, _, ranges: false)? = BaseSet(element.set), let address = IPAddress(bytes: element.key.dropFirst(24))
            else {
                continue
            }
            if taken.contains(address) { replaced.insert(link) }
        }
        return replaced
    }
}

extension Plan {
    /// Chains that stamp epochs stay: elements of pods that aren't known may lead there.
    package mutating func spareStampChains() {
        steps.removeAll { step in
            guard step.action == .remove, case .chain(let chain) = step.object else { return false }
            return Layout.isStampChain(chain.id)
        }
    }
}

extension Object {
    /// The pair or tunnel that it belongs to, elements of the pods' sets included.
    fileprivate var place: LinkName? {
        guard case .element(let element) = self else { return link }
        if let link = element.link { return link }
        guard element.set == Layout.unaddressed.id, element.key.count >= 16 else { return nil }
        return LinkName(reported: String(decoding: element.key.prefix(16).prefix { $0 != 0 }, as: UTF8.self))
    }
}
