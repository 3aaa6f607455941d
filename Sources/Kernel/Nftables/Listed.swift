import CLibNFTNL
import HostNetwork
import Netlink
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
}

extension Firewall.ListedRule {
    /// Nil for what isn't a rule of Hawser's table. One that isn't made of what Hawser's are is told by its handle alone.
    init?(_ message: RawSpan) {
        var table = ""
        var handle: UInt64 = 0
        message.attributes(after: nfgenmsg.self) { number, value in
            if UInt32(number) == NFTA_RULE_TABLE.rawValue { table = value.text }
            if UInt32(number) == NFTA_RULE_HANDLE.rawValue { handle = value.networkOrder() }
        }
        guard table == Marks.table else { return nil }
        guard RuleShape.isReadable(message) else {
            self.handle = handle
            fingerprint = "rule \(handle)"
            return
        }
        let rule = NftnlRule()
        guard unsafe message.withHeader({ unsafe nftnl_rule_nlmsg_parse($0, rule.pointer) }) ?? -1 >= 0 else { return nil }
        self.handle = unsafe nftnl_rule_get_u64(rule.pointer, UInt16(NFTNL_RULE_HANDLE.rawValue))
        fingerprint = unsafe Fingerprint.of(rule.pointer)
        comment = rule.comment
        counter = rule.counter
    }
}

extension Chain {
    /// Nil for one that isn't in Hawser's table.
    init?(listed message: RawSpan, in family: TableFamily) {
        var table = ""
        var name = ""
        var hook: UInt32?
        var priority: Int32 = 0
        var policy = UInt32(NF_ACCEPT)
        message.attributes(after: nfgenmsg.self) { number, value in
            switch UInt32(number) {
            case NFTA_CHAIN_TABLE.rawValue: table = value.text
            case NFTA_CHAIN_NAME.rawValue: name = value.text
            case NFTA_CHAIN_POLICY.rawValue: policy = value.networkOrder()
            case NFTA_CHAIN_HOOK.rawValue:
                value.attributes { number, value in
                    if UInt32(number) == NFTA_HOOK_HOOKNUM.rawValue { hook = value.networkOrder() }
                    if UInt32(number) == NFTA_HOOK_PRIORITY.rawValue { priority = value.networkOrder() }
                }
            default: return
            }
        }
        guard table == Marks.table else { return nil }
        // Another policy is told as a priority that no chain has: the table is made anew.
        if policy != UInt32(NF_ACCEPT) { priority = .min }
        let base = hook.flatMap { Chain.Hook(number: $0, in: family) }.map { Chain.Base($0, priority: priority) }
        self.init(Named(family, name), base: base)
    }
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

extension NamedSet {
    /// The set as Hawser would make it, and its comment; one that it never would comes back with a key that nothing wants. Nil for one that isn't
    /// in Hawser's table, and for one that has no name of its own but is part of a rule.
    static func listed(_ message: RawSpan, in family: TableFamily) -> (NamedSet, String?)? {
        var (table, name, flags, type) = ("", "", UInt32(0), UInt32(0))
        var expressions: [Expression] = []
        var comment: String?
        message.attributes(after: nfgenmsg.self) { number, value in
            switch UInt32(number) {
            case NFTA_SET_TABLE.rawValue: table = value.text
            case NFTA_SET_NAME.rawValue: name = value.text
            case NFTA_SET_FLAGS.rawValue: flags = value.networkOrder()
            case NFTA_SET_KEY_TYPE.rawValue: type = value.networkOrder()
            case NFTA_SET_EXPR.rawValue: expressions.append(Expression(value))
            case NFTA_SET_EXPRESSIONS.rawValue: value.attributes { _, one in expressions.append(Expression(one)) }
            case NFTA_SET_USERDATA.rawValue: comment = UserData.text(UInt32(NFTNL_UDATA_SET_COMMENT.rawValue), in: value.array)
            default: return
            }
        }
        guard table == Marks.table, !name.isEmpty, flags & UInt32(NFT_SET_ANONYMOUS.rawValue) == 0 else { return nil }
        var set = NamedSet(Named(family, name), fields(keyType: type) ?? [])
        set.isMap = flags & UInt32(NFT_SET_MAP.rawValue) != 0
        set.isInterval = flags & UInt32(NFT_SET_INTERVAL.rawValue) != 0
        for expression in expressions { set.take(expression) }
        return (set, comment)
    }
}

extension NamedSet {
    /// What its elements do when they are found. Whatever Hawser never writes makes it a set that nothing wants.
    fileprivate mutating func take(_ expression: Expression) {
        switch expression.name {
        case "counter": counts = true
        case "connlimit": crowd = expression.count
        case "limit":
            limit = expression.limit
            if limit == nil { key = [] }
        default: key = []
        }
    }
}

/// What a set says of an expression of its elements.
private struct Expression {
    var name = ""
    /// How many flows a "connlimit" lets through.
    var count: UInt32 = 0
    /// The token bucket of a "limit"; nil: one that Hawser never writes.
    var limit: PacketLimit?

    init(_ attributes: RawSpan) {
        attributes.attributes { number, value in
            switch UInt32(number) {
            case NFTA_EXPR_NAME.rawValue: name = value.text
            case NFTA_EXPR_DATA.rawValue:
                // The name before it says which expression's attributes these are.
                switch name {
                case "connlimit":
                    value.attributes { number, value in
                        if UInt32(number) == NFTA_CONNLIMIT_COUNT.rawValue { count = value.networkOrder() }
                    }
                case "limit": limit = Self.limit(value)
                default: return
                }
            default: return
            }
        }
    }

    private static func limit(_ attributes: RawSpan) -> PacketLimit? {
        var (rate, unit, burst, type, flags) = (UInt64(0), UInt64(0), UInt32(0), UInt32(0), UInt32(0))
        attributes.attributes { number, value in
            switch UInt32(number) {
            case NFTA_LIMIT_RATE.rawValue: rate = value.networkOrder()
            case NFTA_LIMIT_UNIT.rawValue: unit = value.networkOrder()
            case NFTA_LIMIT_BURST.rawValue: burst = value.networkOrder()
            case NFTA_LIMIT_TYPE.rawValue: type = value.networkOrder()
            case NFTA_LIMIT_FLAGS.rawValue: flags = value.networkOrder()
            default: return
            }
        }
        guard let rate = UInt32(exactly: rate), unit == 1, type == 0, flags == 0 else { return nil }
        return PacketLimit(rate: rate, burst: burst)
    }
}

extension RawSpan {
    /// The message as libnftnl reads it, which believes the length in the header, and that both headers are there; nil where they aren't.
    func withHeader(_ body: (UnsafePointer<nlmsghdr>) -> Int32) -> Int32? {
        guard byteCount >= MessageHeader.size + MemoryLayout<nfgenmsg>.size, number(as: UInt32.self) <= byteCount else { return nil }
        return unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            return unsafe body(base.assumingMemoryBound(to: nlmsghdr.self))
        }
    }
}
