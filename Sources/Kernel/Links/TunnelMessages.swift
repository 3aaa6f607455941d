import CLibMNL
import HostNetwork
import Netlink
import SystemPackage

/// What is said to the kernel about a VXLAN device (Documentation/networking/vxlan.rst; `IFLA_VXLAN_…`, linux/if_link.h).
extension Tunnel {
    /// Makes it, down, with its mark. It learns from no packet; without a remote of its own it floods to nobody.
    ///
    /// - Parameter home: where it is to be, if not in the namespace of the socket that asks. Its packets go out in the socket's.
    func addMake(to batch: inout Batch, in home: OpenNamespace?) -> Int {
        batch.add(.newLink, [.create, .exclusive]) { message in
            message.put(raw: ifinfomsg())
            message.put(.linkName, name.value)
            message.put(.group, Marks.tunnelGroup)
            message.put(.mtu, UInt32(clamping: mtu))
            message.put(.linkAddress, mac.bytes)
            if let home { message.put(.linkNamespace, home.namespace.descriptor.rawValue) }
            message.nest(.linkInfo) { info in
                info.put(.kind, "vxlan")
                info.nest(.linkData) { data in
                    data.put(.tunnelID, id.value)
                    data.put(local.family == .v4 ? .tunnelLocal4 : .tunnelLocal6, local.bytes)
                    data.put(.tunnelPort, Self.port)
                    data.put(.tunnelLearning, 0 as UInt8)
                }
            }
        }
    }

    /// Says whose it is and how the host treats what comes by it, and brings it up.
    func addConfigure(to batch: inout Batch, _ index: InterfaceIndex) -> Int {
        let place = batch.add(.setLink) { message in
            message.put(raw: ifinfomsg(index))
            message.put(.alias, aliasBytes)
            message.nest(.familySettings) { families in
                families.nest(.ipv4) { family in
                    family.nest(.configuration) { settings in
                        settings.put(.setting(IPV4_DEVCONF_FORWARDING), 1 as UInt32)
                        // Another host says that a packet is too big by the address of a gateway, which this host has, too.
                        settings.put(.setting(IPV4_DEVCONF_ACCEPT_LOCAL), 1 as UInt32)
                        // Even loose is strict for an interface that has no address itself (`__fib_validate_source`, net/ipv4/fib_frontend.c).
                        settings.put(.setting(IPV4_DEVCONF_RP_FILTER), Link.ReversePath.off.rawValue)
                        settings.put(.setting(IPV4_DEVCONF_ACCEPT_REDIRECTS), 0 as UInt32)
                        settings.put(.setting(IPV4_DEVCONF_SEND_REDIRECTS), 0 as UInt32)
                        settings.put(.setting(IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE), 0 as UInt32)
                    }
                }
                families.nest(.ipv6) { $0.put(.addressGeneration, UInt8(IN6_ADDR_GEN_MODE_NONE.rawValue)) }
            }
        }
        if isUp { _ = batch.addSet(index, up: true) }
        return place
    }

    /// What differs between `old` and this.
    func addChange(to batch: inout Batch, from old: Tunnel, _ index: InterfaceIndex) -> Int? {
        guard old.mtu != mtu || old.isUp != isUp || old.network != network else { return nil }
        return batch.add(.setLink) { message in
            message.put(raw: old.isUp == isUp ? ifinfomsg(index) : ifinfomsg(index, up: isUp))
            if old.mtu != mtu { message.put(.mtu, UInt32(clamping: mtu)) }
            if old.network != network { message.put(.alias, aliasBytes) }
        }
    }

    private var aliasBytes: [UInt8] { Array(network.value.utf8.prefix(255)) }
}

/// What is said to the kernel about an entry of a VXLAN device's own table (`vxlan_fdb_add`, drivers/net/vxlan).
extension ForwardingEntry {
    /// One that is there is replaced.
    func addMessage(to batch: inout Batch, _ index: InterfaceIndex, removes: Bool = false) -> Int {
        batch.add(removes ? .deleteNeighbor : .newNeighbor, removes ? [] : [.create, .replace]) { message in
            var header = ndmsg()
            header.ndm_family = UInt8(AF_BRIDGE)
            header.ndm_ifindex = index.value
            header.ndm_state = UInt16(NUD_PERMANENT)
            header.ndm_flags = UInt8(NTF_SELF)
            message.put(raw: header)
            message.put(.neighborMAC, mac.bytes)
            message.put(.neighborAddress, host.bytes)
        }
    }
}
