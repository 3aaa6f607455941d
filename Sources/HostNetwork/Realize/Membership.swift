/// What a pod or neighbor is to the groups that it is bound to: their member, by its addresses and allowed address pairs.
struct Membership: Hashable {
    var groups: [GroupInstance]
    var singles: [IPAddress]
    var ranges: [AddressRange]
}

extension Intents {
    /// The group as pods of a network see it; nil: it isn't known there.
    func instance(of id: ID<SecurityGroup>, seenFrom network: ID<Network>) -> GroupInstance? {
        guard let group = group(id), group.serves(network) else { return nil }
        return GroupInstance(group, seenFrom: network)
    }

    func membership(of id: ID<Pod>) -> Membership? {
        guard let pod = pods[id] else { return nil }
        let pairs = pod.allowedAddressPairs.map(\.address)
        return Membership(
            groups: Set(pod.securityGroups).compactMap { instance(of: $0, seenFrom: pod.network) },
            singles: pod.addresses + pairs.filter(\.isHost).map(\.first),
            ranges: pairs.filter { !$0.isHost }.map { AddressRange($0) })
    }

    func membership(of id: ID<Neighbor>) -> Membership? {
        guard let neighbor = neighbors[id] else { return nil }
        return Membership(
            groups: Set(neighbor.securityGroups).compactMap { instance(of: $0, seenFrom: neighbor.network) }, singles: neighbor.addresses,
            ranges: [])
    }

    func membership(of id: IntentID) -> Membership? {
        switch id.kind {
        case .pod: membership(of: ID<Pod>(id.id))
        case .neighbor: membership(of: ID<Neighbor>(id.id))
        default: nil
        }
    }

    /// The exact union of all members' ranges.
    func ranges(of instance: GroupInstance) -> [AddressRange] {
        AddressRange.disjointUnion(
            pods(in: instance.group, of: instance.network).flatMap { membership(of: $0.id)?.ranges ?? [] })
    }

    func members(of group: ID<SecurityGroup>, in network: ID<Network>) -> [IntentID] {
        pods(in: group, of: network).map(\.id.intent) + neighbors(in: group, of: network).map(\.id.intent)
    }

    /// In the network that the group names, or else in whatever network, known or not.
    func neighbors(boundTo group: SecurityGroup) -> Set<ID<Neighbor>> {
        let networks = group.network.map { [$0] } ?? Array(index.neighborsByNetwork.keys)
        return networks.reduce(into: []) { $0.formUnion(index.neighborsByGroup[.init(group: group.id, network: $1)] ?? []) }
    }

    /// The sets of a remote that rules are about: single addresses always, ranges where there are any.
    func sets(of remote: RemoteSets.Owner, _ family: Family) -> [NamedSet] {
        let sets = RemoteSets(owner: remote)
        let ranges =
            switch remote {
            case .group(let instance): ranges(of: instance)
            case .addressGroup(let id): AddressGroupPart.divided(addressGroups[id]?.cidrs ?? []).ranges
            }
        return [sets.singles(family)] + (ranges.contains { $0.family == family } ? [sets.ranges(family)] : [])
    }
}
