extension Intents {
    /// The group as it is in force: what was pushed, or a known network's implicit default group.
    package func group(_ id: ID<SecurityGroup>) -> SecurityGroup? {
        if let group = securityGroups[id] { return group }
        guard let network = id.networkOfDefault, networks[network] != nil else { return nil }
        return .implicitDefault(of: network)
    }

    /// The groups whose rules count for `pod`: known ones that serve its network.
    package func groups(of pod: Pod) -> [SecurityGroup] {
        pod.securityGroups.compactMap { group($0) }.filter { $0.serves(pod.network) }
    }

    /// What the pod waits for: its network, and groups that aren't known or belong to another network (which came later than the pod).
    package func unmet(for id: ID<Pod>) -> [IntentID] {
        guard let pod = pods[id] else { return [] }
        let network = networks[pod.network] == nil ? [pod.network.intent] : []
        let groups = pod.securityGroups.filter { group in
            if let group = self.group(group) { return !group.serves(pod.network) }
            return group != pod.network.defaultGroup  // comes with the network
        }
        return network + groups.map(\.intent)
    }

    /// The pods that are bound to `group`, and that it serves. One of another network that names it waits for a group of its own: it keeps this
    /// one from nothing.
    package func pods(boundTo group: SecurityGroup) -> Set<ID<Pod>> {
        (index.podsByGroup[group.id] ?? []).filter { pods[$0].map { group.serves($0.network) } ?? false }
    }

    /// The pods of `network` that are bound to `group`, whether the group is known or not; nobody if it serves another network.
    package func pods(in group: ID<SecurityGroup>, of network: ID<Network>) -> [Pod] {
        guard self.group(group)?.serves(network) ?? true else { return [] }
        return (index.podsByGroup[group] ?? []).compactMap { pods[$0] }.filter { $0.network == network }
    }

    /// The neighbors of `network` in `group`, whether the group is known or not; nobody if it serves another network.
    package func neighbors(in group: ID<SecurityGroup>, of network: ID<Network>) -> [Neighbor] {
        guard self.group(group)?.serves(network) ?? true else { return [] }
        return (index.neighborsByGroup[.init(group: group, network: network)] ?? []).compactMap { neighbors[$0] }
    }

    /// The pod that has `address` in `network`.
    package func pod(at address: IPAddress, in network: ID<Network>) -> Pod? {
        (index.podsByAddress[address] ?? []).lazy.compactMap { pods[$0] }.first { $0.network == network }
    }

    /// The pod that has `address`, as pods of `network` see it: of the same network, or of another that it is routed to.
    package func pod(at address: IPAddress, seenFrom network: ID<Network>) -> Pod? {
        (index.podsByAddress[address] ?? []).lazy.compactMap { pods[$0] }.first { shareAddresses($0.network, network) }
    }

    /// The neighbors that are said to have `address`, as pods of `network` see it.
    package func neighbors(at address: IPAddress, seenFrom network: ID<Network>) -> [Neighbor] {
        (index.neighborsByAddress[address] ?? []).sorted().compactMap { neighbors[$0] }.filter { shareAddresses($0.network, network) }
    }

    /// The neighbors that are said to have `address` in `network`.
    package func neighbors(at address: IPAddress, in network: ID<Network>) -> [Neighbor] {
        (index.neighborsByAddress[address] ?? []).sorted().compactMap { neighbors[$0] }.filter { $0.network == network }
    }

    /// Whether addresses mean the same in both networks: they are one, or both live in the shared routing domain.
    package func shareAddresses(_ one: ID<Network>, _ other: ID<Network>) -> Bool {
        one == other || (networks[one]?.isolated == false && networks[other]?.isolated == false)
    }

    /// What a snapshot of the names `kept` leaves out, in an order in which nothing is removed before what leans on it.
    package func missing(from kept: Set<IntentID>) -> [IntentID] {
        var names: [IntentID] = []
        names += neighbors.keys.map(\.intent)
        names += pods.keys.map(\.intent)
        names += securityGroups.keys.map(\.intent)
        names += addressGroups.keys.map(\.intent)
        names += networks.keys.map(\.intent)
        return names.filter { !kept.contains($0) && !leaving.contains($0) }
            .sorted { $0.kind == $1.kind ? $0.id < $1.id : $0.kind > $1.kind }
    }
}
