extension Intents {
    /// Takes one resource away; when it throws, nothing has changed.
    ///
    /// A group that pods of this host are bound to, and an address group that rules name, stay in force until the last of them lets go.
    /// A network's default group goes back to its implicit content.
    package mutating func remove(_ id: IntentID) throws(Rejected) -> Removal {
        guard let previous = self[id] else {
            if id.kind == .securityGroup, let network = ID<SecurityGroup>(id.id).networkOfDefault, networks[network] != nil {
                throw Rejected(intent: id, field: "", reason: "the default group of a network can't be deleted")
            }
            return .absent
        }
        switch previous {
        case .network(let network):
            if let pods = index.podsByNetwork[network.id] {
                throw Rejected(intent: id, field: "", reason: "it still has \(pods.named)", valid: "delete its pods first")
            }
        case .securityGroup(let group) where group.id.networkOfDefault != nil:
            let pods = group.stateful ? [] : pods(boundTo: group)
            if !pods.isEmpty {
                throw Rejected(
                    intent: id, field: "stateful", value: "false",
                    reason: "without its content it is stateful, and that can't change while bound by \(pods.named)")
            }
        case .securityGroup, .addressGroup:
            let holders = holders(of: id)
            if !holders.isEmpty {
                leaving.insert(id)
                return .deferred(boundBy: holders.sorted())
            }
        case .pod, .neighbor: break
        }
        drop(id)
        return .removed(previous, left: release(previous.references))
    }

    /// Lets go those of `candidates` that are leaving and that nothing holds any more, and what they alone held. Returns the ones that left.
    mutating func release(_ candidates: Set<IntentID>) -> [IntentID] {
        var left: [IntentID] = []
        var open = candidates.intersection(leaving)
        while let id = open.popFirst() {
            guard holders(of: id).isEmpty, let intent = self[id] else { continue }
            drop(id)
            left.append(id)
            open.formUnion(intent.references.intersection(leaving))
        }
        return left.sorted()
    }

    /// The resources that keep a group or an address group from leaving.
    package func holders(of id: IntentID) -> [IntentID] {
        switch id.kind {
        case .securityGroup: securityGroups[ID(id.id)].map { pods(boundTo: $0).map(\.intent) } ?? []
        case .addressGroup: (index.groupsByAddressGroup[ID(id.id)] ?? []).map(\.intent)
        case .network, .pod, .neighbor, .elasticIP: []
        }
    }
}

extension Set<ID<Pod>> {
    /// The first few by name: "pods web-0, web-1, web-2 and 17 more".
    var named: String {
        let names = sorted().prefix(3).map(\.value).joined(separator: ", ")
        return (count == 1 ? "pod " : "pods ") + names + (count > 3 ? " and \(count - 3) more" : "")
    }
}
