import CLibNFTNL
import Netlink

/// What of the kernel's rules libnftnl is given to read.
///
/// It ends the whole process (`abi_breakage`, libnftnl's common.c) when an attribute is shorter than it expects, and takes texts to end with a
/// NUL. So it gets a rule only if all that it would look at is as it expects, in expressions that Hawser itself makes; any other rule is none
/// of Hawser's, and nobody needs to know what it says.
enum RuleShape {
    /// What an attribute has to be.
    fileprivate enum Content {
        /// So many bytes.
        case bytes(Int)
        case text
        /// `NFTA_DATA_VALUE` or `NFTA_DATA_VERDICT`.
        case data
    }

    /// By the expression's name and the attribute's number (linux/netfilter/nf_tables.h).
    private static let expressions: [String: [UInt16: Content]] = [
        "counter": [1: .bytes(8), 2: .bytes(8)],
        "meta": [1: .bytes(4), 2: .bytes(4), 3: .bytes(4)],
        "cmp": [1: .bytes(4), 2: .bytes(4), 3: .data],
        "payload": [
            1: .bytes(4), 2: .bytes(4), 3: .bytes(4), 4: .bytes(4), 5: .bytes(4), 6: .bytes(4), 7: .bytes(4), 8: .bytes(4),
        ],
        "immediate": [1: .bytes(4), 2: .data],
        "lookup": [1: .text, 2: .bytes(4), 3: .bytes(4), 4: .bytes(4), 5: .bytes(4)],
        "ct": [1: .bytes(4), 2: .bytes(4), 3: .bytes(1), 4: .bytes(4)],
        "exthdr": [
            1: .bytes(4), 2: .bytes(1), 3: .bytes(4), 4: .bytes(4), 5: .bytes(4), 6: .bytes(4), 7: .bytes(4),
        ],
        "bitwise": [1: .bytes(4), 2: .bytes(4), 3: .bytes(4), 4: .data, 5: .data, 6: .bytes(4), 7: .data],
    ]

    /// Whether a message is such a rule. Its length is a multiple of four, for libmnl reads on to the next one.
    static func isReadable(_ message: RawSpan) -> Bool {
        var isReadable = message.byteCount.isMultiple(of: 4)
        message.attributes(after: nfgenmsg.self) { number, value in
            switch UInt32(number) {
            case NFTA_RULE_TABLE.rawValue, NFTA_RULE_CHAIN.rawValue: isReadable = isReadable && value.isText
            case NFTA_RULE_HANDLE.rawValue, NFTA_RULE_POSITION.rawValue: isReadable = isReadable && value.byteCount == 8
            case NFTA_RULE_EXPRESSIONS.rawValue: value.attributes { _, expression in isReadable = isReadable && holds(expression) }
            case NFTA_RULE_USERDATA.rawValue, NFTA_RULE_PAD.rawValue: break
            default: isReadable = false
            }
        }
        return isReadable
    }

    private static func holds(_ expression: RawSpan) -> Bool {
        var name = ""
        var holds = true
        // The name comes first (`nf_tables_fill_expr_info`, net/netfilter/nf_tables_api.c).
        expression.attributes { number, value in
            switch UInt32(number) {
            case NFTA_EXPR_NAME.rawValue:
                name = value.text
                holds = holds && value.isText && expressions[name] != nil
            case NFTA_EXPR_DATA.rawValue:
                value.attributes { number, value in
                    // One that a later kernel has added is passed over by a library that doesn't know it.
                    if let content = expressions[name]?[number] { holds = holds && content.fits(value) }
                }
            default: holds = false
            }
        }
        return holds && !name.isEmpty
    }
}

extension RuleShape.Content {
    fileprivate func fits(_ value: RawSpan) -> Bool {
        switch self {
        case .bytes(let count): return value.byteCount == count
        case .text: return value.isText
        case .data:
            var fits = true
            value.attributes { number, value in
                switch UInt32(number) {
                // Sixteen registers of four bytes (`NFT_REG32_COUNT`).
                case NFTA_DATA_VALUE.rawValue: fits = fits && (1...64).contains(value.byteCount)
                case NFTA_DATA_VERDICT.rawValue: fits = fits && Self.isVerdict(value)
                default: break
                }
            }
            return fits
        }
    }

    /// A jump without a chain is one to the text at address 4, for libnftnl.
    private static func isVerdict(_ value: RawSpan) -> Bool {
        var (code, fits, hasChain) = (Int32?.none, true, false)
        value.attributes { number, value in
            switch UInt32(number) {
            case NFTA_VERDICT_CODE.rawValue:
                fits = fits && value.byteCount == 4
                code = value.networkOrder()
            case NFTA_VERDICT_CHAIN.rawValue:
                fits = fits && value.isText
                hasChain = true
            case NFTA_VERDICT_CHAIN_ID.rawValue: fits = fits && value.byteCount == 4
            default: break
            }
        }
        let jumps = [NFT_JUMP, NFT_GOTO].map { Int32($0.rawValue) }
        return fits && code.map { !jumps.contains($0) || hasChain } ?? false
    }
}

extension RawSpan {
    /// Whether it ends with a NUL, as C's texts do.
    fileprivate var isText: Bool { byteCount > 0 && number(at: byteCount - 1, as: UInt8.self) == 0 }
}
