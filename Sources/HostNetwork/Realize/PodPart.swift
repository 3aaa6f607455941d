/// All that one attached pod has on this host: its veth pair, and its elements of the base sets.
struct PodPart {
    var pod: Pod
    var network: Network
    var epoch: Epoch
    var layout: Layout
    /// The pod's groups that are known, in the order of their slots.
    var groups: [GroupInstance]
    /// Whether its groups are stateless: then no flow is ever fresh, and replies need rules of their own.
    var isStateless: Bool
    /// Whether any rule lets the pod send anything.
    var maySend: Bool

    private var link: LinkName { LinkName(of: pod.id) }
    private var because: IntentID { pod.id.intent }

    var entries: [Entry] {
        let entries = (interface + spoofing + limits + (pod.portSecurity ? binding : unfiltered) + counting + crowd + fresh).map { object in
            // What pods share is nobody's alone, so a refusal of it isn't either.
            isShared(object) ? Entry(object, because: Layout.because, comment: "hawser") : Entry(object, because: because)
        }
        let shared = gateways.map { gateway in
            Entry(.element(Element(Layout.gateways(gateway.family).id, KeyBytes.of { $0.address(gateway) })), because: network.id.intent)
        }
        return entries + shared
    }

    private func isShared(_ object: Object) -> Bool {
        switch object {
        case .set, .chain, .rule: true
        default: false
        }
    }

    // MARK: The interface

    private var interface: [Object] {
        let host = End(link, .host)
        let side = End(link, .pod)
        let usesForeignAddresses = !pod.portSecurity || !pod.allowedAddressPairs.isEmpty
        var objects: [Object] = [
            .link(
                Link(
                    name: link, pod: pod.id, hostMAC: hostMAC, namespace: pod.namespace ?? "", interface: pod.interface, mac: pod.mac,
                    mtu: pod.mtu(in: network, over: layout.underlay), isUp: pod.adminUp,
                    reversePath: usesForeignAddresses ? .off : .strict))
        ]
        // Of a link that is down the kernel keeps neither routes nor neighbors nor addresses of IPv6, so nothing is wanted there.
        guard pod.adminUp else { return objects }
        for address in pod.addresses {
            objects.append(.address(InterfaceAddress(side, address)))
            objects.append(.route(Route(host, to: Prefix(address))))
            objects.append(.neighbor(NeighborEntry(host, address, at: pod.mac)))
        }
        for gateway in gateways {
            objects.append(.address(InterfaceAddress(host, gateway)))
            objects.append(.neighbor(NeighborEntry(side, gateway, at: hostMAC)))
        }
        for family in Family.allCases {
            guard let gateway = gateways.first(where: { $0.family == family }) else { continue }
            objects.append(.route(Route(side, to: .everything(family), through: gateway)))
        }
        return objects
    }

    /// Of the subnets that the pod has addresses in, in the order of the addresses.
    private var gateways: [IPAddress] {
        var seen: Set<IPAddress> = []
        return pod.addresses.compactMap { network.subnet(of: $0)?.gateway }.filter { seen.insert($0).inserted }
    }

    /// What the pod knows its gateways by: the link has one MAC, so of several the first counts.
    private var hostMAC: MAC {
        pod.addresses.lazy.compactMap { network.subnet(of: $0) }.first { $0.gatewayMAC != nil }?.gatewayMAC ?? Marks.hostMAC
    }

    // MARK: Who may send what

    /// A pod without port security has these, too: they tell whose addresses they are when it goes.
    private var spoofing: [Object] {
        var objects: [Object] = []
        for address in pod.addresses {
            own(pod.mac, address, to: &objects)
            objects.append(.element(Element(BaseSet.party(address.family).id, linkKey + address.bytes)))
        }
        var ranges: [MAC: [Prefix]] = [:]
        for pair in pod.allowedAddressPairs {
            let mac = pair.mac ?? pod.mac
            if pair.address.isHost {
                own(mac, pair.address.first, to: &objects)
            } else {
                ranges[mac, default: []].append(pair.address)
            }
        }
        for (mac, prefixes) in ranges.sorted(by: { $0.key < $1.key }) {
            for range in Prefix.disjointUnion(prefixes) { own(mac, range, to: &objects) }
        }
        objects.append(.element(Element(Layout.unaddressed.id, key(pod.mac))))
        // An address probe (RFC 5227): ARP from nobody yet.
        objects.append(.element(Element(BaseSet.own(.arp, .v4, ranges: false).id, key(pod.mac, .v4(0)))))
        return objects
    }

    private func own(_ mac: MAC, _ address: IPAddress, to objects: inout [Object]) {
        for table in tables(address.family) {
            objects.append(.element(Element(BaseSet.own(table, address.family, ranges: false).id, key(mac, address))))
        }
    }

    private func own(_ mac: MAC, _ range: AddressRange, to objects: inout [Object]) {
        for table in tables(range.family) {
            let set = BaseSet.own(table, range.family, ranges: true).id
            objects.append(.element(Element(set, key(mac, range.first), through: key(mac, range.last))))
        }
    }

    private func tables(_ family: Family) -> [TableFamily] { family == .v4 ? [.inet, .arp] : [.inet] }

    private func key(_ mac: MAC, _ address: IPAddress? = nil) -> [UInt8] {
        KeyBytes.of { key in
            key.name(link)
            key.mac(mac)
            if let address { key.address(address) }
        }
    }

    /// How often the pod may have the host keep something for it: fragments, until a datagram is whole, and neighbors.
    private var limits: [Object] {
        let discovery = TableFamily.allCases.map { Object.element(Element(BaseSet.discovery($0).id, linkKey)) }
        guard maySend, pod.portSecurity else { return discovery }
        return discovery + [.element(Element(BaseSet.fragments(layout.podFragments).id, linkKey))]
    }

    private var unfiltered: [Object] { TableFamily.allCases.map { .element(Element(BaseSet.unfiltered($0).id, linkKey)) } }

    /// Where invalid packets are dropped, only those of pods whose groups are stateful: to others tracking means nothing.
    private var counting: [Object] {
        let hasInvalid = layout.invalid == .rules || (pod.portSecurity && !isStateless)
        return Flow.allCases.map { .element(.denied(link, $0)) } + [.element(.deniedARP(link))]
            + (hasInvalid ? Flow.allCases.map { .element(.invalid(link, $0)) } : [])
    }

    var linkKey: [UInt8] { KeyBytes.of { $0.name(link) } }

    // MARK: The binding

    private var binding: [Object] {
        var objects: [Object] = []
        for (index, group) in groups.enumerated() {
            for flow in Flow.allCases {
                for way in Way.allCases {
                    let slot = BaseSet.slot(flow, way, index + 1)
                    objects.append(.set(slot.set))
                    objects.append(.rule(Layout.slotRule(flow, way, index + 1)))
                    objects.append(.element(Element(slot.id, linkKey, .jump(chain(of: group, flow, way).name))))
                }
            }
        }
        if !isStateless, !isShared { objects += stamps }
        return objects
    }

    /// A stateless group has no replies: what looks like one is judged as a packet of its own.
    private func chain(of group: GroupInstance, _ flow: Flow, _ way: Way) -> Named {
        guard isStateless, way == .reply else { return group.chain(flow, way) }
        return group.chain(flow == .out ? .in : .out, .original)
    }

    /// Whether another pod may use an address of this one's, or this one another's. A stamp doesn't say whose epoch it bears, so such a pod
    /// never gives one and never goes by one: each of its packets is judged.
    private var isShared: Bool { !pod.allowedAddressPairs.isEmpty }

    /// The epoch in force. It stands there also for a pod whose flows aren't stamped, so that it is remembered: its old stamps
    /// must not be good again when they are.
    private var fresh: [Object] {
        let isKept = isStateless || isShared
        return Flow.allCases.flatMap { flow in
            [.element(.fresh(link, epoch, flow, in: layout.marks, isKept: isKept))]
                + (isKept ? [] : pod.addresses.map { freshAt($0, flow) })
        }
    }

    /// What a link is sent is looked up by its destination, too: a pod may be sent what is for another one.
    private func freshAt(_ address: IPAddress, _ flow: Flow) -> Object {
        let stamp = KeyBytes.of { $0.mark(layout.marks.stamp(epoch, flow.field)) }
        return .element(Element(BaseSet.freshAt(flow, address.family).id, linkKey + address.bytes + stamp))
    }

    private var stamps: [Object] {
        Flow.allCases.flatMap { flow -> [Object] in
            [
                .chain(layout.stampChain(flow, epoch)),
                .element(Element(BaseSet.stamp(flow).id, linkKey, .jump(Layout.stampChain(flow, epoch).name))),
            ]
        }
    }
}

extension Element {
    /// What was denied to the pod behind a link.
    package static func denied(_ link: LinkName, _ flow: Flow) -> Element {
        Element(BaseSet.denied(flow).id, KeyBytes.of { $0.name(link) })
    }

    /// The counter of ARP messages that were denied to the pod behind a link.
    package static func deniedARP(_ link: LinkName) -> Element {
        Element(BaseSet.deniedARP.id, KeyBytes.of { $0.name(link) })
    }

    /// What tracking could make nothing of, of what the pod behind a link sent or was sent.
    package static func invalid(_ link: LinkName, _ flow: Flow) -> Element {
        Element(BaseSet.invalid(flow).id, KeyBytes.of { $0.name(link) })
    }

    /// The link, and the stamp of its binding's epoch.
    ///
    /// - Parameter isKept: the epoch is only remembered, in the bits of the other field, which a lookup never has.
    static func fresh(_ link: LinkName, _ epoch: Epoch, _ flow: Flow, in marks: MarkLayout, isKept: Bool) -> Element {
        Element(
            BaseSet.fresh(flow).id,
            KeyBytes.of { key in
                key.name(link)
                key.mark(marks.stamp(epoch, isKept ? flow.field.other : flow.field))
            })
    }
}
