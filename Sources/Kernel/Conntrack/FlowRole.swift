import CLibMNL
import HostNetwork
import Netlink

/// What an address is to a flow.
enum FlowRole: CaseIterable {
    /// It began the flow.
    case source
    /// The flow was for it.
    case destination
    /// The flow was for another address, which was translated to it.
    case answerer

    func holds(_ address: IPAddress, in flow: Flow) -> Bool {
        switch self {
        case .source: flow.source == address
        case .destination: flow.destination == address
        case .answerer: flow.answerer == address
        }
    }

    /// Writes the header and a filter for flows that `address` has this role in; kernels older than 5.8 don't know it.
    func putFilter(_ address: IPAddress, into message: inout MessageWriter) {
        message.put(raw: nfgenmsg(address.family))
        let (isSource, isReply) = (self != .destination, self == .answerer)
        let key =
            switch (address.family, isSource) {
            case (.v4, true): CTA_IP_V4_SRC
            case (.v4, false): CTA_IP_V4_DST
            case (.v6, true): CTA_IP_V6_SRC
            case (.v6, false): CTA_IP_V6_DST
            }
        message.nest(AttributeKey(isReply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG)) { tuple in
            tuple.nest(AttributeKey(CTA_TUPLE_IP)) { $0.put(AttributeKey<Bytes>(key), address.bytes) }
        }
        // CTA_FILTER_F_CTA_IP_SRC and _DST (net/netfilter/nf_conntrack_netlink.c), in the host's order.
        let flag: UInt32 = isSource ? 1 << 0 : 1 << 1
        message.nest(AttributeKey(CTA_FILTER)) { filter in
            filter.put(AttributeKey<UInt32>(CTA_FILTER_ORIG_FLAGS), isReply ? 0 : flag)
            filter.put(AttributeKey<UInt32>(CTA_FILTER_REPLY_FLAGS), isReply ? flag : 0)
        }
    }
}

extension nfgenmsg {
    /// With a version that makes a deletion mind the family (`ctnetlink_del_conntrack`).
    init(_ family: Family?) {
        self.init(nfgen_family: UInt8(family?.number ?? AF_UNSPEC), version: 1, res_id: 0)
    }
}
