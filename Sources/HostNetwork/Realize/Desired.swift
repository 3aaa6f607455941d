/// What the host's network should be: the intents, and the state that they amount to, kept in step part by part.
///
/// Law: whatever the order of the changes that led to some intents, the state is the one that `init` derives from them at once.
package struct Desired: Sendable {
    package private(set) var intents: Intents
    package let layout: Layout
    /// Pods whose namespace is there.
    package private(set) var attachable: Set<ID<Pod>> = []
    /// Epochs of the bindings that have had more than their first.
    package private(set) var epochs: [ID<Pod>: Epoch] = [:]
    private var claims = Claims()
    /// The groups that each attached pod is bound to, and who is bound to each.
    private var groups: [ID<Pod>: [GroupInstance]] = [:]
    private var bound: [GroupInstance: Set<ID<Pod>>] = [:]
    /// The remotes that each of those groups' rules name, and the groups that name each.
    private var remotes: [GroupInstance: Set<RemoteSets.Owner>] = [:]
    private var named: [RemoteSets.Owner: Set<GroupInstance>] = [:]
    /// What each pod and neighbor is to its groups.
    private var memberships: [IntentID: Membership] = [:]
    /// The network of each attached pod, and the pods that are attached to each.
    private var homes: [ID<Pod>: ID<Network>] = [:]
    private var residents: [ID<Network>: Set<ID<Pod>>] = [:]
    /// The next hops of each network that has routes.
    private var hops: [ID<Network>: Set<IPAddress>] = [:]

    package var state: HostState { claims.state }

    package init(layout: Layout) {
        self.init(intents: Intents(), layout: layout, attachable: [], epochs: [:])
    }

    package init(intents: Intents, layout: Layout, attachable: Set<ID<Pod>>, epochs: [ID<Pod>: Epoch]) {
        self.intents = intents
        self.layout = layout
        self.attachable = attachable
        self.epochs = epochs
        var touched: [Object.Key] = []
        claims.set(.base, to: layout.entries, touched: &touched)
        _ = derive(intents.all.map { (before: nil, after: $0) })
    }

    /// The bound groups of an attached pod, in the order of their slots.
    package func groups(of pod: ID<Pod>) -> [GroupInstance] { groups[pod] ?? [] }

    /// What of a bound group counts: elements and rules, each with the id of the group's rule as its comment.
    package func counting(_ instance: GroupInstance) -> [Entry] {
        let entries = claims.entries(of: .group(instance))
        let sets = Set(entries.compactMap { if case .set(let set) = $0.object, set.counts { set.id } else { nil } })
        return entries.filter { entry in
            switch entry.object {
            case .element(let element): sets.contains(element.set)
            case .rule(let rule): rule.statements.contains(.counter)
            default: false
            }
        }
    }

    // MARK: Changes

    /// Changes the intents in place; `body` answers what it changed, each resource once. Answers the keys of all objects that may
    /// differ now.
    package mutating func change(_ body: (inout Intents) -> [(before: Intent?, after: Intent?)]) -> Set<Object.Key> {
        let changed = body(&intents)
        return Set(derive(changed))
    }

    /// Derives what follows from changes that the intents have taken. Answers the same keys, some of them more than once.
    private mutating func derive(_ changed: [(before: Intent?, after: Intent?)]) -> [Object.Key] {
        var work = Work()
        for (before, after) in changed {
            noteFabric(before, after, &work)
            for intent in [before, after] { if let intent { noteRoutes(intent, &work) } }
            if case .securityGroup(let old)? = before, case .securityGroup(let new)? = after, old.differsOnlyInRules(from: new) {
                let instances = bound.keys.filter { $0.group == new.id }
                work.groups.formUnion(instances)
                if old.rules.isEmpty != new.rules.isEmpty { for instance in instances { work.pods.formUnion(bound[instance] ?? []) } }
                continue
            }
            for intent in [before, after] { if let intent { note(intent, &work) } }
        }
        for pod in work.pods { moveMember(pod.intent, to: intents.membership(of: pod), &work) }
        for neighbor in work.neighbors { moveMember(neighbor.intent, to: intents.membership(of: neighbor), &work) }
        finish(&work)
        return work.touched
    }

    /// Takes other intents, which differ from the present ones in these resources only.
    package mutating func realize(_ intents: Intents, changed: [(before: Intent?, after: Intent?)]) -> Set<Object.Key> {
        change { present in
            present = intents
            return changed
        }
    }

    /// The namespaces of these pods came or went.
    package mutating func attach(_ pods: some Sequence<ID<Pod>>, detach gone: some Sequence<ID<Pod>>) -> Set<Object.Key> {
        var work = Work()
        for pod in pods where attachable.insert(pod).inserted { work.pods.insert(pod) }
        for pod in gone where attachable.remove(pod) != nil { work.pods.insert(pod) }
        finish(&work)
        return Set(work.touched)
    }

    package mutating func set(_ epochs: [ID<Pod>: Epoch]) -> Set<Object.Key> {
        var work = Work()
        for (pod, epoch) in epochs where self.epochs[pod] != epoch {
            self.epochs[pod] = epoch
            work.pods.insert(pod)
        }
        finish(&work)
        return Set(work.touched)
    }

    /// The attached pods whose binding reads a chain or set.
    package func readers(of container: Named) -> Set<ID<Pod>> {
        switch claims.owner(of: container) {
        case .group(let instance): bound[instance] ?? []
        case .members(let instance), .member(let instance, _): readers(of: .group(instance))
        case .addressGroup(let id): readers(of: .addressGroup(id))
        case .base, .subnets, .pod, .tunnels, .neighbor, .routes, nil: []
        }
    }

    /// Whether all that a chain or set should hold follows from what was asked for.
    func isKnown(_ container: Named) -> Bool {
        switch claims.owner(of: container) {
        case .group, .addressGroup: return true
        case .members, .member:
            // Ranges are a union: those of who is asked for can't stand beside what was made of all.
            guard case .set(let set)? = state[.set(container)] else { return false }
            return set.isInterval
        case .base, .subnets, .pod, .tunnels, .neighbor, .routes, nil: return false
        }
    }

    private func readers(of remote: RemoteSets.Owner) -> Set<ID<Pod>> {
        (named[remote] ?? []).reduce(into: []) { $0.formUnion(bound[$1] ?? []) }
    }

    // MARK: What a change touches

    /// What must be derived anew.
    private struct Work {
        var pods: Set<ID<Pod>> = []
        var neighbors: Set<ID<Neighbor>> = []
        var groups: Set<GroupInstance> = []
        /// Remotes that are named now and weren't, or the other way round, or whose ranges may differ.
        var remotes: Set<RemoteSets.Owner> = []
        var members: [GroupInstance: Set<IntentID>] = [:]
        /// Networks whose tunnels, and all that leads to their neighbors, may differ.
        var fabrics: Set<ID<Network>> = []
        /// Networks whose routes may lead elsewhere.
        var routes: Set<ID<Network>> = []
        /// Whether the set of all subnets may differ.
        var subnets = false
        var touched: [Object.Key] = []
    }

    private mutating func note(_ intent: Intent, _ work: inout Work) {
        switch intent {
        case .pod(let pod): work.pods.insert(pod.id)
        case .neighbor(let neighbor): work.neighbors.insert(neighbor.id)
        case .network(let network):
            work.subnets = true
            work.pods.formUnion(intents.index.podsByNetwork[network.id] ?? [])
            note(.securityGroup(.implicitDefault(of: network.id)), &work)
        case .addressGroup(let group):
            work.remotes.insert(.addressGroup(group.id))
            // Those whose rules name it: it may be known only now.
            work.groups.formUnion(
                (intents.index.groupsByAddressGroup[group.id] ?? []).flatMap { name in bound.keys.filter { $0.group == name } })
        case .securityGroup(let group):
            work.groups.formUnion(bound.keys.filter { $0.group == group.id })
            work.pods.formUnion(intents.index.podsByGroup[group.id] ?? [])
            work.neighbors.formUnion(intents.neighbors(boundTo: group))
            // Those whose rules name it: it may be known only now.
            work.groups.formUnion(
                (intents.index.groupsByRemoteGroup[group.id] ?? []).flatMap { name in bound.keys.filter { $0.group == name } })
        }
    }

    /// Apart from `note`: a network may have thousands of neighbors, which most changes of it don't concern.
    private func noteFabric(_ before: Intent?, _ after: Intent?, _ work: inout Work) {
        switch (before, after) {
        case (.network(let old)?, .network(let new)?): if !old.hasSameFabric(as: new) { work.fabrics.insert(new.id) }
        case (.network(let network)?, _), (_, .network(let network)?): work.fabrics.insert(network.id)
        default: break
        }
    }

    /// As above: what a change has to do with routes.
    private mutating func noteRoutes(_ intent: Intent, _ work: inout Work) {
        switch intent {
        case .network(let network):
            let hops = intents.networks[network.id]?.nextHops ?? []
            self.hops[network.id] = hops.isEmpty ? nil : hops
            work.routes.insert(network.id)
        case .pod(let pod): noteHops(pod.addresses, in: pod.network, &work)
        case .neighbor(let neighbor): noteHops(neighbor.addresses, in: neighbor.network, &work)
        case .addressGroup, .securityGroup: break
        }
    }

    private func noteHops(_ addresses: [IPAddress], in network: ID<Network>, _ work: inout Work) {
        guard let hops = hops[network], addresses.contains(where: hops.contains) else { return }
        work.routes.insert(network)
    }

    private mutating func moveMember(_ id: IntentID, to after: Membership?, _ work: inout Work) {
        let after = after.flatMap { $0.groups.isEmpty ? nil : $0 }
        let before = memberships[id]
        guard before != nil || after != nil else { return }
        memberships[id] = after
        let hasRanges = !(before?.ranges.isEmpty ?? true) || !(after?.ranges.isEmpty ?? true)
        for instance in (before?.groups ?? []) + (after?.groups ?? []) {
            work.members[instance, default: []].insert(id)
            if hasRanges { work.remotes.insert(.group(instance)) }
        }
    }

    private mutating func finish(_ work: inout Work) {
        for pod in work.pods { bind(pod, &work) }
        for instance in work.groups { derive(instance, &work) }
        for (instance, ids) in work.members { deriveMembers(ids, of: instance, &work) }
        var again: Set<GroupInstance> = []
        for remote in work.remotes {
            deriveRemote(remote, &work)
            // Whether it has ranges decides on the rules about it.
            again.formUnion(named[remote] ?? [])
        }
        for instance in again { derive(instance, &work) }
        for pod in work.pods { derivePod(pod, &work) }
        deriveFabrics(&work)
        deriveRoutes(&work)
        if work.subnets || !work.fabrics.isEmpty {
            claims.set(.subnets, to: SubnetsPart(networks: residents.keys.compactMap(inhabited)).entries, touched: &work.touched)
        }
        // A pod that waits for its namespace again goes on with its epochs: flows of address pairs that are ranges keep their stamps.
        for pod in work.pods where intents.pods[pod] == nil { epochs[pod] = nil }
    }

    // MARK: Deriving

    private func isAttached(_ pod: Pod) -> Bool {
        attachable.contains(pod.id) && pod.namespace != nil && intents.networks[pod.network] != nil
    }

    private mutating func settle(_ id: ID<Pod>, _ work: inout Work) {
        let new = intents.pods[id].flatMap { isAttached($0) ? $0.network : nil }
        let old = homes[id]
        guard old != new else { return }
        homes[id] = new
        if let old {
            residents[old]?.remove(id)
            if residents[old]?.isEmpty ?? false {
                residents[old] = nil
                work.fabrics.insert(old)
            }
        }
        if let new {
            if residents[new] == nil { work.fabrics.insert(new) }
            residents[new, default: []].insert(id)
        }
    }

    private mutating func deriveFabrics(_ work: inout Work) {
        for pod in work.pods { settle(pod, &work) }
        var neighbors = work.neighbors
        for id in work.fabrics {
            var entries: [Entry] = []
            if let network = inhabited(id), network.fabricInForce == .vxlan, let underlay = layout.underlay {
                entries = TunnelsPart(network: network, underlay: underlay).entries
            }
            claims.set(.tunnels(id), to: entries, touched: &work.touched)
            neighbors.formUnion(intents.index.neighborsByNetwork[id] ?? [])
        }
        for id in neighbors {
            var entries: [Entry] = []
            if let neighbor = intents.neighbors[id], let network = inhabited(neighbor.network) {
                entries = NeighborPart(neighbor: neighbor, network: network, underlay: layout.underlay).entries
            }
            claims.set(.neighbor(id), to: entries, touched: &work.touched)
        }
    }

    private mutating func deriveRoutes(_ work: inout Work) {
        for pod in work.pods { if let pod = intents.pods[pod] { noteHops(pod.addresses, in: pod.network, &work) } }
        for id in work.routes.union(work.fabrics) {
            var entries: [Entry] = []
            if let network = inhabited(id) {
                let hops = network.nextHops.compactMap { address in hop(address, in: network).map { (address, $0) } }
                let routers = network.nextHops.filter { intents.pod(at: $0, in: id).map(maySend) ?? false }
                entries = RoutesPart(network: network, hops: Dictionary(uniqueKeysWithValues: hops), routers: routers).entries
            }
            claims.set(.routes(id), to: entries, touched: &work.touched)
        }
    }

    /// How packets get to a next hop; a pod that is here wins over one that is said to be elsewhere.
    private func hop(_ address: IPAddress, in network: Network) -> NextHop? {
        if let pod = intents.pod(at: address, in: network.id), isAttached(pod), pod.adminUp { return .pod(LinkName(of: pod.id)) }
        return intents.neighboringHop(address, in: network, over: layout.underlay)
    }

    /// A network that a pod of this host is attached to.
    private func inhabited(_ id: ID<Network>) -> Network? { residents[id] == nil ? nil : intents.networks[id] }

    private mutating func bind(_ id: ID<Pod>, _ work: inout Work) {
        let old = groups[id] ?? []
        var new: [GroupInstance] = []
        if let pod = intents.pods[id], isAttached(pod), pod.portSecurity {
            new = Set(pod.securityGroups).sorted().compactMap { intents.instance(of: $0, seenFrom: pod.network) }
        }
        guard old != new else { return }
        groups[id] = new.isEmpty ? nil : new
        for instance in Set(old).subtracting(new) {
            bound[instance]?.remove(id)
            if bound[instance]?.isEmpty ?? false {
                bound[instance] = nil
                work.groups.insert(instance)
            }
        }
        for instance in Set(new).subtracting(old) {
            if bound[instance] == nil { work.groups.insert(instance) }
            bound[instance, default: []].insert(id)
        }
    }

    /// Whether any rule lets the pod send: a flow of its own, or replies.
    private func maySend(_ pod: Pod) -> Bool {
        (groups[pod.id] ?? []).contains { !(intents.group($0.group)?.rules.isEmpty ?? true) }
    }

    private mutating func derivePod(_ id: ID<Pod>, _ work: inout Work) {
        var entries: [Entry] = []
        if let pod = intents.pods[id], isAttached(pod), let network = intents.networks[pod.network] {
            let groups = groups[id] ?? []
            let isStateless = groups.first.flatMap { intents.group($0.group) }.map { !$0.stateful } ?? false
            entries =
                PodPart(
                    pod: pod, network: network, epoch: epochs[id] ?? .first, layout: layout, groups: groups, isStateless: isStateless,
                    maySend: maySend(pod)
                ).entries
        }
        claims.set(.pod(id), to: entries, touched: &work.touched)
    }

    private mutating func derive(_ instance: GroupInstance, _ work: inout Work) {
        var entries: [Entry] = []
        var remotes: Set<RemoteSets.Owner> = []
        if bound[instance] != nil, let group = intents.group(instance.group) {
            remotes = Set(group.remoteAddressGroups.filter { intents.addressGroups[$0] != nil }.map { .addressGroup($0) })
            remotes.formUnion(group.remoteGroups.compactMap { intents.instance(of: $0, seenFrom: instance.network) }.map { .group($0) })
            let part = GroupPart(
                instance: instance, group: group, layout: layout,
                remoteGroup: { [intents] in intents.instance(of: $0, seenFrom: instance.network) },
                isKnown: { [intents] in intents.addressGroups[$0] != nil }, remoteSets: { [intents] in intents.sets(of: $0, $1) })
            entries = part.entries
        }
        let old = self.remotes[instance] ?? []
        self.remotes[instance] = remotes.isEmpty ? nil : remotes
        for remote in old.subtracting(remotes) {
            named[remote]?.remove(instance)
            if named[remote]?.isEmpty ?? false {
                named[remote] = nil
                changeNaming(of: remote, &work)
            }
        }
        for remote in remotes.subtracting(old) {
            if named.updateValue((named[remote] ?? []).union([instance]), forKey: remote) == nil { changeNaming(of: remote, &work) }
        }
        claims.set(.group(instance), to: entries, touched: &work.touched)
    }

    private func changeNaming(of remote: RemoteSets.Owner, _ work: inout Work) {
        work.remotes.insert(remote)
        guard case .group(let instance) = remote else { return }
        work.members[instance, default: []].formUnion(intents.members(of: instance.group, in: instance.network))
    }

    private mutating func deriveRemote(_ remote: RemoteSets.Owner, _ work: inout Work) {
        let isNamed = named[remote] != nil
        switch remote {
        case .group(let instance):
            let entries = isNamed ? MembersPart(instance: instance, ranges: intents.ranges(of: instance)).entries : []
            claims.set(.members(instance), to: entries, touched: &work.touched)
            guard !isNamed else { return }
            for id in intents.members(of: instance.group, in: instance.network) {
                claims.set(.member(instance, id), to: [], touched: &work.touched)
            }
        case .addressGroup(let id):
            let cidrs = isNamed ? intents.addressGroups[id]?.cidrs : nil
            claims.set(.addressGroup(id), to: cidrs.map { AddressGroupPart(id: id, cidrs: $0).entries } ?? [], touched: &work.touched)
        }
    }

    private mutating func deriveMembers(_ ids: Set<IntentID>, of instance: GroupInstance, _ work: inout Work) {
        let isNamed = named[.group(instance)] != nil
        let sets = MemberSets(of: instance)
        for id in ids {
            var entries: [Entry] = []
            if isNamed, let membership = memberships[id], membership.groups.contains(instance) {
                entries = sets.entries(of: id, at: membership.singles)
            }
            claims.set(.member(instance, id), to: entries, touched: &work.touched)
        }
    }
}

extension SecurityGroup {
    /// Nothing about who is bound to it, or how, depends on what differs.
    fileprivate func differsOnlyInRules(from other: SecurityGroup) -> Bool {
        id == other.id && network == other.network && stateful == other.stateful
    }
}
