import CLibMNL
import HostNetwork
import Netlink

/// A link as the kernel reports it (`RTM_NEWLINK`).
struct FoundLink: Hashable, Sendable {
    var name = ""
    var index: InterfaceIndex
    var isUp: Bool
    var group: UInt32 = 0
    /// Bytes.
    var mtu = 0
    var mac = MAC(0)
    var alias = ""
    var alternativeNames: Set<String> = []
    /// As `veth`.
    var kind = ""
    /// The other end's index, in its own namespace (`IFLA_LINK`).
    var peer: InterfaceIndex?
    /// This namespace's number for the one that the other end is in; none when that is the same one (`IFLA_LINK_NETNSID`).
    var peerNamespace: Int32?
    var reversePath: UInt32 = 0
    /// What a VXLAN device says of itself.
    var tunnel: FoundTunnel?

    init?(_ header: MessageHeader, _ message: RawSpan) {
        guard header.type == .newLink || header.type == .deleteLink,
            let info = message.structure(at: MessageHeader.size, as: ifinfomsg.self)
        else { return nil }
        index = InterfaceIndex(info.ifi_index)
        isUp = info.ifi_flags & UInt32(IFF_UP.rawValue) != 0
        message.attributes(after: ifinfomsg.self) { number, payload in
            switch Int(number) {
            case IFLA_IFNAME: name = payload.text
            case IFLA_GROUP: group = payload.number()
            case IFLA_MTU: mtu = Int(payload.number(as: UInt32.self))
            case IFLA_ADDRESS: mac = MAC(bytes: payload.array) ?? mac
            case IFLA_IFALIAS: alias = payload.text
            case IFLA_PROP_LIST: readNames(payload)
            case IFLA_LINK: peer = InterfaceIndex(payload.number())
            case IFLA_LINK_NETNSID: peerNamespace = payload.number()
            case IFLA_LINKINFO: readKind(payload)
            case IFLA_AF_SPEC: readSettings(payload)
            default: break
            }
        }
    }

    /// Whether it carries Hawser's mark.
    var isOurs: Bool { [Marks.linkGroup, Marks.tunnelGroup, Link.leavingGroup].contains(group) }

    var isTunnel: Bool { group == Marks.tunnelGroup }

    /// Whether its mark is that of one which is to stay.
    var isMarked: Bool { group == Marks.linkGroup || group == Marks.tunnelGroup }

    /// Every pair that does, by its host side.
    static func all(through socket: inout NetlinkSocket) throws(TransportError) -> [FoundLink] {
        try all(of: "veth", through: &socket)
    }

    /// Every tunnel that does.
    static func tunnels(through socket: inout NetlinkSocket) throws(TransportError) -> [FoundLink] {
        try all(of: "vxlan", through: &socket).filter { $0.tunnel != nil }
    }

    private static func all(of kind: String, through socket: inout NetlinkSocket) throws(TransportError) -> [FoundLink] {
        try socket.dump(
            .getLink,
            { message in
                message.put(raw: ifinfomsg())
                message.put(.whatToLeaveOut, UInt32(RTEXT_FILTER_SKIP_STATS))
                message.nest(.linkInfo) { $0.put(.kind, kind) }
            }
        ) { header, message in
            let link = FoundLink(header, message)
            return link?.isOurs == true ? link : nil
        }
    }

    /// What a person needs to find it.
    var words: String {
        let kind = kind.isEmpty ? "a link" : "a \(kind) link"
        return "\(kind) with index \(index.value), group \(group)" + (alias.isEmpty ? "" : ", alias \(alias)")
    }

    private mutating func readNames(_ properties: RawSpan) {
        properties.attributes { number, payload in
            if Int(number) == IFLA_ALT_IFNAME { alternativeNames.insert(payload.text) }
        }
    }

    private mutating func readKind(_ info: RawSpan) {
        info.attributes { number, payload in
            // The kind comes first (`rtnl_link_info_fill`, net/core/rtnetlink.c).
            switch Int(number) {
            case IFLA_INFO_KIND: kind = payload.text
            case IFLA_INFO_DATA: if kind == "vxlan" { tunnel = FoundTunnel(payload) }
            default: break
            }
        }
    }

    private mutating func readSettings(_ families: RawSpan) {
        var reversePath: UInt32 = 0
        families.attributes { family, settings in
            guard Int32(family) == AF_INET else { return }
            settings.attributes { number, values in
                // An array of 32-bit numbers, the first of which is that of IPV4_DEVCONF_FORWARDING, 1 (`inet_fill_link_af`, net/ipv4/devinet.c).
                if Int(number) == IFLA_INET_CONF { reversePath = values.number(at: 4 * (IPV4_DEVCONF_RP_FILTER - 1)) }
            }
        }
        self.reversePath = reversePath
    }
}
