import HostNetwork
import PolicyModel

extension Seeded {
    /// What some intents amount to: of a dense world or of the one in which everything collides.
    mutating func hostState() -> HostState {
        if once(in: 10) { return HostState() }
        if once(in: 3) {
            var intents = Intents()
            _ = intents.upsert(contentsOf: (0..<60).map { _ in intent() })
            return Desired(intents: intents, layout: Layout(), attachable: Set(intents.pods.keys), epochs: [:]).state
        }
        return scene(pods: number(0...4)).desired.state
    }

    /// The state after somebody else was at it, as the kernel would let them: nothing refers to what isn't there.
    mutating func damaged(_ state: HostState) -> HostState {
        var state = state
        // The same for the same seed, whatever the order in which this process keeps them.
        let keys = state.entries.keys.map {
            (key: $0, text: state[$0].map { Operation(.add, Entry($0, because: Layout.because)).text } ?? "")
        }
        .sorted { $0.text < $1.text }.map(\.key)
        for _ in 0..<number(0...8) { damage(&state, keys.randomElement(using: &self)) }
        return state
    }

    private mutating func damage(_ state: inout HostState, _ key: Object.Key?) {
        guard let key, let entry = state.entries[key] else { return leaveBehind(in: &state) }
        let because = IntentID(.pod, "somebody")
        switch entry.object {
        case .link(var link):
            if once(in: 3) {
                state.apply(Operation(.remove, entry))
            } else {
                if once(in: 2) { link.namespace += "-replaced" } else { link.isUp.toggle() }
                link.mtu = 1280
                state.insert(Entry(.link(link), because: because))
                // A link that is down keeps no routes.
                for (key, entry) in state.entries where !link.isUp && entry.object.link == link.name {
                    switch key {
                    case .route, .tableRoute: state.remove(key)
                    default: continue
                    }
                }
            }
        case .address, .rule, .tableRule: state.apply(Operation(.remove, entry))
        case .route(let route) where route.kind != .way: state.apply(Operation(.remove, entry))
        case .route(var route):
            route.gateway = route.gateway == nil ? .v4(1) : nil
            state.insert(Entry(.route(route), because: because))
        case .neighbor(var neighbor):
            neighbor.mac = MAC(9)
            state.insert(Entry(.neighbor(neighbor), because: because))
        case .tunnel(var tunnel):
            switch number(0...2) {
            case 0: state.apply(Operation(.remove, entry))
            case 1:
                tunnel.mac = MAC(0)
                tunnel.mtu -= 1
                state.insert(Entry(.tunnel(tunnel), because: because))
            default:
                tunnel.isUp = false
                state.insert(Entry(.tunnel(tunnel), because: because))
                // Neither routes nor neighbors are left of a link that is down.
                for key in state.keys(on: tunnel.name) {
                    switch key {
                    case .route, .tableRoute, .neighbor: state.remove(key)
                    default: continue
                    }
                }
            }
        case .forwarding(var forwarding):
            forwarding.host = .v4(9)
            state.insert(Entry(.forwarding(forwarding), because: because))
        case .element(var element):
            if once(in: 2) || element.verdict == nil {
                state.apply(Operation(.remove, entry))
            } else {
                element.verdict = .drop
                state.insert(Entry(.element(element), because: because))
            }
        case .chain(var chain):
            chain.body = once(in: 2) ? [] : [[.counter]] + chain.body
            state.insert(Entry(.chain(chain), because: because))
        case .set(var set):
            guard once(in: 3) else { return leaveBehind(in: &state) }
            set.counts.toggle()
            state.apply(Operation(.remove, entry))
            state.insert(Entry(.set(set), because: because))
        case .table(let family):
            guard once(in: 2) else { return }
            state.apply(Operation(.remove, Entry(.table(family), because: because)))
        }
    }

    /// Objects of an older version, or of a pod that nobody knows any more.
    private mutating func leaveBehind(in state: inout HostState) {
        let family: TableFamily = pick(.inet, .inet, .arp)
        let name = "old-\(number(0...3))"
        let (chain, other) = (Named(family, "\(name)-that-names"), Named(family, "\(name)-other"))
        let (set, map) = (NamedSet(Named(family, "\(name)-set"), [.ifname]), NamedSet(Named(family, "\(name)-map"), [.ifname], isMap: true))
        let key = KeyBytes.of { $0.name(LinkName(reported: "gone0")) }
        var objects: [Object] = [.table(family)]
        objects += [
            .set(set.id == map.id ? map : set), .set(map), .element(Element(set.id, key)),
            .element(Element(map.id, key, .jump(other.name))),
        ]
        // Either refers to the other by its place or by its name.
        objects.append(.chain(Chain(other, body: once(in: 2) ? [] : [[.lookup([.iifname], in: set.id.name), .verdict(.accept)]])))
        let rule: Statements = [.dispatch([.iifname], by: map.id.name)]
        objects.append(.chain(Chain(chain, body: once(in: 2) ? [rule, [.verdict(.goto(other.name))]] : [])))
        objects.append(.rule(FilterRule(in: chain, [.lookup([.iifname], in: set.id.name), .verdict(.jump(other.name))])))
        let pod = nearPod(number(20...22))
        let link = LinkName(of: pod.id)
        objects.append(
            .link(
                Link(
                    name: link, pod: pod.id, hostMAC: Marks.hostMAC, namespace: "", interface: "eth0", mac: pod.mac, mtu: 1500, isUp: true,
                    reversePath: .strict)))
        objects.append(
            .element(
                Element(
                    Layout.unaddressed.id,
                    KeyBytes.of {
                        $0.name(link); $0.mac(pod.mac)
                    })))
        for address in pod.addresses {
            objects.append(.address(InterfaceAddress(End(link, .pod), address)))
            let route = Object.route(Route(End(link, .host), to: Prefix(address)))
            if state[route.key] == nil { objects.append(route) }
        }
        for object in objects
        where object.element == nil || state[.set(object.element?.set ?? set.id)] != nil || object.element?.set != Layout.unaddressed.id {
            state.insert(Entry(object, because: pod.id.intent))
        }
    }
}
