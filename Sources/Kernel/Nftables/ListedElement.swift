import CLibNFTNL
import HostNetwork
import Netlink

/// An element as the kernel lists it: of a range in a set of one field, one for each bound.
struct ListedElement {
    var key: [UInt8] = []
    var end: [UInt8]?
    var isEnd = false
    var verdict: HostNetwork.Verdict?
    var comment: String?
    var packets: UInt64 = 0
    var bytes: UInt64 = 0

    /// Those in a message of `NFT_MSG_GETSETELEM`'s answer.
    static func all(in message: RawSpan) -> [ListedElement] {
        var elements: [ListedElement] = []
        message.attributes(after: nfgenmsg.self) { number, list in
            guard UInt32(number) == NFTA_SET_ELEM_LIST_ELEMENTS.rawValue else { return }
            list.attributes { _, element in elements.append(ListedElement(element)) }
        }
        return elements
    }

    private init(_ attributes: RawSpan) {
        attributes.attributes { number, value in
            switch UInt32(number) {
            case NFTA_SET_ELEM_KEY.rawValue: key = Self.data(value)
            case NFTA_SET_ELEM_KEY_END.rawValue: end = Self.data(value)
            case NFTA_SET_ELEM_FLAGS.rawValue:
                isEnd = value.networkOrder(as: UInt32.self) & UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue) != 0
            case NFTA_SET_ELEM_DATA.rawValue: verdict = Self.verdict(value)
            case NFTA_SET_ELEM_USERDATA.rawValue: comment = UserData.text(UInt32(NFTNL_UDATA_SET_ELEM_COMMENT.rawValue), in: value.array)
            case NFTA_SET_ELEM_EXPR.rawValue: count(value)
            case NFTA_SET_ELEM_EXPRESSIONS.rawValue: value.attributes { _, expression in count(expression) }
            default: return
            }
        }
    }

    private static func data(_ value: RawSpan) -> [UInt8] {
        var bytes: [UInt8] = []
        value.attributes { number, value in
            if UInt32(number) == NFTA_DATA_VALUE.rawValue { bytes = value.array }
        }
        return bytes
    }

    private static func verdict(_ value: RawSpan) -> HostNetwork.Verdict? {
        var code: Int32 = 0
        var chain = ""
        value.attributes { number, value in
            guard UInt32(number) == NFTA_DATA_VERDICT.rawValue else { return }
            value.attributes { number, value in
                if UInt32(number) == NFTA_VERDICT_CODE.rawValue { code = value.networkOrder() }
                if UInt32(number) == NFTA_VERDICT_CHAIN.rawValue { chain = value.text }
            }
        }
        let known: [HostNetwork.Verdict] = [.accept, .drop, .jump(chain), .goto(chain), .return]
        return known.first { $0.code == code }
    }

    /// Of an expression, if it is a counter.
    private mutating func count(_ expression: RawSpan) {
        var isCounter = false
        expression.attributes { number, value in
            if UInt32(number) == NFTA_EXPR_NAME.rawValue { isCounter = value.text == "counter" }
            guard isCounter, UInt32(number) == NFTA_EXPR_DATA.rawValue else { return }
            value.attributes { number, value in
                if UInt32(number) == NFTA_COUNTER_PACKETS.rawValue { packets = value.networkOrder() }
                if UInt32(number) == NFTA_COUNTER_BYTES.rawValue { bytes = value.networkOrder() }
            }
        }
    }

    /// The elements of a set, the bounds of a range brought together again.
    static func elements(of set: NamedSet, _ listed: [ListedElement]) -> [(Element, String?)] {
        guard set.isInterval, !set.isConcatenated else {
            return listed.map { (Element(set.id, $0.key, through: $0.end, $0.verdict), $0.comment) }
        }
        var elements: [(Element, String?)] = []
        // By key, a range's end before the start of the one that touches it.
        let sorted = listed.sorted { $0.key == $1.key ? $0.isEnd && !$1.isEnd : $0.key.lexicographicallyPrecedes($1.key) }
        for (index, start) in sorted.enumerated() where !start.isEnd {
            let next = index + 1 < sorted.count ? sorted[index + 1].key.predecessor : nil
            let last = next ?? [UInt8](repeating: 255, count: start.key.count)
            elements.append((Element(set.id, start.key, through: last, isSingleField: true), start.comment))
        }
        return elements
    }
}
