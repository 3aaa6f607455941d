package import HostNetwork

/// What the kernel lists of Hawser's tables.
///
/// A rule says what it does, not which rule it is; it is told by its fingerprint among those that may be expected.
package struct Listing {
    /// Those that are there and don't sleep.
    var tables: [TableFamily] = []
    var chains: [(chain: Chain, rules: [Firewall.ListedRule])] = []
    var sets: [(set: NamedSet, comment: String?, elements: [(Element, String?)])] = []
    /// All that was looked at; nil: everything.
    private let suspects: Suspects?

    init(suspects: Suspects?) { self.suspects = suspects }

    /// Whether it is worth other threads' while.
    var isLong: Bool { chains.count + sets.count >= ContentReaders.few }

    /// The chains and sets, whose contents are read one by one.
    var holders: [Holder] { chains.map { .chain($0.chain.id) } + sets.map { .set($0.set) } }

    /// - Parameter index: among `holders`.
    mutating func put(_ contents: HolderContents, at index: Int) {
        switch contents {
        case .rules(let rules): chains[index].rules = rules
        case .elements(let elements): sets[index - chains.count].elements = elements
        }
    }

    /// The same as parts of a state, with whose they are where they are desired. A rule that isn't expected is told by its fingerprint alone,
    /// so that it goes.
    package func entries(expecting desired: HostState) -> [Entry] {
        let known = Known(desired, suspects)
        var entries = tables.map { Entry(.table($0), because: Layout.because) }
        for (chain, rules) in chains { known.add(chain, rules, to: &entries) }
        for (set, comment, elements) in sets {
            entries.append(Entry(.set(set), because: Layout.because, comment: comment))
            for (element, comment) in elements {
                entries.append(Entry(.element(element), because: known.because(.element(element)), comment: comment))
            }
        }
        return entries
    }
}

/// What is expected to be there, to tell the kernel's rules by.
private struct Known {
    var statements: [Named: [String: Statements]] = [:]
    var orderedChains: Set<Named> = []
    private let desired: HostState

    init(_ desired: HostState, _ suspects: Suspects?) {
        self.desired = desired
        for entry in desired.entries.values where suspects?.covers(entry.object) ?? true {
            switch entry.object {
            case .rule(let rule): add(rule.statements, in: rule.chain)
            case .chain(let chain):
                if statements[chain.id] == nil { statements[chain.id] = [:] }
                if !chain.body.isEmpty { orderedChains.insert(chain.id) }
                for rule in chain.body { add(rule, in: chain.id) }
            default: continue
            }
        }
    }

    private mutating func add(_ rule: Statements, in chain: Named) {
        statements[chain, default: [:]][Fingerprint.of(rule, in: chain)] = rule
    }

    func add(_ chain: Chain, _ listed: [Firewall.ListedRule], to entries: inout [Entry]) {
        var chain = chain
        let rules = listed.map { rule in
            (statements: statements[chain.id]?[rule.fingerprint] ?? [.foreign(rule.fingerprint)], comment: rule.comment)
        }
        // Rules of a chain that isn't desired, as of an earlier version, may lead to others that go with it.
        let isDesired = statements[chain.id] != nil
        if orderedChains.contains(chain.id) || !isDesired { chain.body = rules.map(\.statements) }
        entries.append(Entry(.chain(chain), because: because(.chain(chain))))
        guard !orderedChains.contains(chain.id), isDesired else { return }
        for rule in rules {
            let object = Object.rule(FilterRule(in: chain.id, rule.statements))
            entries.append(Entry(object, because: because(object), comment: rule.comment))
        }
    }

    /// Whose an object is, where it is still wanted.
    func because(_ object: Object) -> IntentID { desired.entries[object.key]?.because ?? Layout.because }
}
