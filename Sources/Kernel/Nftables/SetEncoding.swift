import CLibNFTNL
import HostNetwork

extension FieldType {
    /// The number by which `nft` knows the type (its `enum datatypes`); the kernel only stores it.
    var number: UInt32 {
        switch self {
        case .ipv4Address: 7
        case .ipv6Address: 8
        case .etherAddress: 9
        case .inetProtocol: 12
        case .inetService: 13
        case .icmpType: 14
        case .mark: 19
        case .icmpv6Type: 29
        case .icmpCode: 32
        case .icmpv6Code: 33
        case .ifname: 41
        }
    }

    /// Whether `nft` takes its bytes to be in the host's order.
    var isHostOrder: Bool { self == .ifname || self == .mark }

    init?(number: UInt32) {
        guard let type = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = type
    }
}

extension NamedSet {
    /// Types of concatenated fields, 6 bits each, the last in the lowest (nft's `concat_subtype_add`).
    var keyType: UInt32 { key.reduce(0) { $0 << 6 | $1.number } }

    /// Bytes of a key.
    var keyLength: UInt32 { isConcatenated ? UInt32(key.reduce(0) { $0 + $1.paddedLength }) : UInt32(key.reduce(0) { $0 + $1.length }) }

    static func fields(keyType: UInt32) -> [FieldType]? {
        var fields: [FieldType] = []
        var rest = keyType
        while rest != 0 {
            guard let field = FieldType(number: rest & 63) else { return nil }
            fields.insert(field, at: 0)
            rest >>= 6
        }
        return fields
    }

    /// `NFT_SET_…` (linux/netfilter/nf_tables.h).
    var flags: UInt32 {
        var flags: UInt32 = 0
        if isMap { flags |= UInt32(NFT_SET_MAP.rawValue) }
        if isInterval { flags |= UInt32(NFT_SET_INTERVAL.rawValue) }
        if isInterval, isConcatenated { flags |= UInt32(NFT_SET_CONCAT.rawValue) }
        return flags
    }

    /// What `nft` wants noted to print keys right.
    func userData(comment: String) -> [UInt8] {
        var data = UserData()
        // enum byteorder of nft: 0 none, as of concatenations, 1 the host's, 2 the network's.
        let order: UInt32 = isConcatenated ? 0 : (key.first?.isHostOrder ?? false ? 1 : 2)
        data.put(UInt32(NFTNL_UDATA_SET_KEYBYTEORDER.rawValue), order)
        if isMap { data.put(UInt32(NFTNL_UDATA_SET_DATABYTEORDER.rawValue), 0) }
        data.put(UInt32(NFTNL_UDATA_SET_COMMENT.rawValue), comment)
        return data.bytes
    }
}

extension NftnlSet {
    func describe(_ set: NamedSet, comment: String, id: UInt32) {
        unsafe nftnl_set_set_str(pointer, UInt16(NFTNL_SET_TABLE.rawValue), Marks.table)
        unsafe nftnl_set_set_str(pointer, UInt16(NFTNL_SET_NAME.rawValue), set.id.name)
        unsafe nftnl_set_set_u32(pointer, UInt16(NFTNL_SET_FLAGS.rawValue), set.flags)
        unsafe nftnl_set_set_u32(pointer, UInt16(NFTNL_SET_KEY_TYPE.rawValue), set.keyType)
        unsafe nftnl_set_set_u32(pointer, UInt16(NFTNL_SET_KEY_LEN.rawValue), set.keyLength)
        unsafe nftnl_set_set_u32(pointer, UInt16(NFTNL_SET_ID.rawValue), id)
        if set.isMap {
            unsafe nftnl_set_set_u32(pointer, UInt16(NFTNL_SET_DATA_TYPE.rawValue), UInt32(NFT_DATA_VERDICT.rawValue))
            unsafe nftnl_set_set_u32(pointer, UInt16(NFTNL_SET_DATA_LEN.rawValue), 0)
        }
        if set.isInterval, set.isConcatenated {
            let lengths = set.key.map { UInt8($0.length) }
            unsafe lengths.withUnsafeBytes { bytes in
                _ = unsafe nftnl_set_set_data(pointer, UInt16(NFTNL_SET_DESC_CONCAT.rawValue), bytes.baseAddress, UInt32(bytes.count))
            }
        }
        if set.counts, let counter = unsafe nftnl_expr_alloc("counter") { unsafe nftnl_set_add_expr(pointer, counter) }
        if let crowd = set.crowd, let count = unsafe nftnl_expr_alloc("connlimit") {
            // ct count over …
            unsafe nftnl_expr_set_u32(count, UInt16(NFTNL_EXPR_CONNLIMIT_COUNT), crowd)
            unsafe nftnl_expr_set_u32(count, UInt16(NFTNL_EXPR_CONNLIMIT_FLAGS), UInt32(NFT_CONNLIMIT_F_INV.rawValue))
            unsafe nftnl_set_add_expr(pointer, count)
        }
        if let limit = set.limit, let bucket = unsafe nftnl_expr_alloc("limit") {
            // limit rate R/second burst B packets
            unsafe nftnl_expr_set_u64(bucket, UInt16(NFTNL_EXPR_LIMIT_RATE), UInt64(limit.rate))
            unsafe nftnl_expr_set_u64(bucket, UInt16(NFTNL_EXPR_LIMIT_UNIT), 1)
            unsafe nftnl_expr_set_u32(bucket, UInt16(NFTNL_EXPR_LIMIT_BURST), limit.burst)
            unsafe nftnl_expr_set_u32(bucket, UInt16(NFTNL_EXPR_LIMIT_TYPE), UInt32(NFT_LIMIT_PKTS.rawValue))
            unsafe nftnl_expr_set_u32(bucket, UInt16(NFTNL_EXPR_LIMIT_FLAGS), 0)
            unsafe nftnl_set_add_expr(pointer, bucket)
        }
        unsafe set.userData(comment: comment).withUnsafeBytes { bytes in
            _ = unsafe nftnl_set_set_data(pointer, UInt16(NFTNL_SET_USERDATA.rawValue), bytes.baseAddress, UInt32(bytes.count))
        }
    }
}
