import CLibMNL
import CLibNFTNL
import CLibNL
import HostNetwork
import Netlink

/// Operations on the ruleset as one batch of nfnetlink: the kernel takes all of it or none.
struct FirewallBatch {
    private(set) var writer = MessageWriter(reserving: 64 << 10)
    /// The operations that each message carries, from the first message behind the batch's begin on.
    private(set) var carried: [Range<Int>] = []
    private let operations: [HostNetwork.Operation]
    private let first: UInt32
    private var sequence: UInt32
    private var setNumber: UInt32 = 0
    /// Whether the messages that are being written are the last operations'.
    private var isLast = false

    /// The most elements that one message carries: a nest is no longer than 65,535 bytes (`nla_len`), and an element of a concatenated
    /// interval with its comment takes up to 280.
    private static let most = 200

    /// The number of messages that a batch of these operations can have at most, begin and end included.
    static func messages(for operations: [HostNetwork.Operation], handles: [FilterRule: [UInt64]]) -> Int {
        operations.reduce(2) { count, operation in
            switch operation.object {
            case .chain(let chain): count + 2 + chain.body.count
            case .rule(let rule) where operation.action == .remove: count + (handles[rule]?.count ?? 0)
            default: count + 1
            }
        }
    }

    /// - Parameters:
    ///   - sequences: numbers for `messages(for:)` messages.
    ///   - tableFlags: of the tables that are made.
    ///   - handles: the kernel's numbers of the rules that are to be removed; somebody may have added one twice.
    init(
        _ operations: [HostNetwork.Operation], sequences: ClosedRange<UInt32>, flags tableFlags: [TableFamily: UInt32],
        handles: [FilterRule: [UInt64]]
    ) {
        self.operations = operations
        first = sequences.lowerBound
        sequence = first
        control(NFNL_MSG_BATCH_BEGIN)
        var index = 0
        while index < operations.count {
            let end = run(from: index)
            isLast = end == operations.count
            encode(index..<end, tableFlags, handles)
            index = end
        }
        control(NFNL_MSG_BATCH_END)
    }

    var bytes: [UInt8] { writer.bytes }
    /// The last message that asks for an acknowledgement: the one before the end.
    var lastAcknowledged: UInt32 { sequence - 2 }
    var messageCount: Int { Int(sequence - first) }

    /// The operations that a refused message carried.
    func operations(of sequence: UInt32) -> ArraySlice<HostNetwork.Operation> {
        let index = Int(sequence) - Int(first) - 1
        return carried.indices.contains(index) ? operations[carried[index]] : []
    }

    /// Elements of one set that come or go together share a message. Chains that come together are made before any of them is
    /// filled, for their rules name each other.
    private func run(from index: Int) -> Int {
        if operations[index].makesChain {
            return operations[index...].firstIndex { !$0.makesChain } ?? operations.count
        }
        guard case .element(let element) = operations[index].object else { return index + 1 }
        let action = operations[index].action
        var end = index + 1
        while end < operations.count, end - index < Self.most, operations[end].action == action,
            case .element(let next) = operations[end].object, next.set == element.set
        { end += 1 }
        return end
    }

    // MARK: Messages

    private mutating func control(_ type: Int32) {
        let header = nfgenmsg(
            nfgen_family: UInt8(NFPROTO_UNSPEC), version: UInt8(NFNETLINK_V0), res_id: UInt16(NFNL_SUBSYS_NFTABLES).bigEndian)
        writer.message(MessageType(rawValue: UInt16(type)), .request, sequence: sequence) { $0.put(raw: header) }
        sequence += 1
    }

    private mutating func message(
        _ type: nf_tables_msg_types, _ family: TableFamily, _ flags: MessageFlags, of operations: Range<Int>,
        _ content: (inout MessageWriter) -> Void
    ) {
        writer.message(.nftables(type), flags.union(asking), sequence: sequence) { message in
            message.put(raw: family.header)
            content(&message)
        }
        carried.append(operations)
        sequence += 1
    }

    /// Refusals come unasked; that all is well is asked for once, by the last operation.
    private var asking: MessageFlags { isLast ? [.request, .acknowledge] : .request }

    /// A message whose attributes a codec writes.
    private mutating func message(
        _ type: nf_tables_msg_types, _ family: TableFamily, _ flags: MessageFlags, of operations: Range<Int>,
        encode: (UnsafeMutablePointer<nlmsghdr>) -> Void
    ) {
        unsafe withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
            guard let base = buffer.baseAddress,
                let header = unsafe nftnl_nlmsg_build_hdr(
                    base.assumingMemoryBound(to: CChar.self), UInt16(type.rawValue), family.number, 0, 0)
            else { return }
            unsafe encode(header)
            let bytes = unsafe UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len))
            unsafe writer.message(encoded: bytes, flags.union(asking), sequence: sequence)
        }
        carried.append(operations)
        sequence += 1
    }

    // MARK: Operations

    private mutating func encode(_ range: Range<Int>, _ tableFlags: [TableFamily: UInt32], _ handles: [FilterRule: [UInt64]]) {
        let operation = operations[range.lowerBound]
        let removes = operation.action == .remove
        switch operation.object {
        case .table(let family):
            message(removes ? NFT_MSG_DELTABLE : NFT_MSG_NEWTABLE, family, removes ? [] : .create, of: range) { message in
                message.put(.tableName, Marks.table)
                if !removes { message.put(.tableFlags, tableFlags[family] ?? 0) }
            }
        case .chain where operation.makesChain:
            for index in range { make(index) }
            for index in range { fill(index) }
        case .chain(let chain): encode(chain, operation, range)
        case .set(let set): encode(set, operation, range)
        case .rule(let rule):
            if removes {
                for handle in handles[rule] ?? [] {
                    message(NFT_MSG_DELRULE, rule.chain.family, [], of: range) { message in
                        message.put(.ruleTable, Marks.table)
                        message.put(.ruleChain, rule.chain.name)
                        message.put(.ruleHandle, handle)
                    }
                }
            } else {
                encode(rule.statements, in: rule.chain, comment: operation.entry.comment, range)
            }
        case .element(let element): encodeElements(of: element.set, removes: removes, range)
        case .link, .address, .route, .neighbor, .tunnel, .forwarding, .tableRule: return
        }
    }

    private mutating func make(_ index: Int) {
        guard case .chain(let chain) = operations[index].object else { return }
        message(NFT_MSG_NEWCHAIN, chain.id.family, .create, of: index..<(index + 1)) { message in
            message.put(.chainTable, Marks.table)
            message.put(.chainName, chain.id.name)
            guard let base = chain.base else { return }
            message.put(.chainType, "filter")
            message.nest(.chainHook) { hook in
                hook.put(.hookNumber, base.hook.number(in: chain.id.family))
                hook.put(.hookPriority, base.priority)
            }
            message.put(.chainPolicy, 1)  // NF_ACCEPT
        }
    }

    private mutating func fill(_ index: Int) {
        guard case .chain(let chain) = operations[index].object else { return }
        for statements in chain.body { encode(statements, in: chain.id, comment: nil, index..<(index + 1)) }
    }

    private mutating func encode(_ chain: Chain, _ operation: HostNetwork.Operation, _ range: Range<Int>) {
        flush(chain.id, range)
        if operation.action == .remove {
            message(NFT_MSG_DELCHAIN, chain.id.family, [], of: range) { message in
                message.put(.chainTable, Marks.table)
                message.put(.chainName, chain.id.name)
            }
        } else {
            fill(range.lowerBound)
        }
    }

    /// Takes all rules out of a chain.
    private mutating func flush(_ chain: Named, _ range: Range<Int>) {
        message(NFT_MSG_DELRULE, chain.family, [], of: range) { message in
            message.put(.ruleTable, Marks.table)
            message.put(.ruleChain, chain.name)
        }
    }

    private mutating func encode(_ statements: Statements, in chain: Named, comment: String?, _ range: Range<Int>) {
        let rule = NftnlRule()
        rule.place(statements, in: chain, comment: comment)
        unsafe message(NFT_MSG_NEWRULE, chain.family, [.create, .append], of: range) { header in
            unsafe nftnl_rule_nlmsg_build_payload(header, rule.pointer)
        }
    }

    private mutating func encode(_ set: NamedSet, _ operation: HostNetwork.Operation, _ range: Range<Int>) {
        if operation.action == .remove {
            message(NFT_MSG_DELSET, set.id.family, [], of: range) { message in
                message.put(.setTable, Marks.table)
                message.put(.setName, set.id.name)
            }
            return
        }
        setNumber += 1
        let object = NftnlSet()
        object.describe(set, comment: operation.entry.comment, id: setNumber)
        unsafe message(NFT_MSG_NEWSET, set.id.family, .create, of: range) { header in
            unsafe nftnl_set_nlmsg_build_payload(header, object.pointer)
        }
    }

    private mutating func encodeElements(of set: Named, removes: Bool, _ range: Range<Int>) {
        let operations = operations
        message(removes ? NFT_MSG_DELSETELEM : NFT_MSG_NEWSETELEM, set.family, removes ? [] : .create, of: range) { message in
            message.put(.elementsTable, Marks.table)
            message.put(.elementsSet, set.name)
            message.nest(.elements) { list in
                for index in range {
                    guard case .element(let element) = operations[index].object else { continue }
                    list.put(element, comment: removes ? nil : operations[index].entry.comment)
                }
            }
        }
    }
}

extension HostNetwork.Operation {
    fileprivate var makesChain: Bool { if case .chain = object { action == .add } else { false } }
}

extension TableFamily {
    var number: UInt16 { self == .inet ? UInt16(NFPROTO_INET) : UInt16(NFPROTO_ARP) }

    var header: nfgenmsg { nfgenmsg(nfgen_family: UInt8(number), version: UInt8(NFNETLINK_V0), res_id: 0) }

    init?(number: UInt8) {
        switch Int(number) {
        case Int(NFPROTO_INET): self = .inet
        case Int(NFPROTO_ARP): self = .arp
        default: return nil
        }
    }
}

extension Chain.Hook {
    /// `NF_INET_…` and `NF_ARP_…` (linux/netfilter.h, linux/netfilter_arp.h).
    func number(in family: TableFamily) -> UInt32 {
        switch (family, self) {
        case (.inet, .prerouting): 0
        case (.inet, .input): 1
        case (.inet, .forward): 2
        case (.inet, .output): 3
        case (.arp, .input): 0
        case (.arp, .output): 1
        case (.arp, .forward): 2
        // Packets of ARP aren't routed, so the kernel has no such hook: a number that it refuses.
        case (.arp, .prerouting): .max
        }
    }

    init?(number: UInt32, in family: TableFamily) {
        guard let hook = [Self.prerouting, .input, .forward, .output].first(where: { $0.number(in: family) == number }) else { return nil }
        self = hook
    }
}

extension NftnlRule {
    func place(_ statements: Statements, in chain: Named, comment: String?) {
        unsafe nftnl_rule_set_str(pointer, UInt16(NFTNL_RULE_TABLE.rawValue), Marks.table)
        unsafe nftnl_rule_set_str(pointer, UInt16(NFTNL_RULE_CHAIN.rawValue), chain.name)
        unsafe nftnl_rule_set_u32(pointer, UInt16(NFTNL_RULE_FAMILY.rawValue), UInt32(chain.family.number))
        append(statements)
        guard let comment else { return }
        var data = UserData()
        data.put(UInt32(NFTNL_UDATA_RULE_COMMENT.rawValue), comment)
        unsafe data.bytes.withUnsafeBytes { bytes in
            _ = unsafe nftnl_rule_set_data(pointer, UInt16(NFTNL_RULE_USERDATA.rawValue), bytes.baseAddress, UInt32(bytes.count))
        }
    }
}
