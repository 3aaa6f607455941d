/// The steps from one state of the host to another, in order.
package struct Plan: Hashable, Sendable {
    /// Sorted by phase. What belongs to the firewall is one transaction.
    package var steps: [Operation] = []
    /// Stamps of bindings from which something was taken away. They are a transaction of their own, for when every packet
    /// that began under the old rules is through: a stamp is then never earned by a rule that is gone. Until then flows of
    /// these bindings are judged packet by packet.
    package var stamps: [Operation] = []
    /// Addresses that pods may not use any more: their tracked flows are forgotten before another can have them.
    package var forgotten: [AddressRange] = []
    /// Addresses of pods whose epochs began anew: stamps of their tracked flows are wiped before the first step, and
    /// again before the stamps.
    package var rewound: [AddressRange] = []
    /// Links of pods that somebody waits for: theirs are the new addresses whose arrival is worth waiting for. Nobody waits for a repair.
    package var awaited: Set<LinkName> = []

    package init() {}

    package var isEmpty: Bool { steps.isEmpty && stamps.isEmpty }

    /// Everything that differs.
    package init(from actual: HostState, to desired: HostState) {
        self.init(from: actual, to: desired, touching: actual.keys(differingFrom: desired))
    }

    /// What differs among these objects; the caller knows that nothing else does.
    package init(from actual: HostState, to desired: HostState, touching keys: Set<Object.Key>) {
        var pairs = keys.map { Pair($0, from: actual, to: desired) }.filter { $0.before != $0.after }
        if pairs.contains(where: \.wantsNewTable) {
            self.init(replacingTablesOf: actual, by: desired)
            return
        }
        self.init()
        let gone = Set(pairs.compactMap(\.linkGone))
        let replaced = gone.filter { desired[.link($0)] != nil }
        let readdressed = pairs.flatMap(\.endsReaddressed)
        if !replaced.isEmpty || !readdressed.isEmpty {
            // What stays as it is wanted, but not where it is.
            let differing = Set(pairs.map(\.key))
            for (key, entry) in desired.entries where !differing.contains(key) {
                let isLost = entry.object.link.map(replaced.contains) ?? false || readdressed.contains(where: entry.object.isNeighbor)
                if isLost { pairs.append(Pair(key, from: actual, to: desired)) }
            }
        }
        for pair in pairs {
            var before = pair.before
            if !gone.isEmpty, let link = before?.object.link, gone.contains(link), pair.key != .link(link) {
                // It goes with its link.
                before = nil
            } else if !readdressed.isEmpty, let old = before?.object, pair.after != nil, readdressed.contains(where: old.isNeighbor) {
                // It goes with its end's MAC.
                before = nil
            }
            step(from: before, to: pair.after, on: actual)
        }
        forgetRanges(outside: desired)
        dropWhatGoesAnyway()
        steps = Order.sorted(steps)
        stamps = Order.sorted(stamps)
    }

    /// The order of a plan of additions alone, for a host that has nothing.
    package init(making desired: HostState) { self.init(from: HostState(), to: desired) }

    private init(replacingTablesOf actual: HostState, by desired: HostState) {
        var bare = actual
        var removals: [Operation] = []
        for (key, entry) in actual.entries where entry.object.isRuleset {
            bare.remove(key)
            if case .table = entry.object { removals.append(Operation(.remove, entry)) }
        }
        self.init(from: bare, to: desired)
        // Nobody sees the tables gone: it is one transaction.
        let firewall = steps.firstIndex { $0.object.isRuleset } ?? steps.endIndex
        steps.insert(contentsOf: removals, at: firewall)
    }

    /// An object as it is and as it is to be; looked up once, for there may be tens of thousands.
    private struct Pair {
        let key: Object.Key
        let before: Entry?
        let after: Entry?

        init(_ key: Object.Key, from actual: HostState, to desired: HostState) {
            self.key = key
            before = actual.entries[key]
            after = desired.entries[key]
        }

        var wantsNewTable: Bool {
            guard let before, let after else { return false }
            return switch (before.object, after.object) {
            case (.set(let old), .set(let new)): old != new
            case (.chain(let old), .chain(let new)): old.base != new.base
            default: false
            }
        }

        /// The link that goes, or is made anew.
        var linkGone: LinkName? {
            guard case .link(let name) = key, let before, !(after.map { before.object.canBecome($0.object) } ?? false) else { return nil }
            return name
        }

        var endsReaddressed: [End] {
            guard case .link = key, let before, let after else { return [] }
            return before.object.endsReaddressed(by: after.object)
        }
    }

    private mutating func step(from before: Entry?, to after: Entry?, on actual: HostState) {
        switch (before, after) {
        case (nil, nil): return
        case (nil, let new?): add(new, on: actual)
        case (let old?, nil):
            steps.append(Operation(.remove, emptied(old)))
            note(old)
        case (let old?, let new?):
            if old == new { return }
            switch (old.object, new.object) {
            case (let from, let to) where !from.canBecome(to):
                steps.append(Operation(.remove, old))
                add(new, on: actual)
            case (.element, .element):
                steps.append(Operation(.remove, old))
                add(new, on: actual)
            default: steps.append(Operation(.change(from: old.object), new))
            }
        }
    }

    private mutating func add(_ entry: Entry, on actual: HostState) {
        if case .link(var link) = entry.object, link.isUp {
            // Made down: it comes up when its policy is in force.
            link.isUp = false
            let down = Entry(.link(link), because: entry.because, comment: entry.comment)
            steps.append(Operation(.add, down))
            steps.append(Operation(.change(from: down.object), entry))
            return
        }
        let operation = Operation(.add, entry)
        // A pair that is new has no packets under way.
        if Phase.of(operation) == .stamp, let link = entry.object.element?.link, actual[.link(link)] != nil {
            stamps.append(operation)
        } else {
            steps.append(operation)
        }
    }

    /// An address that a pod may not send from any more. Its element tells, which outlives a pair that somebody else took away.
    private mutating func note(_ old: Entry) {
        guard let element = old.object.element else { return }
        if let address = element.ownAddress { forgotten.append(address) }
    }

    /// The same of ranges that pods may use, but for what else of the pod's own is in them.
    private mutating func forgetRanges(outside desired: HostState) {
        var gone: [LinkName: [AddressRange]] = [:]
        for step in steps where step.action == .remove {
            guard let element = step.object.element, let link = element.link, let range = element.ownRange else { continue }
            gone[link, default: []].append(range)
        }
        guard !gone.isEmpty else { return }
        var kept: [LinkName: [AddressRange]] = [:]
        for case .element(let element) in desired.entries.values.lazy.map(\.object) {
            guard let link = element.link, gone[link] != nil, let range = element.ownRange ?? element.ownAddress else { continue }
            kept[link, default: []].append(range)
        }
        for (link, ranges) in gone.sorted(by: { $0.key < $1.key }) {
            forgotten += ranges.sorted().flatMap { $0.subtracting(kept[link] ?? []) }
        }
    }

    /// A chain whose rules name another chain is emptied first, for the other may go before it. A rule that Hawser doesn't
    /// write, as one of an earlier version, may name any.
    private mutating func emptied(_ old: Entry) -> Entry {
        guard case .chain(var chain) = old.object, chain.body.joined().contains(where: \.mayNameChain) else { return old }
        chain.body = []
        let bare = Entry(.chain(chain), because: old.because, comment: old.comment)
        steps.append(Operation(.change(from: old.object), bare))
        return bare
    }

    /// What goes with its table, set or chain needs no step of its own. Elements of a map do, for they keep chains, and so do rules
    /// that name a chain which may go before theirs.
    private mutating func dropWhatGoesAnyway() {
        var tables: Set<TableFamily> = []
        var holders: Set<Named> = []
        for step in steps where step.action == .remove {
            switch step.object {
            case .table(let family): tables.insert(family)
            case .set(let set) where !set.isMap: holders.insert(set.id)
            case .chain(let chain): holders.insert(chain.id)
            default: continue
            }
        }
        guard !holders.isEmpty || !tables.isEmpty else { return }
        steps.removeAll { step in
            if case .table = step.object { return false }
            if let table = step.object.table, tables.contains(table) { return true }
            guard step.action == .remove, let container = step.object.container, holders.contains(container) else { return false }
            guard case .rule(let rule) = step.object else { return true }
            return !rule.statements.contains { $0.chain.map { holders.contains(Named(container.family, $0)) } ?? false }
        }
    }
}

/// Phase by phase, and in a phase what belongs together side by side: elements of one set share messages.
private struct Order: Comparable {
    /// The phase, whether it is about groups, and the rank of the set or chain, from the highest bits to the lowest.
    private let rank: Int
    private let name: String
    private let key: [UInt8]

    /// - Parameter places: the ranks of all sets and chains, so that names aren't compared again and again.
    private init(_ operation: Operation, _ places: [Named: Int]) {
        let phase = Phase.of(operation)
        let object = operation.object
        let place = object.place
        // The kernel finds a set by going through all of a table's, in the order in which they came (`nft_set_lookup`): those
        // of every pod are found at once where they come before those of groups.
        let isForGroups = phase == .setMade && place.flatMap { BaseSet($0) } == nil
        rank = phase.rawValue << 48 | (isForGroups ? 1 : 0) << 47 | (place.flatMap { places[$0] } ?? 0)
        if case .rule(let rule) = object {
            // Any order means the same, but the first rule that matches ends the search: those that look nothing up stand before
            // `ip saddr . th dport @in-…`, one for all rules about addresses, and that before `ip saddr @members-…`, one for each remote group.
            name = (rule.statements.contains { $0.set != nil } ? "1 " : "0 ") + rule.statements.map(\.text).joined(separator: " ")
        } else {
            name = object.link?.value ?? ""
        }
        key = object.element?.key ?? []
    }

    static func sorted(_ operations: [Operation]) -> [Operation] {
        let names = Set(operations.compactMap(\.object.place)).sorted()
        let places = Dictionary(uniqueKeysWithValues: zip(names, 1...))
        let orders = operations.map { Order($0, places) }
        return orders.indices.sorted { orders[$0] < orders[$1] }.map { operations[$0] }
    }

    static func < (a: Self, b: Self) -> Bool {
        if a.rank != b.rank { return a.rank < b.rank }
        return a.name == b.name ? a.key.lexicographicallyPrecedes(b.key) : a.name < b.name
    }
}

extension Object {
    /// The set or chain that it is, or is in.
    fileprivate var place: Named? { container ?? holder }
}

extension Element {
    /// The range of addresses that its link may send from.
    fileprivate var ownRange: AddressRange? {
        guard case .own(.inet, _, ranges: true)? = BaseSet(set), let end else { return nil }
        guard let first = IPAddress(bytes: key.dropFirst(24)), let last = IPAddress(bytes: end.dropFirst(24)) else { return nil }
        return AddressRange(first, last)
    }

    /// The single address that its link may send from.
    fileprivate var ownAddress: AddressRange? {
        guard case .own(.inet, _, ranges: false)? = BaseSet(set) else { return nil }
        return IPAddress(bytes: key.dropFirst(24)).map { AddressRange(Prefix($0)) }
    }
}

extension Operation {
    /// Whether a pod loses an address of this range, or all of it, by this.
    package func takesAway(_ range: AddressRange) -> Bool {
        guard action == .remove, let element = object.element, let own = element.ownAddress ?? element.ownRange else { return false }
        return own.contains(range.first)
    }
}

extension Object {
    /// Whether a link can become another without being made anew; all else can.
    fileprivate func canBecome(_ other: Object) -> Bool {
        switch (self, other) {
        case (.link(let old), .link(let new)): old.canBecome(new)
        case (.tunnel(let old), .tunnel(let new)): old.canBecome(new)
        case (.link, _), (.tunnel, _), (_, .link), (_, .tunnel): false
        // The kernel replaces a route by one of the same kind only (`fib6_add_rt2node`, net/ipv6/ip6_fib.c).
        case (.route(let old), .route(let new)): old.kind == new.kind
        default: true
        }
    }

    package var element: Element? { if case .element(let element) = self { element } else { nil } }
}

extension Statement {
    /// The chain that it names.
    fileprivate var chain: String? { if case .verdict(let verdict) = self { verdict.chain } else { nil } }

    fileprivate var mayNameChain: Bool { if case .foreign = self { true } else { chain != nil } }
}
