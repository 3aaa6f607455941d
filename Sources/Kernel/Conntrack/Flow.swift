import CLibMNL
package import HostNetwork
import Netlink

/// A flow that the kernel tracks (nf_conntrack).
package struct Flow: Hashable, Sendable {
    /// Who began it, and whom it was for before any translation.
    package var source: IPAddress
    package var destination: IPAddress
    /// Who answers: the destination after translation.
    package var answerer: IPAddress
    package var ipProtocol: UInt8
    /// Of the original direction; 0 where the protocol has none.
    package var sourcePort: UInt16
    package var destinationPort: UInt16
    package var mark: UInt32

    /// The original direction as the kernel wrote it, which names the flow to it (`CTA_TUPLE_ORIG`).
    let tuple: [UInt8]
    /// Tells it from a later flow with the same tuple (`CTA_ID`, network order); nil where the kernel gives none.
    let id: UInt32?
    /// Its zone (`CTA_ZONE`, network order).
    let zone: UInt16?

    /// Nil for a message that tells of no flow of IPv4 or IPv6.
    init?(_ header: MessageHeader, _ message: RawSpan) {
        guard header.type == .newFlow else { return nil }
        var (tuple, mark): ([UInt8], UInt32) = ([], 0)
        var (original, reply) = (Tuple(), Tuple())
        var (id, zone): (UInt32?, UInt16?)
        message.attributes(after: nfgenmsg.self) { number, payload in
            switch UInt32(number) {
            case CTA_TUPLE_ORIG.rawValue:
                tuple = payload.array
                original = Tuple(payload)
            case CTA_TUPLE_REPLY.rawValue: reply = Tuple(payload)
            case CTA_MARK.rawValue: mark = payload.networkOrder()
            case CTA_ID.rawValue: id = payload.number()
            case CTA_ZONE.rawValue: zone = payload.number()
            default: break
            }
        }
        guard let source = original.source, let destination = original.destination, let answerer = reply.source else { return nil }
        self.source = source
        self.destination = destination
        self.answerer = answerer
        ipProtocol = original.number
        sourcePort = original.sourcePort
        destinationPort = original.destinationPort
        self.mark = mark
        self.tuple = tuple
        self.id = id
        self.zone = zone
    }

    /// One direction of a flow (`enum ctattr_tuple`, linux/netfilter/nfnetlink_conntrack.h).
    private struct Tuple {
        var source: IPAddress?
        var destination: IPAddress?
        var number: UInt8 = 0
        var sourcePort: UInt16 = 0
        var destinationPort: UInt16 = 0

        init() {}

        init(_ payload: RawSpan) {
            var tuple = Tuple()
            payload.attributes { number, part in
                switch UInt32(number) {
                case CTA_TUPLE_IP.rawValue: part.attributes { tuple.readAddress($0, $1) }
                case CTA_TUPLE_PROTO.rawValue: part.attributes { tuple.readProtocol($0, $1) }
                default: break
                }
            }
            self = tuple
        }

        private mutating func readAddress(_ number: UInt16, _ value: RawSpan) {
            switch UInt32(number) {
            case CTA_IP_V4_SRC.rawValue, CTA_IP_V6_SRC.rawValue: source = IPAddress(bytes: value.array)
            case CTA_IP_V4_DST.rawValue, CTA_IP_V6_DST.rawValue: destination = IPAddress(bytes: value.array)
            default: break
            }
        }

        private mutating func readProtocol(_ number: UInt16, _ value: RawSpan) {
            switch UInt32(number) {
            case CTA_PROTO_NUM.rawValue: self.number = value.number()
            case CTA_PROTO_SRC_PORT.rawValue: sourcePort = value.networkOrder()
            case CTA_PROTO_DST_PORT.rawValue: destinationPort = value.networkOrder()
            default: break
            }
        }
    }
}

extension MessageType {
    static let newFlow = Self(subsystem: NFNL_SUBSYS_CTNETLINK, message: IPCTNL_MSG_CT_NEW.rawValue)
    static let getFlow = Self(subsystem: NFNL_SUBSYS_CTNETLINK, message: IPCTNL_MSG_CT_GET.rawValue)
    /// Counts what there is (`ctnetlink_stat_ct`).
    static let getFlowCount = Self(subsystem: NFNL_SUBSYS_CTNETLINK, message: IPCTNL_MSG_CT_GET_STATS.rawValue)
    static let deleteFlow = Self(subsystem: NFNL_SUBSYS_CTNETLINK, message: IPCTNL_MSG_CT_DELETE.rawValue)
}
