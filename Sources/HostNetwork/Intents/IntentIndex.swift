/// Who leans on whom, kept with every change; a key without members isn't there.
package struct IntentIndex: Hashable, Sendable {
    package private(set) var podsByNetwork: [ID<Network>: Set<ID<Pod>>] = [:]
    package private(set) var neighborsByNetwork: [ID<Network>: Set<ID<Neighbor>>] = [:]
    /// Pods by each of the groups that they are bound to.
    package private(set) var podsByGroup: [ID<SecurityGroup>: Set<ID<Pod>>] = [:]
    package private(set) var neighborsByGroup: [GroupInNetwork: Set<ID<Neighbor>>] = [:]
    /// Groups by each group whose members their rules name.
    package private(set) var groupsByRemoteGroup: [ID<SecurityGroup>: Set<ID<SecurityGroup>>] = [:]
    /// Groups by each address group that their rules name.
    package private(set) var groupsByAddressGroup: [ID<AddressGroup>: Set<ID<SecurityGroup>>] = [:]
    /// Pods of all networks: isolated ones may have the same addresses.
    package private(set) var podsByAddress: [IPAddress: Set<ID<Pod>>] = [:]
    /// As above, of pods on other hosts; several may be said to have one address, as while it moves.
    package private(set) var neighborsByAddress: [IPAddress: Set<ID<Neighbor>>] = [:]
    /// Networks by each tunnel that their packets are in; one at most, which is judged.
    package private(set) var networksByTunnel: [TunnelID: Set<ID<Network>>] = [:]
    package private(set) var podByPlug: [Plug: ID<Pod>] = [:]
    /// Pods by the digits of their host sides' names (`LinkName.digits`).
    private(set) var podByLink: [UInt64: ID<Pod>] = [:]
    /// How many values the pods, neighbors and groups of a network have together (`Intent.values`).
    private(set) var valuesByNetwork: [ID<Network>: Int] = [:]
    /// Networks that aren't isolated, by their subnets' prefixes.
    private(set) var sharedSubnets = PrefixIndex<ID<Network>>()

    /// A group's members are counted per network.
    package struct GroupInNetwork: Hashable, Sendable {
        package var group: ID<SecurityGroup>
        package var network: ID<Network>

        package init(group: ID<SecurityGroup>, network: ID<Network>) {
            self.group = group
            self.network = network
        }
    }

    /// The place of a pod side: one interface fits in it.
    package struct Plug: Hashable, Sendable {
        package var namespace: String
        package var interface: String

        /// Nil for a pod that waits to be attached.
        package init?(_ pod: Pod) {
            guard let namespace = pod.namespace else { return nil }
            self.namespace = namespace
            interface = pod.interface
        }
    }

    mutating func add(_ intent: Intent) {
        count(intent, 1)
        switch intent {
        case .addressGroup: break
        case .network(let network):
            for tunnel in network.tunnelsInForce { networksByTunnel.insert(network.id, at: tunnel) }
            if !network.isolated { for subnet in network.subnets { sharedSubnets.insert(network.id, at: subnet.cidr) } }
        case .securityGroup(let group):
            for remote in group.remoteGroups { groupsByRemoteGroup.insert(group.id, at: remote) }
            for remote in group.remoteAddressGroups { groupsByAddressGroup.insert(group.id, at: remote) }
        case .pod(let pod):
            podsByNetwork.insert(pod.id, at: pod.network)
            for group in pod.securityGroups { podsByGroup.insert(pod.id, at: group) }
            for address in pod.addresses { podsByAddress.insert(pod.id, at: address) }
            if let plug = Plug(pod) { podByPlug[plug] = pod.id }
            podByLink[LinkName.digits(of: pod.id)] = pod.id
        case .neighbor(let neighbor):
            neighborsByNetwork.insert(neighbor.id, at: neighbor.network)
            for address in neighbor.addresses { neighborsByAddress.insert(neighbor.id, at: address) }
            for group in neighbor.securityGroups {
                neighborsByGroup.insert(neighbor.id, at: GroupInNetwork(group: group, network: neighbor.network))
            }
        }
    }

    private mutating func count(_ intent: Intent, _ sign: Int) {
        guard let network = intent.owner else { return }
        let values = valuesByNetwork[network, default: 0] + sign * intent.values
        valuesByNetwork[network] = values == 0 ? nil : values
    }

    mutating func remove(_ intent: Intent) {
        count(intent, -1)
        switch intent {
        case .addressGroup: break
        case .network(let network):
            for tunnel in network.tunnelsInForce { networksByTunnel.remove(network.id, at: tunnel) }
            if !network.isolated { for subnet in network.subnets { sharedSubnets.remove(network.id, at: subnet.cidr) } }
        case .securityGroup(let group):
            for remote in group.remoteGroups { groupsByRemoteGroup.remove(group.id, at: remote) }
            for remote in group.remoteAddressGroups { groupsByAddressGroup.remove(group.id, at: remote) }
        case .pod(let pod):
            podsByNetwork.remove(pod.id, at: pod.network)
            for group in pod.securityGroups { podsByGroup.remove(pod.id, at: group) }
            for address in pod.addresses { podsByAddress.remove(pod.id, at: address) }
            if let plug = Plug(pod), podByPlug[plug] == pod.id { podByPlug[plug] = nil }
            let digits = LinkName.digits(of: pod.id)
            if podByLink[digits] == pod.id { podByLink[digits] = nil }
        case .neighbor(let neighbor):
            neighborsByNetwork.remove(neighbor.id, at: neighbor.network)
            for address in neighbor.addresses { neighborsByAddress.remove(neighbor.id, at: address) }
            for group in neighbor.securityGroups {
                neighborsByGroup.remove(neighbor.id, at: GroupInNetwork(group: group, network: neighbor.network))
            }
        }
    }
}

extension Dictionary {
    fileprivate mutating func insert<Member>(_ member: Member, at key: Key) where Value == Set<Member> {
        self[key, default: []].insert(member)
    }

    fileprivate mutating func remove<Member>(_ member: Member, at key: Key) where Value == Set<Member> {
        guard let position = index(forKey: key) else { return }
        values[position].remove(member)
        if values[position].isEmpty { remove(at: position) }
    }
}
