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

    /// Writes the header and a filter for flows that an IPv4 address has this role in; kernels older than 5.8 don't know it.
    ///
    /// There is none for IPv6: up to Linux 6.18 at least the kernel takes every flow but those of the address
    /// (`ctnetlink_filter_match_tuple`, net/netfilter/nf_conntrack_netlink.c, compares the wrong way round), and a deletion with such a
    /// filter would end everybody else's.
    func putFilter(ipv4 address: UInt32, into message: inout MessageWriter) {
        message.put(raw: nfgenmsg(.v4))
        let (isSource, isReply) = (self != .destination, self == .answerer)
        message.nest(AttributeKey(isReply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG)) { tuple in
            tuple.nest(AttributeKey(CTA_TUPLE_IP)) { ip in
                ip.put(AttributeKey<NetworkOrder<UInt32>>(isSource ? CTA_IP_V4_SRC : CTA_IP_V4_DST), address)
            }
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
