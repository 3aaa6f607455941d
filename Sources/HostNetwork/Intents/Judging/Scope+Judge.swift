/// What of a resource is the operator's to say stays as it is, or is left out.
extension Scope {
    /// Throws when a client that is held to this part may not push `intent`. What is in force already, said again, is no change.
    package func judge(_ intent: Intent, in intents: Intents) throws(Rejected) {
        let previous = intents[intent.id]
        if case .network(let network) = intent { return try judge(network, previous) }
        guard admits(intent), previous.map(admits) ?? mayName(intent.id, in: intents) else { throw refusal(of: intent.id) }
        switch (intent, previous) {
        case (.pod(let pod), .pod(let previous)?): try judge(pod, since: previous, in: intents)
        case (.pod(let pod), _): try judge(pod, since: nil, in: intents)
        case (.neighbor(let neighbor), .neighbor(let previous)?): try judge(neighbor, since: previous, in: intents)
        case (.neighbor(let neighbor), _): try judge(neighbor, since: nil, in: intents)
        case (.securityGroup(let group), .securityGroup(let previous)?): try judge(group, since: previous, in: intents)
        case (.securityGroup(let group), _): try judge(group, since: nil, in: intents)
        case (.network, _), (.addressGroup, _): break
        }
    }

    /// Throws when such a client may not remove it, whether it is there or not.
    package func judge(removing id: IntentID, in intents: Intents) throws(Rejected) {
        guard intents[id].map(admits) ?? mayName(id, in: intents) else { throw refusal(of: id) }
    }

    /// Throws when such a client may not say that a pod is at `namespace`, or nil: that it is nowhere.
    package func judge(attaching id: ID<Pod>, at namespace: String?, in intents: Intents) throws(Rejected) {
        try judge(removing: id.intent, in: intents)
        guard let namespace, namespace != intents.pods[id]?.namespace else { return }
        throw Self.placed(id, at: namespace)
    }

    private static func placed(_ pod: ID<Pod>, at namespace: String) -> Rejected {
        Rejected(
            intent: pod.intent, field: "namespace", value: namespace, reason: "\(mark) say where a pod is",
            valid: "left out: who may push everything attaches the pod")
    }

    private func judge(_ network: Network, _ previous: Intent?) throws(Rejected) {
        guard networks.contains(network.id) else { throw refusal(of: network.id.intent) }
        let intent = Intent.network(network)
        // A higher revision alone would make the operator's next word stale.
        if let previous, intent.with(revision: previous.revision) == previous, network.revision <= previous.revision { return }
        throw Rejected(
            intent: network.id.intent, field: "", reason: Self.words + ": what a network is, is for those to say who may push everything",
            valid: "the same as is in force, or nothing")
    }

    private func judge(_ pod: Pod, since previous: Pod?, in intents: Intents) throws(Rejected) {
        func rejected(_ field: String, _ value: String, _ what: String, valid: String) -> Rejected {
            Rejected(intent: pod.id.intent, field: field, value: value, reason: "\(Self.mark) \(what)", valid: valid)
        }
        if let namespace = pod.namespace, namespace != previous?.namespace {
            throw Self.placed(pod.id, at: namespace)
        }
        if !pod.portSecurity, previous?.portSecurity != false {
            throw rejected("portSecurity", "false", "turn it off", valid: "true")
        }
        let network = intents.networks[pod.network]
        for (position, pair) in pod.allowedAddressPairs.enumerated() where !(previous?.allowedAddressPairs.contains(pair) ?? false) {
            let objection = network.map { $0.objection(to: pair.address) } ?? "network \(pod.network) isn't known yet"
            guard let objection else { continue }
            throw rejected(
                "allowedAddressPairs[\(position)].address", "\(pair.address)", "allow this one: \(objection)",
                valid: "a prefix inside of a subnet of the network, without its gateway")
        }
        try judge(pod.securityGroups, besides: previous?.securityGroups ?? [], of: pod.id.intent, pod.network, in: intents)
    }

    private func judge(_ neighbor: Neighbor, since previous: Neighbor?, in intents: Intents) throws(Rejected) {
        if let host = neighbor.host, host != previous?.host, !hosts.contains(where: { $0.contains(host) }) {
            let granted = hosts.sorted().map(\.description).joined(separator: " or ")
            throw Rejected(
                intent: neighbor.id.intent, field: "host", value: "\(host)", reason: "\(Self.mark) say where a neighbor lives",
                valid: granted.isEmpty ? "left out" : "an address of \(granted)")
        }
        try judge(neighbor.securityGroups, besides: previous?.securityGroups ?? [], of: neighbor.id.intent, neighbor.network, in: intents)
    }

    private func judge(
        _ groups: [ID<SecurityGroup>], besides previous: [ID<SecurityGroup>], of id: IntentID, _ network: ID<Network>, in intents: Intents
    )
        throws(Rejected)
    {
        for (position, group) in groups.enumerated() where !previous.contains(group) {
            guard !mayRefer(to: group, from: network, in: intents) else { continue }
            throw stranger(group, at: "securityGroups[\(position)]", of: id)
        }
    }

    private func judge(_ group: SecurityGroup, since previous: SecurityGroup?, in intents: Intents) throws(Rejected) {
        guard let network = group.network else { return }
        for (position, rule) in group.rules.enumerated() {
            guard case .group(let remote) = rule.remote, remote != group.id, !(previous?.remoteGroups.contains(remote) ?? false),
                !mayRefer(to: remote, from: network, in: intents)
            else { continue }
            throw stranger(remote, at: "rules[\(position)].remote.group", of: group.id.intent)
        }
    }

    /// Whether a group is one that serves the network, or could come to be by this client's doing. Of any other this client isn't told
    /// whether there is one.
    private func mayRefer(to group: ID<SecurityGroup>, from network: ID<Network>, in intents: Intents) -> Bool {
        if let there = intents.group(group) { return there.serves(network) }
        return group == network.defaultGroup || mayName(group.intent, in: intents)
    }

    private func stranger(_ group: ID<SecurityGroup>, at field: String, of id: IntentID) -> Rejected {
        Rejected(
            intent: id, field: field, value: group.value, reason: "\(Self.mark) name it", valid: "a group of its network, or of no network")
    }
}
