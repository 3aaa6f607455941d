/// The chains, sets and rules of one group, there while a pod of this host is bound to it.
///
/// For each flow there are two chains, one that judges a packet by its own headers and one that judges a reply by the
/// packet that it answers. Rules about addresses are elements of sets, so a chain has as many rules as the group has remote
/// groups, not as many as it has rules. A few that would be all elements of their set stand in the chain themselves (Docs/Decisions/0034).
struct GroupPart {
    var instance: GroupInstance
    var group: SecurityGroup
    var layout: Layout
    /// The remote group that an id names in this network; nil: nobody knows it, so it matches nobody.
    var remoteGroup: (ID<SecurityGroup>) -> GroupInstance?
    /// Whether an address group is known; one that isn't matches nobody.
    var isKnown: (ID<AddressGroup>) -> Bool
    /// The sets of a remote that have anything to match: a remote group without ranges has no set of ranges.
    var remoteSets: (RemoteSets.Owner, Family) -> [NamedSet]

    /// As many boxes stand in the chain, for a packet is compared with so many sooner than it is looked for in a set of ranges.
    private static let few = 4

    var entries: [Entry] {
        var entries: [Entry] = []
        for flow in Flow.allCases {
            for way in Way.allCases {
                entries.append(entry(.chain(Chain(instance.chain(flow, way))), comment: instance.because.description))
            }
            for family in Family.allCases {
                let rules = group.rules.filter { $0.direction == flow.direction && $0.applies(to: family) }
                addressRules(rules, flow, family, to: &entries)
                remoteRules(rules, flow, family, to: &entries)
            }
        }
        return entries
    }

    private func entry(_ object: Object, comment: String) -> Entry { Entry(object, because: instance.because, comment: comment) }

    // MARK: Rules about addresses

    private func addressRules(_ rules: [Rule], _ flow: Flow, _ family: Family, to entries: inout [Entry]) {
        var shapes: [Shape: [Box]] = [:]
        for rule in rules {
            let prefix: Prefix
            switch rule.remote {
            case .anyone: prefix = .everything(family)
            case .cidr(let cidr) where cidr.family == family: prefix = cidr
            case .cidr, .group, .addressGroup: continue
            }
            let shape = Shape(of: rule)
            shapes[shape, default: []].append(shape.box(of: rule, addresses: prefix.numbers))
        }
        for shape in Shape.allCases {
            guard let layers = shapes[shape].map(Box.layers) else { continue }
            for way in Way.allCases {
                for (shown, role, isShared) in sets(of: layers, shape, flow, way, family) {
                    guard shown.count > Self.few else {
                        for box in shown {
                            let statements = tests(box, shape, flow, way, family) + [.counter, allow(flow, way)]
                            entries.append(entry(.rule(FilterRule(in: instance.chain(flow, way), statements)), comment: box.rule))
                        }
                        continue
                    }
                    let set = NamedSet(
                        Named(.inet, Naming.name(role, instance.name)), [family == .v4 ? .ipv4Address : .ipv6Address] + shape.key(family),
                        isInterval: true, counts: true)
                    if !isShared { add(set, shown, shape, family, addressed: true, to: &entries) }
                    let selectors = [remote(flow, way, family)] + shape.selectors(way, family)
                    entries.append(
                        entry(
                            .rule(FilterRule(in: instance.chain(flow, way), [.lookup(selectors, in: set.id.name), allow(flow, way)])),
                            comment: "\(instance.group): rules about addresses"))
                }
            }
        }
    }

    /// What a packet of a box must be like: the far end's address, and what its shape is about.
    private func tests(_ box: Box, _ shape: Shape, _ flow: Flow, _ way: Way, _ family: Family) -> Statements {
        let addresses: Statements
        if box.addresses != Prefix.everything(family).numbers {
            let range = AddressRange(
                first: IPAddress(box.addresses.lowerBound, family), last: IPAddress(box.addresses.upperBound, family))
            addresses = [.among(remote(flow, way, family), range)]
        } else {
            // A type of ICMP is of one family.
            addresses = shape == .icmp ? [] : [.family(family)]
        }
        return addresses + shape.tests(box, way, family)
    }

    // MARK: Rules about remote groups and address groups

    private func remoteRules(_ rules: [Rule], _ flow: Flow, _ family: Family, to entries: inout [Entry]) {
        var remotes: [RemoteSets.Owner: [Rule]] = [:]
        for rule in rules {
            switch rule.remote {
            case .group(let id):
                if let remote = remoteGroup(id) { remotes[.group(remote), default: []].append(rule) }
            case .addressGroup(let id):
                if isKnown(id) { remotes[.addressGroup(id), default: []].append(rule) }
            case .anyone, .cidr: continue
            }
        }
        for (owner, rules) in remotes.sorted(by: { $0.key.role < $1.key.role }) {
            let sets = remoteSets(owner, family)
            let shapes = Dictionary(grouping: rules) { Shape(of: $0) }
            for shape in Shape.allCases {
                guard let rules = shapes[shape] else { continue }
                let layers = Box.layers(rules.map { shape.box(of: $0, addresses: 0...0) })
                for way in Way.allCases {
                    rule(about: owner, sets, shape, layers, flow, way, family, to: &entries)
                }
            }
        }
    }

    private func rule(
        about owner: RemoteSets.Owner, _ sets: [NamedSet], _ shape: Shape, _ layers: [[Box]], _ flow: Flow, _ way: Way, _ family: Family,
        to entries: inout [Entry]
    ) {
        let comment = "\(instance.group): rules about \(owner.name)"
        // What is looked at before the address is, and after it.
        var services: [(before: Statements, after: Statements, comment: String)] = []
        for (shown, role, isShared) in self.sets(of: layers, shape, flow, way, family) {
            // Of protocols there is no set.
            if shape == .any || shown.count <= Self.few {
                for box in shown { services.append((shape.tests(box, way, family), [.counter], box.rule)) }
            } else {
                let set = NamedSet(
                    Named(.inet, Naming.name(role, instance.name, and: owner.role)), shape.key(family), isInterval: true, counts: true)
                if !isShared { add(set, shown, shape, family, addressed: false, to: &entries) }
                services.append(([], [.lookup(shape.selectors(way, family), in: set.id.name)], comment))
            }
        }
        for members in sets {
            for (before, after, comment) in services {
                let statements = before + [.lookup([remote(flow, way, family)], in: members.id.name)] + after + [allow(flow, way)]
                entries.append(entry(.rule(FilterRule(in: instance.chain(flow, way), statements)), comment: comment))
            }
        }
    }

    // MARK: Both

    /// What the sets of one way hold, the role that each is named by, and whether the other way has it already: replies show the same numbers, except
    /// those of ICMP.
    private func sets(
        of layers: [[Box]], _ shape: Shape, _ flow: Flow, _ way: Way, _ family: Family
    ) -> [(boxes: [Box], role: String, isShared: Bool)] {
        let isShared = way == .reply && shape != .icmp
        return layers.enumerated().compactMap { number, boxes in
            let shown = way == .reply ? shape.replies(to: boxes, family) : boxes
            guard !shown.isEmpty else { return nil }
            let layer = number == 0 ? "" : "-\(number)"
            return (shown, "\(flow.text)-\(shape.rawValue)-\(family.digit)\(layer)\(isShared ? "" : way.suffix)", isShared)
        }
    }

    /// No flow of a stateless group is stamped, so it must not turn the stamp of the other side's binding into a good one either.
    private func allow(_ flow: Flow, _ way: Way) -> Statement {
        .verdict(group.stateful ? .goto(Layout.allow(flow, way).name) : .accept)
    }

    private func add(_ set: NamedSet, _ boxes: [Box], _ shape: Shape, _ family: Family, addressed: Bool, to entries: inout [Entry]) {
        entries.append(entry(.set(set), comment: instance.because.description))
        for box in boxes {
            func bound(upper: Bool) -> [UInt8] {
                KeyBytes.of { key in
                    if addressed { key.address(IPAddress(upper ? box.addresses.upperBound : box.addresses.lowerBound, family)) }
                    shape.write(box, upper: upper, to: &key)
                }
            }
            entries.append(entry(.element(Element(set.id, bound(upper: false), through: bound(upper: true))), comment: box.rule))
        }
    }

    /// Where a packet shows the far end: a pod's own flows go to it, others' come from it, and replies the other way round.
    private func remote(_ flow: Flow, _ way: Way, _ family: Family) -> Selector {
        (flow == .out) == (way == .original) ? .destination(family) : .source(family)
    }
}

extension Rule {
    fileprivate func applies(to family: Family) -> Bool { self.family == nil || self.family == family }
}
