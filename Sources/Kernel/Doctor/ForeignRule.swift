import CLibNFTNL
import HostNetwork
import Netlink

/// What somebody else's nftables rule does to flows' marks and to flowtables. All else in it isn't looked at.
struct ForeignRule {
    let place: Strangers.Place
    /// Bits of the flow's mark that it may change.
    let changes: UInt32
    /// The flowtable that it adds flows to.
    let flowtable: String?

    /// Nil for a rule that does neither.
    init?(_ message: RawSpan) {
        guard Self.isOfInterest(message) else { return nil }
        var (table, chain, handle) = ("", "", UInt64(0))
        var reader = ExpressionReader()
        message.attributes(after: nfgenmsg.self) { number, value in
            switch UInt32(number) {
            case NFTA_RULE_TABLE.rawValue: table = value.text
            case NFTA_RULE_CHAIN.rawValue: chain = value.text
            case NFTA_RULE_HANDLE.rawValue: handle = value.networkOrder()
            case NFTA_RULE_EXPRESSIONS.rawValue: value.attributes { _, expression in reader.take(expression) }
            default: return
            }
        }
        changes = reader.writes ? MarkTrail(reader.steps).changed : 0
        flowtable = reader.flowtable
        guard changes != 0 || flowtable != nil else { return nil }
        place = Strangers.Place(family: Self.family(message), table: table, chain: chain, handle: handle)
    }

    /// Whether it has an expression that may write a mark or add a flow. Most rules have none, and are read
    /// no further.
    private static func isOfInterest(_ message: RawSpan) -> Bool {
        var isOfInterest = false
        message.attributes(after: nfgenmsg.self) { number, value in
            guard UInt32(number) == NFTA_RULE_EXPRESSIONS.rawValue else { return }
            value.attributes { _, expression in
                expression.attributes { number, value in
                    guard UInt32(number) == NFTA_EXPR_NAME.rawValue else { return }
                    isOfInterest =
                        isOfInterest || value.isText("ct") || value.isText("target")
                        || value.isText("flow_offload")
                }
            }
        }
        return isOfInterest
    }

    /// One flowtable; nil for what is none.
    static func flowtable(_ message: RawSpan) -> Strangers.Flowtable? {
        var (table, name, devices) = ("", "", [String]())
        message.attributes(after: nfgenmsg.self) { number, value in
            switch UInt32(number) {
            case NFTA_FLOWTABLE_TABLE.rawValue: table = value.text
            case NFTA_FLOWTABLE_NAME.rawValue: name = value.text
            case NFTA_FLOWTABLE_HOOK.rawValue:
                value.attributes { number, value in
                    guard UInt32(number) == NFTA_FLOWTABLE_HOOK_DEVS.rawValue else { return }
                    value.attributes { _, device in if devices.count < 20 { devices.append(device.text) } }
                }
            default: return
            }
        }
        guard !name.isEmpty else { return nil }
        return Strangers.Flowtable(family: family(message), table: table, name: name, devices: devices)
    }

    /// As nft(8) spells the family of a message.
    private static func family(_ message: RawSpan) -> String {
        let number: UInt8 = message.number(at: MessageHeader.size)
        return switch Int(number) {
        case Int(NFPROTO_INET): "inet"
        case Int(NFPROTO_IPV4): "ip"
        case Int(NFPROTO_IPV6): "ip6"
        case Int(NFPROTO_ARP): "arp"
        case Int(NFPROTO_BRIDGE): "bridge"
        case Int(NFPROTO_NETDEV): "netdev"
        default: "family \(number)"
        }
    }
}

/// A chain of somebody else's.
struct ForeignChain {
    /// The number of its family (`NFPROTO_…`, linux/netfilter.h).
    let family: UInt8
    let table: String
    let name: String

    /// Nil for one of Hawser's.
    init?(_ message: RawSpan) {
        family = message.number(at: MessageHeader.size)
        var (table, name) = ("", "")
        message.attributes(after: nfgenmsg.self) { number, value in
            if UInt32(number) == NFTA_CHAIN_TABLE.rawValue { table = value.text }
            if UInt32(number) == NFTA_CHAIN_NAME.rawValue { name = value.text }
        }
        guard table != Marks.table || TableFamily(number: family) == nil else { return nil }
        (self.table, self.name) = (table, name)
    }
}

/// Makes steps of a rule's expressions (linux/netfilter/nf_tables.h).
private struct ExpressionReader {
    private(set) var steps: [MarkStep] = []
    /// Whether one of them writes a mark.
    private(set) var writes = false
    private(set) var flowtable: String?

    /// Those that read registers and write none.
    private static let readers: Set<String> = [
        "cmp", "counter", "limit", "log", "range", "quota", "connlimit", "match", "last", "notrack", "reject",
        "objref",
    ]

    mutating func take(_ expression: RawSpan) {
        var name = ""
        // The name comes first (`nf_tables_fill_expr_info`, net/netfilter/nf_tables_api.c).
        expression.attributes { number, value in
            switch UInt32(number) {
            case NFTA_EXPR_NAME.rawValue: name = value.text
            case NFTA_EXPR_DATA.rawValue: take(name, value)
            default: return
            }
        }
    }

    private mutating func take(_ name: String, _ data: RawSpan) {
        switch name {
        case "ct": takeTracking(data)
        case "bitwise": takeBitwise(data)
        case "immediate": takeImmediate(data)
        case "meta", "payload":
            // Both have their destination first; without one they write to the packet.
            if let register = Self.register(data, 1) { forget(register) }
        case "target": takeTarget(data)
        case "flow_offload":
            // NFTA_FLOW_TABLE_NAME
            data.attributes { number, value in if number == 1 { flowtable = value.text } }
        case _ where Self.readers.contains(name): return
        default: steps.append(.anything)
        }
    }

    private mutating func takeTracking(_ data: RawSpan) {
        var key = UInt32.max
        data.attributes { number, value in
            if UInt32(number) == NFTA_CT_KEY.rawValue { key = value.networkOrder() }
        }
        if let source = Self.register(data, NFTA_CT_SREG.rawValue) {
            guard key == NFT_CT_MARK.rawValue else { return }
            steps.append(.store(from: source))
            writes = true
        } else if let register = Self.register(data, NFTA_CT_DREG.rawValue) {
            guard key == NFT_CT_MARK.rawValue else {
                return forget(register)
            }
            steps.append(.load(into: register))
        }
    }

    private mutating func takeBitwise(_ data: RawSpan) {
        var (operation, length) = (UInt32(0), UInt32(4))
        var (and, xor) = (UInt32(0), UInt32(0))
        data.attributes { number, value in
            switch UInt32(number) {
            case NFTA_BITWISE_OP.rawValue: operation = value.networkOrder()
            case NFTA_BITWISE_LEN.rawValue: length = value.networkOrder()
            case NFTA_BITWISE_MASK.rawValue: and = Self.value(value)
            case NFTA_BITWISE_XOR.rawValue: xor = Self.value(value)
            default: return
            }
        }
        guard let source = Self.register(data, NFTA_BITWISE_SREG.rawValue),
            let register = Self.register(data, NFTA_BITWISE_DREG.rawValue), length == 4
        else { return steps.append(.anything) }
        // NFT_BITWISE_AND, _OR, _XOR, and NFTA_BITWISE_SREG2, are of Linux 6.13.
        let combinations: [UInt32: MarkStep.Combination] = [3: .and, 4: .or, 5: .xor]
        if operation == NFT_BITWISE_MASK_XOR.rawValue {
            steps.append(.mask(source, and: and, xor: xor, into: register))
        } else if let combination = combinations[operation], let other = Self.register(data, 8) {
            steps.append(.combine(combination, source, other, into: register))
        } else {
            steps.append(.other(into: register))
        }
    }

    private mutating func takeImmediate(_ data: RawSpan) {
        // NFTA_IMMEDIATE_DREG, _DATA. A verdict goes into a register of its own (NFT_REG_VERDICT).
        guard let register = Self.register(data, 1) else { return }
        var constant: UInt32?
        data.attributes { number, value in
            if number == 2, Self.length(value) == 4 { constant = Self.value(value) }
        }
        if let constant {
            steps.append(.constant(constant, into: register))
        } else {
            forget(register)
        }
    }

    /// Something that isn't looked at comes into a register; it may be as long as four.
    private mutating func forget(_ register: Int) {
        for part in 0..<4 { steps.append(.other(into: register + part)) }
    }

    /// A target of xtables, by which iptables-nft writes marks: `struct xt_connmark_tginfo1` or `…2`
    /// (linux/netfilter/xt_connmark.h).
    private mutating func takeTarget(_ data: RawSpan) {
        var (name, revision, bits) = ("", UInt32(0), UInt32.max)
        data.attributes { number, value in
            switch number {
            case 1: name = value.text  // NFTA_TARGET_NAME
            case 2: revision = value.networkOrder()  // NFTA_TARGET_REV
            case 3 where value.byteCount >= 16:  // NFTA_TARGET_INFO
                // The second revision has the direction and the width of a shift before the mode.
                let isShifted = revision == 2 && value.number(at: 13, as: UInt8.self) != 0
                let mode: UInt8 = value.number(at: revision == 2 ? 14 : 12)
                guard !isShifted, (1...2).contains(revision) else { return }
                bits = Self.written(mode, value.number(), value.number(at: 4), value.number(at: 8))
            default: return
            }
        }
        guard name == "CONNMARK", bits != 0 else { return }
        steps.append(.change(bits))
        writes = true
    }

    /// XT_CONNMARK_SET: (mark & ~mask) ^ new; _SAVE: (mark & ~mask) ^ (packet's & packetMask); _RESTORE
    /// writes the packet's.
    private static func written(_ mode: UInt8, _ mark: UInt32, _ mask: UInt32, _ packet: UInt32) -> UInt32 {
        switch mode {
        case 0: mask | mark
        case 1: mask | packet
        case 2: 0
        default: .max
        }
    }

    /// The register that an attribute names, as the number of the first of its words: 1 to 4 are four words
    /// each (`nft_parse_register`, net/netfilter/nf_tables_api.c). Nil for a verdict's, and for none.
    private static func register(_ data: RawSpan, _ attribute: UInt32) -> Int? {
        var register: Int?
        data.attributes { number, value in
            guard UInt32(number) == attribute else { return }
            let name: UInt32 = value.networkOrder()
            register = name == 0 ? nil : name <= 4 ? 8 + 4 * Int(name - 1) : Int(name)
        }
        return register
    }

    /// Four bytes of `NFTA_DATA_VALUE`, in the host's order as marks are.
    private static func value(_ data: RawSpan) -> UInt32 {
        var result: UInt32 = 0
        data.attributes { number, value in
            if UInt32(number) == NFTA_DATA_VALUE.rawValue { result = value.number() }
        }
        return result
    }

    private static func length(_ data: RawSpan) -> Int {
        var length = 0
        data.attributes { number, value in
            if UInt32(number) == NFTA_DATA_VALUE.rawValue { length = value.byteCount }
        }
        return length
    }
}
