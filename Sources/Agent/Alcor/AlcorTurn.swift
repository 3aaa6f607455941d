import HawserProtocol
import HostNetwork

/// Takes the states of one message, against what is in force and what is remembered when their turn comes. Pure.
struct AlcorTurn {
    /// What one intent is to be; nil for one that goes.
    private var wishes: [IntentID: Intent?] = [:]
    /// In the order in which they were named.
    private var order: [IntentID] = []
    private(set) var verdicts: [Verdict] = []
    private(set) var ledger: AlcorLedger
    /// What waited for a subnet that this message has brought.
    private(set) var woken: [Verdict] = []
    private let intents: Intents
    private let settings: Settings.Alcor
    private let scope: Scope?
    /// Subnets that this message brings and that were refused: what is in them can't be made either. A later
    /// message that names one of them finds it unknown, and waits for it.
    private var refused: [String: Rejected] = [:]

    /// - Parameter scope: what the client may change; nil: everything.
    init(
        _ states: [AlcorState], _ ledger: AlcorLedger, _ intents: Intents, _ settings: Settings.Alcor,
        scope: Scope? = nil
    ) {
        self.ledger = ledger
        self.intents = intents
        self.settings = settings
        self.scope = scope
        for state in states { verdicts.append(judge(state)) }
        wake()
    }

    /// What is asked of the reconciler. Deletions last, and who is bound before what he is bound to.
    var change: Change {
        let upserts = order.compactMap { wishes[$0] ?? nil }
        let deletions = order.filter { wishes[$0] == .some(nil) }.sorted { $0.kind == $1.kind ? $0.id < $1.id : $0.kind > $1.kind }
        return Change(upserts: upserts, deletions: deletions, scope: scope)
    }

    // MARK: One state

    /// A state that can't be written down is refused by itself.
    private mutating func judge(_ state: AlcorState) -> Verdict {
        do { return try verdict(on: state) } catch {
            return .said(.failure, "can't be remembered, so not applied: \(error)")
        }
    }

    private mutating func verdict(on state: AlcorState) throws -> Verdict {
        let key = AlcorLedger.Key(type: state.type, id: state.id)
        if let scope {
            guard admits(state, key, scope) else { return .refused(scope.refusal(of: state.intent)) }
            // What the network is stays as it is, and nothing of it is remembered: not even a revision.
            if state.type == .vpc || state.type == .subnet { return said(state, key) }
        }
        switch state.asked {
        case .refused(let rejected):
            // Not while an earlier content of it is in force.
            if state.type == .subnet, ledger.entries[key] == nil { refused[state.id] = rejected }
            return .refused(rejected)
        case .question: return answer(state, key)
        default: break
        }
        if let inForce = inForce(state, key), 0 < state.revision, state.revision < inForce {
            return .said(.outOfOrder, "revision \(inForce) is in force")
        }
        switch state.asked {
        case .refused, .question: return .said(.failure)
        case .deletion: return delete(state, key)
        case .vpc(let id):
            try ledger.remember(state)
            return put(network(id) ?? Network(id: id, isolated: settings.isolated))
        case .subnet(let subnet, let network): return try take(subnet, of: network, state)
        case .group(let edit):
            let id = edit.group.id.intent
            let present: SecurityGroup? =
                if case .securityGroup(let group)?? = wishes[id] { group } else if wishes[id] == .some(nil) { nil } else { inForce(edit) }
            wish(.securityGroup(edit.applied(to: present)))
            return .of(id)
        case .port(let pod, let places, let attachment):
            return try take(.pod(attached(pod, attachment)), of: pod.network, places, state, isDone: attachment == .detached)
        case .neighbor(var neighbor, let places):
            // A message may tell of one neighbor piece by piece: "L2/…" and "L3/…", or an address in each.
            if case .neighbor(let earlier)?? = wishes[neighbor.id.intent] {
                neighbor.addresses = earlier.addresses + neighbor.addresses.filter { !earlier.addresses.contains($0) }
                neighbor.securityGroups = earlier.securityGroups + neighbor.securityGroups.filter { !earlier.securityGroups.contains($0) }
            }
            return try take(.neighbor(neighbor), of: neighbor.network, places, state)
        case .router(let router): return try take(router, state)
        case .record(let note):
            try ledger.remember(state)
            return .said(.success, note)
        }
    }

    /// The revision of what is in force, or waits.
    private func inForce(_ state: AlcorState, _ key: AlcorLedger.Key) -> UInt32? {
        if let id = state.intent, let intent = intents[id], !intents.leaving.contains(id), state.type != .vpc {
            return UInt32(clamping: intent.revision)
        }
        return ledger.revision(of: key)
    }

    private func inForce(_ edit: GroupEdit) -> SecurityGroup? {
        intents.leaving.contains(edit.group.id.intent) ? nil : intents.group(edit.group.id)
    }

    private func answer(_ state: AlcorState, _ key: AlcorLedger.Key) -> Verdict {
        let isKnown: Bool
        if let id = state.intent {
            isKnown = wishes[id].map { $0 != nil } ?? (intents[id] != nil)
        } else {
            isKnown = ledger.entries[key] != nil
        }
        return isKnown ? .said(.success) : .said(.failure, "not known here")
    }

    /// Whether the client may change it, or ask about it: as it is to be, as it is, and as it waits to be.
    private func admits(_ state: AlcorState, _ key: AlcorLedger.Key, _ scope: Scope) -> Bool {
        switch state.type {
        case .vpc:
            guard scope.networks.contains(ID(state.id)) else { return false }
            return switch state.asked {
            case .question: true
            case .vpc(let network): intents.networks[network] != nil
            default: false
            }
        case .subnet:
            return switch state.asked {
            case .question: ledger.owner(ofSubnet: state.id).map(scope.networks.contains) ?? false
            case .subnet(let subnet, let network): scope.networks.contains(network) && isInForce(subnet, of: network)
            default: false
            }
        case .securitygroup, .port, .neighbor:
            let there = [ledger.waiting[key]?.wanted, state.intent.flatMap { intents[$0] }].compactMap(\.self)
            if there.isEmpty, let id = state.intent, !scope.mayName(id, in: intents) { return false }
            return (there + [state.wanted].compactMap(\.self)).allSatisfy(scope.admits)
        // Routes are what the network is; the others are of no network, as far as this version knows.
        case .router, .dhcp, .gateway, .UNRECOGNIZED: return false
        }
    }

    /// Whether a subnet is known just so, whatever routers say of its routes and its gateway's MAC.
    private func isInForce(_ subnet: Subnet, of network: ID<Network>) -> Bool {
        guard var there = intents.networks[network]?.subnets.first(where: { $0.id == subnet.id }) else { return false }
        there.routes = []
        if subnet.gatewayMAC == nil { there.gatewayMAC = nil }
        return there == subnet
    }

    /// The answer about what is known already.
    private func said(_ state: AlcorState, _ key: AlcorLedger.Key) -> Verdict {
        if case .question = state.asked { answer(state, key) } else { .said(.success) }
    }

    // MARK: Deletions

    private mutating func delete(_ state: AlcorState, _ key: AlcorLedger.Key) -> Verdict {
        let owner = ledger.owner(ofSubnet: state.id)
        let tables = ledger.routers[state.id].map { Set($0.tables.keys) } ?? []
        let before = ledger
        ledger.forget(key)
        switch state.type {
        case .subnet:
            refused[state.id] = nil
            guard let owner, var network = network(owner) else { return .said(.success) }
            network.subnets.removeAll { $0.id == state.id }
            do throws(Rejected) { try intents.judge(.network(network)) } catch {
                ledger = before
                return .said(.failure, Answer(error).sentence)
            }
            return put(routed(network).network)
        case .vpc, .securitygroup, .port, .neighbor:
            guard let id = state.intent else { return .said(.success) }
            if state.type == .vpc { ledger.forgetSubnets(of: ID(state.id)) }
            if wishes.updateValue(nil, forKey: id) == nil { order.append(id) }
            return .gone(id)
        case .router:
            let networks = owners(of: tables)
            for network in networks { _ = put(routed(network).network) }
            return networks.first.map { .of($0.id.intent, isDone: true) } ?? .said(.success)
        case .dhcp, .gateway, .UNRECOGNIZED: return .said(.success)
        }
    }

    // MARK: Routers

    /// The router's rules become routes of its subnets; those of subnets that aren't known yet wait for them.
    private mutating func take(_ router: Alcor_Schema_RouterState, _ state: AlcorState) throws -> Verdict {
        let before = ledger
        let old = ledger.routers[state.id].map { Set($0.tables.keys) } ?? []
        let whole = AlcorState(router.applied(to: ledger.router(state.id)), settings)
        try ledger.remember(whole)
        guard let new = ledger.routers[state.id] else { return .said(.failure) }
        var waits = new.tables.filter { !$0.value.isEmpty && ledger.owner(ofSubnet: $0.key) == nil }.keys.sorted().map { "subnet \($0)" }
        var made: [AlcorRoutes] = []
        for network in owners(of: old.union(new.tables.keys)) {
            let routes = routed(network)
            if let refused = routes.refused.first {
                ledger = before
                return .refused(refused)
            }
            waits += routes.waits
            made.append(routes)
        }
        for routes in made { _ = put(routes.network) }
        guard waits.isEmpty else { return .said(.pending, "waits for " + waits.joined(separator: ", ")) }
        return made.first.map { .of($0.network.id.intent) } ?? .said(.success)
    }

    /// The networks of subnets, as far as they are known.
    private func owners(of subnets: Set<String>) -> [Network] {
        Set(subnets.compactMap { ledger.owner(ofSubnet: $0) }).sorted().compactMap { network($0) }
    }

    /// The network with what routers say of its subnets.
    private func routed(_ network: Network) -> AlcorRoutes {
        // What of it came by another way says its routes itself.
        AlcorRoutes(
            network, of: { ledger.owner(ofSubnet: $0) == network.id }, by: ledger.routers.sorted { $0.key < $1.key }.map(\.value),
            ledger.gatewayMAC(ofSubnet:))
    }

    // MARK: Networks

    /// As this message leaves it.
    private func network(_ id: ID<Network>) -> Network? {
        switch wishes[id.intent] {
        case .network(let network)??: network
        case .some: nil
        case nil: intents.networks[id]
        }
    }

    private mutating func take(_ subnet: Subnet, of id: ID<Network>, _ state: AlcorState) throws -> Verdict {
        var network = network(id) ?? Network(id: id, isolated: settings.isolated)
        if let other = network.subnets.first(where: { $0.id != subnet.id && $0.cidr.overlaps(subnet.cidr) }) {
            return .refused(.alcor("cidr", subnet.cidr, "overlaps \(other.cidr) of subnet \(other.id)"))
        }
        if let position = network.subnets.firstIndex(where: { $0.id == subnet.id }) {
            network.subnets[position] = subnet
        } else {
            network.subnets.append(subnet)
        }
        do throws(Rejected) { try intents.judge(.network(network)) } catch { return .refused(error) }
        try ledger.remember(state)
        refused[subnet.id] = nil
        return put(routed(network).network)
    }

    private mutating func put(_ network: Network) -> Verdict {
        wish(.network(network))
        // Next hops that aren't there yet are what its routers wait for, not the network.
        return .of(network.id.intent, isDone: true)
    }

    private mutating func wish(_ intent: Intent) {
        if wishes.updateValue(intent, forKey: intent.id) == nil { order.append(intent.id) }
    }

    // MARK: Ports and neighbors

    /// What the state leaves unsaid of its pod's side stays as it is.
    private func attached(_ pod: Pod, _ attachment: AlcorState.Attachment) -> Pod {
        guard let present = intents.pods[pod.id] else { return pod }
        var pod = pod
        pod.interface = present.interface
        pod.mtu = present.mtu
        if attachment == .unsaid { pod.namespace = present.namespace }
        return pod
    }

    private mutating func take(
        _ intent: Intent, of id: ID<Network>, _ places: [AlcorState.Place], _ state: AlcorState, isDone: Bool = false
    ) throws -> Verdict {
        let network = network(id)
        for place in places {
            guard let subnet = network?.subnets.first(where: { $0.id == place.subnet }) else {
                // It would be taken with the subnet, by the right of whoever tells of that.
                guard scope == nil else { return .said(.failure, "subnet \(place.subnet) of VPC \(id) isn't known here") }
                if let refused = refused[place.subnet] {
                    return .said(
                        .invalidArg, "subnet \(place.subnet) was refused: \(Answer(refused).sentence ?? "")")
                }
                try ledger.remember(state, waits: true)
                return .said(.failure, "subnet \(place.subnet) of VPC \(id) isn't known here; applied by itself once it is")
            }
            guard subnet.cidr.contains(place.address) else {
                return .refused(.alcor(place.field, place.address, "outside of subnet \(subnet.id)", valid: "an address of \(subnet.cidr)"))
            }
        }
        ledger.forget(AlcorLedger.Key(type: state.type, id: state.id))
        wish(intent)
        return .of(intent.id, isDone: isDone)
    }

    /// Takes what has waited, where all its subnets are known now.
    private mutating func wake() {
        guard order.contains(where: { $0.kind == .network }) else { return }
        for (_, state) in ledger.waiting.sorted(by: { $0.key.id < $1.key.id }) {
            let (network, places): (ID<Network>, [AlcorState.Place])
            switch state.asked {
            case .port(let pod, let there, _): (network, places) = (pod.network, there)
            case .neighbor(let neighbor, let there): (network, places) = (neighbor.network, there)
            default: continue
            }
            guard scope?.networks.contains(network) ?? true else { continue }
            let known = Set(self.network(network)?.subnets.map(\.id) ?? [])
            guard places.allSatisfy({ known.contains($0.subnet) }) else { continue }
            woken.append(judge(state))
        }
    }
}
