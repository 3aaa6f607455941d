import CLibNFTNL
import HostNetwork

/// Rules as the kernel takes them: small expressions that load into registers and look at registers.
extension NftnlRule {
    func append(_ statements: Statements) {
        // What a packet is known to be: a rule goes no further with any other.
        var known: [Selector.Requirement] = []
        for statement in statements { append(statement, &known) }
    }

    private func append(_ statement: Statement, _ known: inout [Selector.Requirement]) {
        switch statement {
        case .equal(let selector, let value):
            require(selector.requirements, &known)
            load(selector, into: Register.word(0))
            compare(selector.comparable(value))
        case .unequal(let selector, let value):
            require(selector.requirements, &known)
            load(selector, into: Register.word(0))
            compare(selector.comparable(value), NFT_CMP_NEQ)
        case .within(let selector, let range):
            require(selector.requirements, &known)
            compare(selector, with: selector.comparable(range.lowerBound), selector.comparable(range.upperBound))
        case .among(let selector, let range):
            require(selector.requirements, &known)
            compare(selector, with: range.first.bytes, range.last.bytes)
        case .family(let family): require([.family(family)], &known)
        case .fragment(let family):
            require([.family(family)], &known)
            fragment(family, true)
        case .whole(let family):
            require([.family(family)], &known)
            fragment(family, false)
        case .lookup(let selectors, let set):
            load(selectors, &known)
            unsafe add("lookup") { expression in
                unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_LOOKUP_SREG), Register.word(0))
                unsafe nftnl_expr_set_str(expression, UInt16(NFTNL_EXPR_LOOKUP_SET), set)
                // None; said so that it prints as the kernel lists it.
                unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_LOOKUP_FLAGS), 0)
            }
        case .dispatch(let selectors, let map):
            load(selectors, &known)
            unsafe add("lookup") { expression in
                unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_LOOKUP_SREG), Register.word(0))
                unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_LOOKUP_DREG), Register.verdict)
                unsafe nftnl_expr_set_str(expression, UInt16(NFTNL_EXPR_LOOKUP_SET), map)
                unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_LOOKUP_FLAGS), 0)
            }
        case .mark(let keep, let set):
            ct(NFT_CT_MARK, into: Register.word(0))
            mask(Register.word(0), keep: keep & ~set, xor: set)
            unsafe add("ct") { expression in
                unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_CT_KEY), UInt32(NFT_CT_MARK.rawValue))
                unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_CT_SREG), Register.word(0))
            }
        case .counter: unsafe add("counter") { _ in }
        case .foreign: return
        case .verdict(let verdict):
            unsafe add("immediate") { expression in
                unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_IMM_DREG), Register.verdict)
                unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_IMM_VERDICT), UInt32(bitPattern: verdict.code))
                if let chain = verdict.chain { unsafe nftnl_expr_set_str(expression, UInt16(NFTNL_EXPR_IMM_CHAIN), chain) }
            }
        }
    }

    private func fragment(_ family: Family, _ isOne: Bool) {
        switch family {
        case .v4:
            // ip frag-off & 0x3fff: the offset, and the flag "more fragments" (RFC 791, 3.1).
            payload(NFT_PAYLOAD_NETWORK_HEADER, 6, 2, into: Register.word(0))
            mask(Register.word(0), keep: [0x3f, 0xff])
            compare([0, 0], isOne ? NFT_CMP_NEQ : NFT_CMP_EQ)
        case .v6:
            // exthdr frag exists, exthdr frag missing
            extensionHeader(UInt8(IPPROTO_FRAGMENT), into: Register.word(0))
            compare([isOne ? 1 : 0])
        }
    }

    /// Side by side, each from a word of its own on.
    private func load(_ selectors: [Selector], _ known: inout [Selector.Requirement]) {
        // What the packet must be for these fields to mean anything comes first: it uses the same registers.
        for selector in selectors { require(selector.requirements, &known) }
        var word = 0
        for selector in selectors {
            load(selector, into: Register.word(word))
            word += (selector.type?.paddedLength ?? 4) / 4
        }
    }

    private func require(_ requirements: [Selector.Requirement], _ known: inout [Selector.Requirement]) {
        for requirement in requirements where !known.contains(requirement) {
            require(requirement)
            known.append(requirement)
        }
    }

    private func require(_ requirement: Selector.Requirement) {
        switch requirement {
        case .family(let family):
            meta(NFT_META_NFPROTO, into: Register.word(0))
            compare([UInt8(family == .v4 ? NFPROTO_IPV4 : NFPROTO_IPV6)])
        case .protocol(let number):
            meta(NFT_META_L4PROTO, into: Register.word(0))
            compare([number])
        case .ethernet:
            meta(NFT_META_IFTYPE, into: Register.word(0))
            compare([1, 0].nativeOrder)  // ARPHRD_ETHER, linux/if_arp.h
        }
    }

    private func load(_ selector: Selector, into register: UInt32) {
        switch selector {
        case .iifname: meta(NFT_META_IIFNAME, into: register)
        case .oifname: meta(NFT_META_OIFNAME, into: register)
        case .iifgroup: meta(NFT_META_IIFGROUP, into: register)
        case .oifgroup: meta(NFT_META_OIFGROUP, into: register)
        case .l4proto: meta(NFT_META_L4PROTO, into: register)
        // Ethernet (IEEE 802.3), ARP (RFC 826), IPv4 (RFC 791, 3.1), IPv6 (RFC 8200, 3).
        case .etherSource: payload(NFT_PAYLOAD_LL_HEADER, 6, 6, into: register)
        case .arpSenderMAC: payload(NFT_PAYLOAD_NETWORK_HEADER, 8, 6, into: register)
        case .arpSenderIP: payload(NFT_PAYLOAD_NETWORK_HEADER, 14, 4, into: register)
        case .source(.v4): payload(NFT_PAYLOAD_NETWORK_HEADER, 12, 4, into: register)
        case .destination(.v4): payload(NFT_PAYLOAD_NETWORK_HEADER, 16, 4, into: register)
        case .source(.v6): payload(NFT_PAYLOAD_NETWORK_HEADER, 8, 16, into: register)
        case .destination(.v6): payload(NFT_PAYLOAD_NETWORK_HEADER, 24, 16, into: register)
        case .sourcePort: payload(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, into: register)
        case .destinationPort: payload(NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, into: register)
        case .icmpType: payload(NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, into: register)
        case .icmpCode: payload(NFT_PAYLOAD_TRANSPORT_HEADER, 1, 1, into: register)
        case .ctSource(let way, let family): ct(family == .v4 ? NFT_CT_SRC_IP : NFT_CT_SRC_IP6, way, into: register)
        case .ctDestination(let way, let family): ct(family == .v4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6, way, into: register)
        case .ctMark(let mask):
            ct(NFT_CT_MARK, into: register)
            self.mask(register, keep: mask, xor: 0)
        case .ctDirection: ct(NFT_CT_DIRECTION, into: register)
        case .ctState: ct(NFT_CT_STATE, into: register)
        }
    }

    private func meta(_ key: nft_meta_keys, into register: UInt32) {
        unsafe add("meta") { expression in
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_META_KEY), UInt32(key.rawValue))
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_META_DREG), register)
        }
    }

    private func ct(_ key: nft_ct_keys, _ way: Way? = nil, into register: UInt32) {
        unsafe add("ct") { expression in
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_CT_KEY), UInt32(key.rawValue))
            // enum ip_conntrack_dir, linux/netfilter/nf_conntrack_tuple_common.h
            if let way { unsafe nftnl_expr_set_u8(expression, UInt16(NFTNL_EXPR_CT_DIR), way == .original ? 0 : 1) }
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_CT_DREG), register)
        }
    }

    private func payload(_ base: nft_payload_bases, _ offset: UInt32, _ length: UInt32, into register: UInt32) {
        unsafe add("payload") { expression in
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_PAYLOAD_DREG), register)
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_PAYLOAD_BASE), UInt32(base.rawValue))
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_PAYLOAD_OFFSET), offset)
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_PAYLOAD_LEN), length)
        }
    }

    private func mask(_ register: UInt32, keep: UInt32, xor: UInt32) {
        unsafe add("bitwise") { expression in
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_BITWISE_SREG), register)
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_BITWISE_DREG), register)
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_BITWISE_LEN), 4)
            unsafe withUnsafeBytes(of: keep) { bytes in
                _ = unsafe nftnl_expr_set(expression, UInt16(NFTNL_EXPR_BITWISE_MASK), bytes.baseAddress, 4)
            }
            unsafe withUnsafeBytes(of: xor) { bytes in
                _ = unsafe nftnl_expr_set(expression, UInt16(NFTNL_EXPR_BITWISE_XOR), bytes.baseAddress, 4)
            }
        }
    }

    /// Bytes of a header.
    private func mask(_ register: UInt32, keep: [UInt8]) {
        unsafe add("bitwise") { expression in
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_BITWISE_SREG), register)
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_BITWISE_DREG), register)
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_BITWISE_LEN), UInt32(keep.count))
            for (attribute, bytes) in [(NFTNL_EXPR_BITWISE_MASK, keep), (NFTNL_EXPR_BITWISE_XOR, keep.map { _ in 0 })] {
                unsafe bytes.withUnsafeBytes { bytes in
                    _ = unsafe nftnl_expr_set(expression, UInt16(attribute), bytes.baseAddress, UInt32(bytes.count))
                }
            }
        }
    }

    /// Whether the packet has a header of IPv6: 1 or 0 (`NFT_EXTHDR_F_PRESENT`).
    private func extensionHeader(_ number: UInt8, into register: UInt32) {
        unsafe add("exthdr") { expression in
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_EXTHDR_DREG), register)
            unsafe nftnl_expr_set_u8(expression, UInt16(NFTNL_EXPR_EXTHDR_TYPE), number)
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_EXTHDR_OFFSET), 0)
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_EXTHDR_LEN), 1)
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_EXTHDR_FLAGS), UInt32(NFT_EXTHDR_F_PRESENT.rawValue))
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_EXTHDR_OP), UInt32(NFT_EXTHDR_OP_IPV6.rawValue))
        }
    }

    /// Whether it is in a range, its bounds included.
    private func compare(_ selector: Selector, with lowest: [UInt8], _ highest: [UInt8]) {
        load(selector, into: Register.word(0))
        guard lowest != highest else { return compare(lowest) }
        compare(lowest, NFT_CMP_GTE)
        compare(highest, NFT_CMP_LTE)
    }

    private func compare(_ value: [UInt8], _ operator: nft_cmp_ops = NFT_CMP_EQ) {
        unsafe add("cmp") { expression in
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_CMP_SREG), Register.word(0))
            unsafe nftnl_expr_set_u32(expression, UInt16(NFTNL_EXPR_CMP_OP), UInt32(`operator`.rawValue))
            unsafe value.withUnsafeBytes { bytes in
                _ = unsafe nftnl_expr_set(expression, UInt16(NFTNL_EXPR_CMP_DATA), bytes.baseAddress, UInt32(bytes.count))
            }
        }
    }
}

extension Selector {
    /// What a packet must be for the selector to mean anything.
    fileprivate enum Requirement: Equatable {
        case family(Family)
        case `protocol`(UInt8)
        case ethernet
    }

    fileprivate var requirements: [Requirement] {
        switch self {
        case .source(let family), .destination(let family): [.family(family)]
        case .icmpType(let family), .icmpCode(let family): [.family(family), .protocol(family == .v4 ? 1 : 58)]
        case .etherSource: [.ethernet]
        case .iifname, .oifname, .iifgroup, .oifgroup, .arpSenderMAC, .arpSenderIP, .l4proto, .sourcePort, .destinationPort,
            .ctSource, .ctDestination, .ctMark, .ctDirection, .ctState:
            []
        }
    }

    /// A number as a register holds it after this selector was loaded.
    fileprivate func comparable(_ value: UInt32) -> [UInt8] {
        switch self {
        case .l4proto, .icmpType, .icmpCode, .ctDirection: [UInt8(truncatingIfNeeded: value)]
        case .sourcePort, .destinationPort: [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
        default: KeyBytes.of { $0.mark(value) }
        }
    }
}

extension HostNetwork.Verdict {
    /// `NF_…` (linux/netfilter.h) and `NFT_…` (linux/netfilter/nf_tables.h).
    var code: Int32 {
        switch self {
        case .accept: 1
        case .drop: 0
        case .jump: -3
        case .goto: -4
        case .return: -5
        }
    }
}

extension [UInt8] {
    /// Bytes given from the lowest on, in the host's order.
    fileprivate var nativeOrder: [UInt8] {
        #if _endian(little)
            self
        #else
            reversed()
        #endif
    }
}
