extension Intents {
    /// Throws when `intent` contradicts the rest.
    package func judge(_ intent: Intent) throws(Rejected) {
        switch intent {
        case .network(let network): try judge(network)
        case .addressGroup: break
        case .securityGroup(let group): try judge(group)
        case .pod(let pod): try judge(pod)
        case .neighbor(let neighbor): try judge(neighbor)
        }
    }

    /// What is in force in a network isn't pulled from under its feet.
    private func judge(_ network: Network) throws(Rejected) {
        try judgeTunnels(of: network)
        try judgeOverlaps(of: network)
        guard let previous = networks[network.id] else { return }
        let pods = index.podsByNetwork[network.id] ?? []
        if network.isolated != previous.isolated, !pods.isEmpty {
            throw Rejected(
                intent: network.id.intent, field: "isolated", value: "\(network.isolated)",
                reason: "it can't change while the network has \(pods.named)", valid: "\(previous.isolated)")
        }
        guard !network.hasSamePlaces(as: previous) else { return }
        func check(_ addresses: [IPAddress], of intent: IntentID) throws(Rejected) {
            do throws(Rejected) { try network.judge(addresses, of: intent) } catch {
                throw Rejected(
                    intent: network.id.intent, field: "subnets", value: error.value,
                    reason: "\(intent) has this address: \(error.reason)", valid: "subnets that fit those in the network")
            }
        }
        for pod in pods.sorted().compactMap({ self.pods[$0] }) {
            try check(pod.addresses, of: pod.id.intent)
            // Else what its client may send from would become another network's.
            for pair in pod.allowedAddressPairs where previous.objection(to: pair.address) == nil {
                guard let objection = network.objection(to: pair.address) else { continue }
                throw Rejected(
                    intent: network.id.intent, field: "subnets", value: "\(pair.address)",
                    reason: "\(pod.id.intent) has this allowed address pair: \(objection)", valid: "subnets that fit those in the network")
            }
        }
        for neighbor in (index.neighborsByNetwork[network.id] ?? []).sorted() {
            try check(neighbors[neighbor]?.addresses ?? [], of: neighbor.intent)
        }
    }

    /// By its tunnel alone a host tells whose a packet of the underlay's is.
    private func judgeTunnels(of network: Network) throws(Rejected) {
        for tunnel in network.tunnelsInForce {
            guard let other = (index.networksByTunnel[tunnel] ?? []).first(where: { $0 != network.id }) else { continue }
            let subnet = network.subnets.firstIndex { $0.tunnelID == tunnel }
            throw Rejected(
                intent: network.id.intent, field: network.tunnelID == tunnel ? "tunnelID" : "subnets[\(subnet ?? 0)].tunnelID",
                value: "\(tunnel)", reason: "network \(other) has this one", valid: "one that no other network of this host has")
        }
    }

    private func judge(_ group: SecurityGroup) throws(Rejected) {
        func rejected(_ field: String, _ value: String, _ reason: String, valid: String = "") -> Rejected {
            Rejected(intent: group.id.intent, field: field, value: value, reason: reason, valid: valid)
        }
        let previous = self.group(group.id)
        if let previous, group.stateful != previous.stateful || group.network != previous.network {
            let bound = pods(boundTo: previous)
            if group.stateful != previous.stateful, !bound.isEmpty {
                let reason = "it can't change while bound by \(bound.named)"
                throw rejected("stateful", "\(group.stateful)", reason, valid: "\(previous.stateful)")
            }
            if group.network != previous.network, !bound.isEmpty {
                let valid = previous.network.map(\.value) ?? "no network, as before"
                throw rejected("network", group.network?.value ?? "", "it can't change while bound by \(bound.named)", valid: valid)
            }
        }
        // Pods that waited for it, and those that it didn't serve before.
        if previous?.stateful != group.stateful || previous?.network != group.network {
            for pod in pods(boundTo: group).sorted().compactMap({ pods[$0] }) {
                guard let other = groups(of: pod).first(where: { $0.id != group.id && $0.stateful != group.stateful }) else { continue }
                throw rejected("stateful", "\(group.stateful)", Self.mixed(pod.id, other), valid: "\(other.stateful)")
            }
        }
        guard let network = group.network else { return }
        for (position, rule) in group.rules.enumerated() {
            guard case .group(let id) = rule.remote, id != group.id, let remote = self.group(id), !remote.serves(network) else { continue }
            var refused = rejected(
                "rules[\(position)].remote.group", id.value, Self.foreign(remote), valid: "a group of network \(network)")
            refused.about = id.intent
            throw refused
        }
    }

    private func judge(_ pod: Pod) throws(Rejected) {
        func rejected(_ field: String, _ value: String, _ reason: String, valid: String = "", about: ID<Pod>? = nil) -> Rejected {
            Rejected(intent: pod.id.intent, field: field, value: value, reason: reason, valid: valid, about: about?.intent)
        }
        if let other = index.podByLink[LinkName.digits(of: pod.id)], other != pod.id {
            let reason = "its interface on the host would be called \(LinkName(of: pod.id)), as that of pod \(other) is"
            throw rejected("id", pod.id.value, reason, valid: "another id", about: other)
        }
        if let previous = pods[pod.id], previous.network != pod.network {
            throw rejected("network", pod.network.value, "a pod can't change its network: delete it first", valid: previous.network.value)
        }
        if let plug = IntentIndex.Plug(pod), let other = index.podByPlug[plug], other != pod.id {
            let reason = "pod \(other) has this interface in namespace \(plug.namespace)"
            throw rejected("interface", pod.interface, reason, valid: "another name", about: other)
        }
        try judge(pod.securityGroups, in: pod.network, of: pod.id.intent)
        let groups = groups(of: pod)
        if let first = groups.first, let other = groups.first(where: { $0.stateful != first.stateful }) {
            let position = pod.securityGroups.firstIndex(of: other.id) ?? 0
            let valid = "groups that are all stateful or all not"
            throw rejected("securityGroups[\(position)]", other.id.value, Self.mixed(pod.id, first), valid: valid)
        }
        try networks[pod.network]?.judge(pod.addresses, of: pod.id.intent)
        for (position, address) in pod.addresses.enumerated() {
            let others = (index.podsByAddress[address] ?? []).filter { $0 != pod.id }.compactMap { pods[$0] }
            guard let other = others.first(where: { shareAddresses($0.network, pod.network) }) else { continue }
            let reason = "pod \(other.id) of network \(other.network) has this address"
            throw rejected("addresses[\(position)]", "\(address)", reason, about: other.id)
        }
    }

    private func judge(_ neighbor: Neighbor) throws(Rejected) {
        try judge(neighbor.securityGroups, in: neighbor.network, of: neighbor.id.intent)
        try networks[neighbor.network]?.judge(neighbor.addresses, of: neighbor.id.intent)
    }

    private func judge(_ groups: [ID<SecurityGroup>], in network: ID<Network>, of intent: IntentID) throws(Rejected) {
        for (position, id) in groups.enumerated() {
            guard let group = group(id), !group.serves(network) else { continue }
            throw Rejected(
                intent: intent, field: "securityGroups[\(position)]", value: id.value, reason: Self.foreign(group),
                valid: "a group of network \(network)", about: id.intent)
        }
    }

    private static func foreign(_ group: SecurityGroup) -> String {
        "the group belongs to " + (group.network.map { "network \($0)" } ?? "no network")
    }

    private static func mixed(_ pod: ID<Pod>, _ other: SecurityGroup) -> String {
        "pod \(pod) is bound to \(other.id) too, which is \(other.stateful ? "stateful" : "stateless"), and the two don't mix"
    }
}

extension Network {
    /// Throws when one of `addresses` has no place in the network.
    func judge(_ addresses: [IPAddress], of intent: IntentID) throws(Rejected) {
        for (position, address) in addresses.enumerated() {
            func rejected(_ reason: String, valid: String) -> Rejected {
                Rejected(intent: intent, field: "addresses[\(position)]", value: "\(address)", reason: reason, valid: valid)
            }
            guard let subnet = subnet(of: address) else {
                let prefixes = subnets.map(\.cidr).filter { $0.family == address.family }
                guard !prefixes.isEmpty else {
                    throw rejected("network \(id) has no \(address.family) subnet", valid: "addresses of the families that the network has")
                }
                throw rejected(
                    "outside of network \(id)", valid: "an address of " + prefixes.map(\.description).joined(separator: " or "))
            }
            let valid = "another address of \(subnet.cidr)"
            if address == subnet.gateway { throw rejected("the gateway of subnet \(subnet.id)", valid: valid) }
            if let reserved = subnet.reserved(address) { throw rejected(reserved, valid: valid) }
        }
    }
}
