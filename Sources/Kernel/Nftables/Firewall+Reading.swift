import CLibNFTNL
package import HostNetwork
package import Netlink
import SystemPackage

extension Firewall {
    /// A rule as the kernel lists it.
    struct ListedRule {
        var handle: UInt64
        var fingerprint: String
        var comment: String?
        /// Of the first of its expressions that counts.
        var counter: Counter?
    }

    /// Reads one chain's rules, in order. All rules of a table at once take longer than chain by chain.
    mutating func eachRule(in chain: Named, _ body: (ListedRule) -> Void) throws(TransportError) {
        try dump(NFT_MSG_GETRULE, chain.family) { message in
            message.put(.ruleTable, Marks.table)
            message.put(.ruleChain, chain.name)
        } body: { message in
            let rule = NftnlRule()
            unsafe message.withHeader { header in
                guard unsafe nftnl_rule_nlmsg_parse(header, rule.pointer) >= 0 else { return }
                body(
                    ListedRule(
                        handle: unsafe nftnl_rule_get_u64(rule.pointer, UInt16(NFTNL_RULE_HANDLE.rawValue)),
                        fingerprint: unsafe Fingerprint.of(rule.pointer), comment: rule.comment, counter: rule.counter))
            }
        }
    }

    /// What of Hawser's tables is there.
    ///
    /// A rule says what it does, not which rule it is; it is told by its fingerprint among those that may be expected. A rule that is
    /// none of them is reported by its fingerprint alone, so that it goes.
    package mutating func observe(expecting desired: HostState) throws(TransportError) -> [Entry] {
        var entries: [Entry] = []
        let known = Known(desired)
        for family in TableFamily.allCases where try hasTable(family) {
            entries.append(Entry(.table(family), because: Layout.because))
            let chains = try chains(of: family)
            for chain in chains { try read(chain, known, &entries) }
            for (set, comment) in try sets(of: family) {
                entries.append(Entry(.set(set), because: Layout.because, comment: comment))
                try readElements(of: set, known, &entries)
            }
        }
        return entries
    }

    private mutating func hasTable(_ family: TableFamily) throws(TransportError) -> Bool {
        var found = false
        try dump(NFT_MSG_GETTABLE, family) { _ in
        } body: { message in
            message.attributes(after: nfgenmsg.self) { number, value in
                if number == UInt16(NFTA_TABLE_NAME.rawValue), value.text == Marks.table { found = true }
            }
        }
        return found
    }

    private mutating func chains(of family: TableFamily) throws(TransportError) -> [Chain] {
        var chains: [Chain] = []
        try dump(NFT_MSG_GETCHAIN, family) { _ in
        } body: { message in
            var table = ""
            var name = ""
            var hook: UInt32?
            var priority: Int32 = 0
            message.attributes(after: nfgenmsg.self) { number, value in
                switch UInt32(number) {
                case NFTA_CHAIN_TABLE.rawValue: table = value.text
                case NFTA_CHAIN_NAME.rawValue: name = value.text
                case NFTA_CHAIN_HOOK.rawValue:
                    value.attributes { number, value in
                        if UInt32(number) == NFTA_HOOK_HOOKNUM.rawValue { hook = value.networkOrder() }
                        if UInt32(number) == NFTA_HOOK_PRIORITY.rawValue { priority = value.networkOrder() }
                    }
                default: return
                }
            }
            guard table == Marks.table else { return }
            let base = hook.flatMap { Chain.Hook(number: $0, in: family) }.map { Chain.Base($0, priority: priority) }
            chains.append(Chain(Named(family, name), base: base))
        }
        return chains
    }

    private mutating func read(_ chain: Chain, _ known: Known, _ entries: inout [Entry]) throws(TransportError) {
        var chain = chain
        var rules: [(statements: Statements, comment: String?)] = []
        try eachRule(in: chain.id) { rule in
            rules.append((known.statements[chain.id]?[rule.fingerprint] ?? [.foreign(rule.fingerprint)], rule.comment))
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
        var sets: [(NamedSet, String?)] = []
        try dump(NFT_MSG_GETSET, family) { message in
            message.put(.setTable, Marks.table)
        } body: { message in
            let set = NftnlSet()
            unsafe message.withHeader { header in
                guard unsafe nftnl_set_nlmsg_parse(header, set.pointer) >= 0, let named = set.named(family) else { return }
                sets.append(named)
            }
        }
        return sets
    }

    private mutating func readElements(of set: NamedSet, _ known: Known, _ entries: inout [Entry]) throws(TransportError) {
        for (element, comment) in ListedElement.elements(of: set, try list(set.id)) {
            entries.append(Entry(.element(element), because: known.because(.element(element)), comment: comment))
        }
    }

    /// Reads a list of the kernel's; a table that isn't there is an empty one.
    mutating func dump(
        _ type: nf_tables_msg_types, _ family: TableFamily, _ content: (inout MessageWriter) -> Void, body: (RawSpan) -> Void
    ) throws(TransportError) {
        do throws(TransportError) {
            // An interrupted dump begins anew, so what it said counts when it is whole.
            let parts = try socket.dump(.nftables(type)) { message in
                message.put(raw: family.header)
                content(&message)
            } _: { _, message in
                message.array
            }
            for part in parts { unsafe body(part.span.bytes) }
        } catch .refused(let error) where error.errno == .noSuchFileOrDirectory {
            return
        }
    }
}

/// What is expected to be there, to tell the kernel's rules by.
private struct Known {
    var statements: [Named: [String: Statements]] = [:]
    var orderedChains: Set<Named> = []
    private let desired: HostState

    init(_ desired: HostState) {
        self.desired = desired
        for entry in desired.entries.values {
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

extension NftnlRule {
    var comment: String? {
        var length: UInt32 = 0
        guard let data = unsafe nftnl_rule_get_data(pointer, UInt16(NFTNL_RULE_USERDATA.rawValue), &length) else { return nil }
        let bytes = unsafe Array(UnsafeRawBufferPointer(start: data, count: Int(length)))
        return UserData.text(UInt32(NFTNL_UDATA_RULE_COMMENT.rawValue), in: bytes)
    }
}

extension NftnlRule {
    var counter: Counter? {
        guard let iterator = unsafe nftnl_expr_iter_create(pointer) else { return nil }
        defer { unsafe nftnl_expr_iter_destroy(iterator) }
        while let expression = unsafe nftnl_expr_iter_next(iterator) {
            guard let name = unsafe nftnl_expr_get_str(expression, UInt16(NFTNL_EXPR_NAME)), unsafe String(cString: name) == "counter"
            else {
                continue
            }
            return Counter(
                packets: unsafe nftnl_expr_get_u64(expression, UInt16(NFTNL_EXPR_CTR_PACKETS)),
                bytes: unsafe nftnl_expr_get_u64(expression, UInt16(NFTNL_EXPR_CTR_BYTES)))
        }
        return nil
    }
}

extension NftnlSet {
    /// The set as Hawser would make it; one that it never would comes back with a key that nothing wants.
    func named(_ family: TableFamily) -> (NamedSet, String?)? {
        guard let name = unsafe nftnl_set_get_str(pointer, UInt16(NFTNL_SET_NAME.rawValue)) else { return nil }
        let flags = unsafe nftnl_set_get_u32(pointer, UInt16(NFTNL_SET_FLAGS.rawValue))
        // An anonymous set is part of a rule.
        guard flags & UInt32(NFT_SET_ANONYMOUS.rawValue) == 0 else { return nil }
        let type = unsafe nftnl_set_get_u32(pointer, UInt16(NFTNL_SET_KEY_TYPE.rawValue))
        var set = NamedSet(Named(family, unsafe String(cString: name)), NamedSet.fields(keyType: type) ?? [])
        set.isMap = flags & UInt32(NFT_SET_MAP.rawValue) != 0
        set.isInterval = flags & UInt32(NFT_SET_INTERVAL.rawValue) != 0
        set.counts = unsafe nftnl_set_is_set(pointer, UInt16(NFTNL_SET_EXPR.rawValue))
        var length: UInt32 = 0
        var comment: String?
        if let data = unsafe nftnl_set_get_data(pointer, UInt16(NFTNL_SET_USERDATA.rawValue), &length) {
            let bytes = unsafe Array(UnsafeRawBufferPointer(start: data, count: Int(length)))
            comment = UserData.text(UInt32(NFTNL_UDATA_SET_COMMENT.rawValue), in: bytes)
        }
        return (set, comment)
    }
}

extension RawSpan {
    /// The message as libnftnl reads it.
    func withHeader(_ body: (UnsafePointer<nlmsghdr>) -> Void) {
        unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe body(base.assumingMemoryBound(to: nlmsghdr.self))
        }
    }
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
            try eachRule(in: chain) { listed in
                guard let rule = rules[listed.fingerprint], let counted = listed.counter else { return }
                counters[.rule(rule)] = counted
            }
        }
        return counters
    }

    private mutating func list(_ set: Named) throws(TransportError) -> [ListedElement] {
        var listed: [ListedElement] = []
        try dump(NFT_MSG_GETSETELEM, set.family) { message in
            message.put(.elementsTable, Marks.table)
            message.put(.elementsSet, set.name)
        } body: { message in
            ListedElement.read(message, into: &listed)
        }
        return listed
    }
}
