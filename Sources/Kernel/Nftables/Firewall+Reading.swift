import CLibNFTNL
package import HostNetwork
package import Netlink
import SystemPackage

extension Firewall {
    /// One chain's rules, in order. All rules of a table at once take longer than chain by chain.
    mutating func rules(in chain: Named) throws(TransportError) -> [ListedRule] {
        try contents(
            NFT_MSG_GETRULE, chain.family,
            { message in
                message.put(.ruleTable, Marks.table)
                message.put(.ruleChain, chain.name)
            }, ListedRule.init)
    }

    /// What of Hawser's tables is there.
    ///
    /// A rule says what it does, not which rule it is; it is told by its fingerprint among those that may be expected. A rule that is
    /// none of them is reported by its fingerprint alone, so that it goes.
    ///
    /// - Parameter suspects: the tables, chains and sets to look at; nil: all of them.
    package mutating func observe(expecting desired: HostState, only suspects: Suspects? = nil) throws(TransportError) -> [Entry] {
        var entries: [Entry] = []
        let known = Known(desired, suspects)
        for family in TableFamily.allCases where suspects?.concerns(family) ?? true {
            guard let flags = try flags(ofTable: family) else { continue }
            // One that sleeps judges nothing: it is as good as missing, and is made to wake by being made.
            let isAwake = flags & UInt32(NFT_TABLE_F_DORMANT.rawValue) == 0
            if isAwake, suspects?.tables.contains(family) ?? true { entries.append(Entry(.table(family), because: Layout.because)) }
            for chain in try chains(of: family) where suspects?.covers(.chain(chain)) ?? true { try read(chain, known, &entries) }
            for (set, comment) in try sets(of: family) where suspects?.covers(.set(set)) ?? true {
                entries.append(Entry(.set(set), because: Layout.because, comment: comment))
                try readElements(of: set, known, &entries)
            }
        }
        return entries
    }

    /// The flags of Hawser's table; nil when there is none.
    private mutating func flags(ofTable family: TableFamily) throws(TransportError) -> UInt32? {
        let found = try list(NFT_MSG_GETTABLE, family) { message in
            var name = ""
            var flags: UInt32 = 0
            message.attributes(after: nfgenmsg.self) { number, value in
                if number == UInt16(NFTA_TABLE_NAME.rawValue) { name = value.text }
                if number == UInt16(NFTA_TABLE_FLAGS.rawValue) { flags = value.networkOrder() }
            }
            return name == Marks.table ? flags : nil
        }.first
        persisting[family] = found.map { $0 & Self.persistFlag }
        return found
    }

    private mutating func chains(of family: TableFamily) throws(TransportError) -> [Chain] {
        try list(NFT_MSG_GETCHAIN, family) { Chain(listed: $0, in: family) }
    }

    private mutating func read(_ chain: Chain, _ known: Known, _ entries: inout [Entry]) throws(TransportError) {
        var chain = chain
        let rules = try rules(in: chain.id).map { rule in
            (statements: known.statements[chain.id]?[rule.fingerprint] ?? [.foreign(rule.fingerprint)], comment: rule.comment)
        }
        if known.orderedChains.contains(chain.id) { chain.body = rules.map(\.statements) }
        entries.append(Entry(.chain(chain), because: known.because(.chain(chain))))
        guard !known.orderedChains.contains(chain.id), known.statements[chain.id] != nil else { return }
        for rule in rules {
            let object = Object.rule(FilterRule(in: chain.id, rule.statements))
            entries.append(Entry(object, because: known.because(object), comment: rule.comment))
        }
    }

    private mutating func sets(of family: TableFamily) throws(TransportError) -> [(NamedSet, String?)] {
        try contents(NFT_MSG_GETSET, family, { $0.put(.setTable, Marks.table) }) { NamedSet.listed($0, in: family) }
    }

    private mutating func readElements(of set: NamedSet, _ known: Known, _ entries: inout [Entry]) throws(TransportError) {
        for (element, comment) in ListedElement.elements(of: set, try list(set.id)) {
            entries.append(Entry(.element(element), because: known.because(.element(element)), comment: comment))
        }
    }

    /// A list of everybody's. The kernel goes by the position in it, which others' changes shift: what was interrupted is read again.
    private mutating func list<Element: Equatable>(
        _ type: nf_tables_msg_types, _ family: TableFamily, _ parse: (RawSpan) -> Element?
    ) throws(TransportError) -> [Element] {
        try socket.dump(.nftables(type), { $0.put(raw: family.header) }) { header, message in
            header.answers(type) ? parse(message) : nil
        }
    }

    /// What one of Hawser's tables, chains or sets holds; nothing where that isn't there.
    ///
    /// The kernel says that the reading was interrupted whenever anybody commits anything, and others may do so all the time. But it goes by the
    /// position in what is asked for, where nobody else adds or removes; somebody who does so all the same is told of by an event, and it is
    /// read again.
    private mutating func contents<Element>(
        _ type: nf_tables_msg_types, _ family: TableFamily, _ filter: (inout MessageWriter) -> Void, _ parse: (RawSpan) -> Element?
    ) throws(TransportError) -> [Element] {
        do throws(TransportError) {
            return try socket.reading(
                .nftables(type),
                { message in
                    message.put(raw: family.header)
                    filter(&message)
                }
            ) { header, message in
                header.answers(type) ? parse(message) : nil
            }.elements
        } catch .refused(let error) where error.errno == .noSuchFileOrDirectory {
            return []
        }
    }
}

extension MessageHeader {
    /// What is got is told as what is new, by the number before it.
    fileprivate func answers(_ request: nf_tables_msg_types) -> Bool {
        type == .nftables(nf_tables_msg_types(request.rawValue - 1))
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

    /// Whose an object is, where it is still wanted.
    func because(_ object: Object) -> IntentID { desired.entries[object.key]?.because ?? Layout.because }
}

extension Firewall {
    /// The elements of one set; none when it isn't there.
    package mutating func elements(of set: NamedSet) throws(TransportError) -> [Entry] {
        ListedElement.elements(of: set, try list(set.id)).map { Entry(.element($0), because: Layout.because, comment: $1) }
    }

    /// What these elements and rules have counted, told by what they match and not by their comments: those are of the moment in which
    /// they were made, and a rule may have another id since.
    package mutating func counters(of objects: [Object]) throws(TransportError) -> [Object.Key: Counter] {
        var sets: [Named: Set<[UInt8]>] = [:]
        var chains: [Named: [String: FilterRule]] = [:]
        for object in objects {
            switch object {
            case .element(let element): sets[element.set, default: []].insert(element.key)
            case .rule(let rule): chains[rule.chain, default: [:]][Fingerprint.of(rule.statements, in: rule.chain)] = rule
            case .link, .address, .route, .neighbor, .tunnel, .forwarding, .tableRule, .table, .chain, .set: continue
            }
        }
        var counters: [Object.Key: Counter] = [:]
        for (set, keys) in sets {
            for element in try list(set) where keys.contains(element.key) {
                counters[.element(set, element.key)] = Counter(packets: element.packets, bytes: element.bytes)
            }
        }
        for (chain, rules) in chains {
            for listed in try self.rules(in: chain) {
                if let rule = rules[listed.fingerprint], let counted = listed.counter { counters[.rule(rule)] = counted }
            }
        }
        return counters
    }

    private mutating func list(_ set: Named) throws(TransportError) -> [ListedElement] {
        try contents(
            NFT_MSG_GETSETELEM, set.family,
            { message in
                message.put(.elementsTable, Marks.table)
                message.put(.elementsSet, set.name)
            }, ListedElement.all
        ).flatMap(\.self)
    }
}

extension Suspects {
    fileprivate func concerns(_ family: TableFamily) -> Bool { tables.contains(family) || holders.contains { $0.family == family } }
}
