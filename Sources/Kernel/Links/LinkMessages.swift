import CLibMNL
import CLibNL
import HostNetwork
import Netlink
import SystemPackage

/// What is said to the kernel about a veth pair (rtnetlink(7), veth(4)).
extension Link {
    /// The group that links, tunnels too, join so that one request deletes them all; those in it are Hawser's and on their way out.
    static let leavingGroup = Marks.linkGroup + 1

    /// Makes the pair, both ends down, the pod side in its namespace from the first moment on.
    ///
    /// The host side carries its mark from the first moment on, too. That the peer be up can't be said here (`ENOTCONN`).
    func addMake(to batch: inout Batch, in namespace: borrowing NetworkNamespace) -> Int {
        let descriptor = namespace.descriptor.rawValue
        return unsafe Codec.add(to: &batch, [.create, .exclusive]) { message in
            guard let host = unsafe rtnl_link_veth_alloc() else { return -NLE_NOMEM }
            defer { unsafe rtnl_link_put(host) }
            unsafe rtnl_link_set_name(host, name.value)
            unsafe rtnl_link_set_group(host, Marks.linkGroup)
            unsafe rtnl_link_set_mtu(host, UInt32(clamping: mtu))
            unsafe Codec.with(hostMAC) { unsafe rtnl_link_set_addr(host, $0) }
            guard let pod = unsafe rtnl_link_veth_get_peer(host) else { return -NLE_NOMEM }
            defer { unsafe rtnl_link_put(pod) }
            unsafe rtnl_link_set_name(pod, interface)
            unsafe rtnl_link_set_mtu(pod, UInt32(clamping: mtu))
            unsafe rtnl_link_set_ns_fd(pod, descriptor)
            unsafe Codec.with(mac) { unsafe rtnl_link_set_addr(pod, $0) }
            return unsafe rtnl_link_build_add_request(host, NLM_F_CREATE, &message)
        }
    }

    /// Says whose pair it is, and how the host treats what comes from it; only settable when it exists (`rtnl_newlink`).
    func addConfigure(to batch: inout Batch, _ host: InterfaceIndex) -> Int {
        batch.add(.setLink) { message in
            message.put(raw: ifinfomsg(host))
            message.put(.alias, aliasBytes)
            message.nest(.familySettings) { families in
                families.nest(.ipv4) { family in
                    family.nest(.configuration) { settings in
                        settings.put(.setting(IPV4_DEVCONF_FORWARDING), 1 as UInt32)
                        settings.put(.setting(IPV4_DEVCONF_RP_FILTER), reversePath.rawValue)
                        settings.put(.setting(IPV4_DEVCONF_ACCEPT_REDIRECTS), 0 as UInt32)
                        // Two pods of one subnet reach each other through the host; telling them to talk directly would
                        // lead nowhere. It counts only where the setting of all is off, too (`IN_DEV_TX_REDIRECTS`).
                        settings.put(.setting(IPV4_DEVCONF_SEND_REDIRECTS), 0 as UInt32)
                        settings.put(.setting(IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE), 0 as UInt32)
                    }
                }
                // No link-local address: nothing on the host is to be reached by one.
                families.nest(.ipv6) { $0.put(.addressGeneration, UInt8(IN6_ADDR_GEN_MODE_NONE.rawValue)) }
            }
        }
    }

    /// Without a NUL: the kernel takes the length from the attribute.
    private var aliasBytes: [UInt8] { Array(pod.value.utf8.prefix(255)) }

    /// `pod-<id>`, where that is short enough (`ALTIFNAMSIZ`, linux/if.h) and no character of it has a meaning in names of interfaces.
    var alternativeName: String? {
        let name = "pod-\(pod.value)"
        return name.utf8.count < 128 && !name.utf8.contains { $0 <= 32 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") } ? name : nil
    }

    func addAlternativeName(to batch: inout Batch, _ host: InterfaceIndex) -> Int? {
        alternativeName.map { name in
            batch.add(.newLinkProperty, [.create, .exclusive, .append]) { message in
                message.put(raw: ifinfomsg(host))
                message.nest(.properties) { $0.put(.alternativeName, name) }
            }
        }
    }

    /// What of one end differs between `old` and this.
    func addChange(to batch: inout Batch, from old: Link, _ side: End.Side, _ index: InterfaceIndex) -> Int? {
        let (oldMAC, newMAC) = side == .host ? (old.hostMAC, hostMAC) : (old.mac, mac)
        let changesFilter = side == .host && old.reversePath != reversePath
        let changesAlias = side == .host && old.pod != pod
        guard old.mtu != mtu || oldMAC != newMAC || old.isUp != isUp || changesFilter || changesAlias else { return nil }
        return batch.add(.setLink) { message in
            message.put(raw: old.isUp == isUp ? ifinfomsg(index) : ifinfomsg(index, up: isUp))
            if old.mtu != mtu { message.put(.mtu, UInt32(clamping: mtu)) }
            if oldMAC != newMAC { message.put(.linkAddress, newMAC.bytes) }
            if changesAlias { message.put(.alias, aliasBytes) }
            if changesFilter {
                message.nest(.familySettings) { families in
                    families.nest(.ipv4) { family in
                        family.nest(.configuration) { $0.put(.setting(IPV4_DEVCONF_RP_FILTER), reversePath.rawValue) }
                    }
                }
            }
        }
    }
}

extension Batch {
    /// Asks for a link by its name; statistics left out.
    mutating func addFind(_ name: LinkName) -> Int {
        add(.getLink) { message in
            message.put(raw: ifinfomsg(InterfaceIndex(0)))
            message.put(.whatToLeaveOut, UInt32(RTEXT_FILTER_SKIP_STATS))
            message.put(.linkName, name.value)
        }
    }

    /// Asks for a link by its index; statistics left out.
    mutating func addFind(_ index: InterfaceIndex) -> Int {
        add(.getLink) { message in
            message.put(raw: ifinfomsg(index))
            message.put(.whatToLeaveOut, UInt32(RTEXT_FILTER_SKIP_STATS))
        }
    }

    mutating func addSet(_ index: InterfaceIndex, up: Bool) -> Int {
        add(.setLink) { $0.put(raw: ifinfomsg(index, up: up)) }
    }

    /// Deletes a pair; the end goes that is named, and so does the other.
    mutating func addDelete(_ index: InterfaceIndex) -> Int {
        add(.deleteLink) { $0.put(raw: ifinfomsg(index)) }
    }

    /// Gives a link the mark that it is to have.
    mutating func addMark(_ index: InterfaceIndex, _ group: UInt32) -> Int {
        add(.setLink) { message in
            message.put(raw: ifinfomsg(index))
            message.put(.group, group)
        }
    }

    /// Moves a link to the group of those that are deleted together.
    mutating func addLeave(_ index: InterfaceIndex) -> Int {
        add(.setLink) { message in
            message.put(raw: ifinfomsg(index))
            message.put(.group, Link.leavingGroup)
        }
    }

    /// Deletes every link of the leaving group; all of them wait for one grace period of the kernel's together.
    mutating func addDeleteLeaving() -> Int {
        add(.deleteLink) { message in
            message.put(raw: ifinfomsg(InterfaceIndex(0)))
            message.put(.group, Link.leavingGroup)
        }
    }
}

extension ifinfomsg {
    /// Names a link, and changes no flag of it.
    init(_ index: InterfaceIndex) {
        self.init()
        ifi_index = index.value
    }

    init(_ index: InterfaceIndex, up: Bool) {
        self.init(index)
        ifi_flags = up ? UInt32(IFF_UP.rawValue) : 0
        ifi_change = UInt32(IFF_UP.rawValue)
    }
}
