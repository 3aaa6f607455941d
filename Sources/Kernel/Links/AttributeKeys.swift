import CLibMNL
import Netlink

extension AttributeKey<UInt32> {  // linux/if_link.h
    static var mtu: Self { Self(IFLA_MTU) }  // bytes
    static var group: Self { Self(IFLA_GROUP) }
    static var whatToLeaveOut: Self { Self(IFLA_EXT_MASK) }
    static var routeLink: Self { Self(RTA_OIF) }  // linux/rtnetlink.h: interface index
    static var neighborLink: Self { Self(NDA_IFINDEX) }  // linux/neighbour.h: interface index
}

extension AttributeKey<UInt32> {
    /// A setting of an interface for IPv4 (`IPV4_DEVCONF_…`, linux/ip.h).
    static func setting(_ number: Int) -> Self { Self(number) }
}

extension AttributeKey<Int32> {  // linux/net_namespace.h
    static var namespaceDescriptor: Self { Self(NETNSA_FD) }
}

extension AttributeKey<Int32> {
    static var linkNamespace: Self { Self(IFLA_NET_NS_FD) }  // a descriptor
}

extension AttributeKey<UInt32> {
    static var tunnelID: Self { Self(IFLA_VXLAN_ID) }
}

extension AttributeKey<NetworkOrder<UInt16>> {
    static var tunnelPort: Self { Self(IFLA_VXLAN_PORT) }
}

extension AttributeKey<UInt8> {
    static var tunnelLearning: Self { Self(IFLA_VXLAN_LEARNING) }
    static var addressProtocol: Self { Self(IFA_PROTO) }  // linux/if_addr.h, since Linux 5.18
    static var neighborProtocol: Self { Self(NDA_PROTOCOL) }  // linux/neighbour.h, since Linux 5.0
    static var addressGeneration: Self { Self(IFLA_INET6_ADDR_GEN_MODE) }  // linux/if_link.h
}

extension AttributeKey<String> {
    static var linkName: Self { Self(IFLA_IFNAME) }
    static var alternativeName: Self { Self(IFLA_ALT_IFNAME) }
    static var kind: Self { Self(IFLA_INFO_KIND) }
}

extension AttributeKey<Bytes> {
    static var linkAddress: Self { Self(IFLA_ADDRESS) }
    static var alias: Self { Self(IFLA_IFALIAS) }
    static var routeDestination: Self { Self(RTA_DST) }  // linux/rtnetlink.h
}

extension AttributeKey<Bytes> {
    static var tunnelLocal4: Self { Self(IFLA_VXLAN_LOCAL) }
    static var tunnelLocal6: Self { Self(IFLA_VXLAN_LOCAL6) }
    static var routeThrough: Self { Self(RTA_VIA) }  // struct rtvia
    static var neighborMAC: Self { Self(NDA_LLADDR) }  // linux/neighbour.h
    static var neighborAddress: Self { Self(NDA_DST) }
}

extension AttributeKey<Nest> {
    static var linkData: Self { Self(IFLA_INFO_DATA) }
    static var linkInfo: Self { Self(IFLA_LINKINFO) }
    static var properties: Self { Self(IFLA_PROP_LIST) }
    static var familySettings: Self { Self(IFLA_AF_SPEC) }
    static var ipv4: Self { Self(AF_INET) }
    static var ipv6: Self { Self(AF_INET6) }
    static var configuration: Self { Self(IFLA_INET_CONF) }
}

extension AttributeKey<UInt32> {  // linux/fib_rules.h
    static var tableRulePriority: Self { Self(FRA_PRIORITY) }
    static var tableRuleTable: Self { Self(FRA_TABLE) }
    static var tableRuleGoto: Self { Self(FRA_GOTO) }  // a rule's priority
}

extension AttributeKey<UInt8> {
    static var tableRuleProtocol: Self { Self(FRA_PROTOCOL) }  // since Linux 4.17
}

extension AttributeKey<String> {
    static var tableRuleLink: Self { Self(FRA_IIFNAME) }
}

extension AttributeKey<Bytes> {
    static var tableRuleSource: Self { Self(FRA_SRC) }
}

extension MessageType {
    static let newTableRule = Self(RTM_NEWRULE)
    static let deleteTableRule = Self(RTM_DELRULE)
    static let getTableRule = Self(RTM_GETRULE)
    static let newLink = Self(RTM_NEWLINK)
    static let setLink = Self(RTM_SETLINK)
    static let deleteLink = Self(RTM_DELLINK)
    static let getLink = Self(RTM_GETLINK)
    static let newLinkProperty = Self(RTM_NEWLINKPROP)
    static let newAddress = Self(RTM_NEWADDR)
    static let deleteAddress = Self(RTM_DELADDR)
    static let getAddress = Self(RTM_GETADDR)
    static let newRoute = Self(RTM_NEWROUTE)
    static let deleteRoute = Self(RTM_DELROUTE)
    static let getRoute = Self(RTM_GETROUTE)
    static let newNeighbor = Self(RTM_NEWNEIGH)
    static let deleteNeighbor = Self(RTM_DELNEIGH)
    static let getNeighbor = Self(RTM_GETNEIGH)
    static let getNamespaceID = Self(RTM_GETNSID)
}
