import CLibNFTNL
import HostNetwork
import Netlink

extension MessageType {
    /// A message of nftables (`NFT_MSG_…`, linux/netfilter/nf_tables.h).
    static func nftables(_ type: nf_tables_msg_types) -> Self { Self(subsystem: NFNL_SUBSYS_NFTABLES, message: type.rawValue) }
}

extension MessageFlags {
    /// Behind the rules that are there (`NLM_F_APPEND`, linux/netlink.h).
    static let append = Self(rawValue: UInt16(NLM_F_APPEND))
}

// Attributes of linux/netfilter/nf_tables.h; all numbers are in network order.

extension AttributeKey<String> {
    static var tableName: Self { Self(NFTA_TABLE_NAME) }
    static var chainTable: Self { Self(NFTA_CHAIN_TABLE) }
    static var chainName: Self { Self(NFTA_CHAIN_NAME) }
    static var chainType: Self { Self(NFTA_CHAIN_TYPE) }
    static var ruleTable: Self { Self(NFTA_RULE_TABLE) }
    static var ruleChain: Self { Self(NFTA_RULE_CHAIN) }
    static var setTable: Self { Self(NFTA_SET_TABLE) }
    static var setName: Self { Self(NFTA_SET_NAME) }
    static var elementsTable: Self { Self(NFTA_SET_ELEM_LIST_TABLE) }
    static var elementsSet: Self { Self(NFTA_SET_ELEM_LIST_SET) }
    static var verdictChain: Self { Self(NFTA_VERDICT_CHAIN) }
}

extension AttributeKey<NetworkOrder<UInt32>> {
    static var tableFlags: Self { Self(NFTA_TABLE_FLAGS) }
    static var chainPolicy: Self { Self(NFTA_CHAIN_POLICY) }
    static var hookNumber: Self { Self(NFTA_HOOK_HOOKNUM) }
    static var elementFlags: Self { Self(NFTA_SET_ELEM_FLAGS) }
}

extension AttributeKey<NetworkOrder<Int32>> {
    static var hookPriority: Self { Self(NFTA_HOOK_PRIORITY) }
    static var verdictCode: Self { Self(NFTA_VERDICT_CODE) }
}

extension AttributeKey<NetworkOrder<UInt64>> {
    static var ruleHandle: Self { Self(NFTA_RULE_HANDLE) }
}

extension AttributeKey<Bytes> {
    static var dataValue: Self { Self(NFTA_DATA_VALUE) }
    static var elementUserData: Self { Self(NFTA_SET_ELEM_USERDATA) }
}

extension AttributeKey<Nest> {
    static var chainHook: Self { Self(NFTA_CHAIN_HOOK) }
    static var elements: Self { Self(NFTA_SET_ELEM_LIST_ELEMENTS) }
    static var listElement: Self { Self(NFTA_LIST_ELEM) }
    static var elementKey: Self { Self(NFTA_SET_ELEM_KEY) }
    static var elementKeyEnd: Self { Self(NFTA_SET_ELEM_KEY_END) }
    static var elementData: Self { Self(NFTA_SET_ELEM_DATA) }
    static var dataVerdict: Self { Self(NFTA_DATA_VERDICT) }
}

extension MessageWriter {
    /// One element of a set. A range in a set of one field is told as two: its first, and the first that is no more in it.
    mutating func put(_ element: Element, comment: String?) {
        guard let end = element.end else { return put(element, key: element.key, comment: comment) }
        if element.isSingleField {
            put(element, key: element.key, comment: comment)
            if let behind = end.successor {
                nest(.listElement) { item in
                    item.put(.elementFlags, UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue))
                    item.nest(.elementKey) { $0.put(.dataValue, behind) }
                }
            }
        } else {
            put(element, key: element.key, end: end, comment: comment)
        }
    }

    private mutating func put(_ element: Element, key: [UInt8], end: [UInt8]? = nil, comment: String?) {
        nest(.listElement) { item in
            item.nest(.elementKey) { $0.put(.dataValue, key) }
            if let end { item.nest(.elementKeyEnd) { $0.put(.dataValue, end) } }
            if let verdict = element.verdict {
                item.nest(.elementData) { data in
                    data.nest(.dataVerdict) { it in
                        it.put(.verdictCode, verdict.code)
                        if let chain = verdict.chain { it.put(.verdictChain, chain) }
                    }
                }
            }
            if let comment {
                var data = UserData()
                data.put(UInt32(NFTNL_UDATA_SET_ELEM_COMMENT.rawValue), comment)
                item.put(.elementUserData, data.bytes)
            }
        }
    }
}

extension [UInt8] {
    /// The number after this one, read as one number in network order; nil after the last.
    fileprivate var successor: [UInt8]? {
        var bytes = self
        for index in bytes.indices.reversed() {
            bytes[index] &+= 1
            if bytes[index] != 0 { return bytes }
        }
        return nil
    }

    /// The number before this one; nil before 0.
    var predecessor: [UInt8]? {
        var bytes = self
        for index in bytes.indices.reversed() {
            bytes[index] &-= 1
            if bytes[index] != 255 { return bytes }
        }
        return nil
    }
}
