import CLibMNL
import CLibNL
import HostNetwork
import Netlink

/// What is said to the kernel about an address of an interface (`struct ifaddrmsg`, linux/if_addr.h).
extension InterfaceAddress {
    /// With the whole address as its prefix: no neighbors come with it. No duplicate address detection, for the pod's network is not the
    /// place where duplicates are found; no route of the kernel's own making, for IPv6 would add one even to this prefix.
    func addMessage(to batch: inout Batch, _ index: InterfaceIndex, removes: Bool = false) -> Int {
        let more: (inout MessageWriter) -> Void = { message in
            if !removes { message.put(.addressProtocol, Marks.routeProtocol) }
        }
        return unsafe Codec.add(to: &batch, removes ? [] : [.create, .exclusive], more) { message in
            guard let object = unsafe rtnl_addr_alloc() else { return -NLE_NOMEM }
            defer { unsafe rtnl_addr_put(object) }
            unsafe rtnl_addr_set_ifindex(object, index.value)
            unsafe Codec.with(address) { _ = unsafe rtnl_addr_set_local(object, $0) }
            unsafe rtnl_addr_set_scope(object, Int32(RT_SCOPE_UNIVERSE.rawValue))
            let flags = IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE | (address.family == .v6 ? IFA_F_NODAD : 0)
            unsafe rtnl_addr_set_flags(object, UInt32(flags))
            return removes
                ? unsafe rtnl_addr_build_delete_request(object, 0, &message)
                : unsafe rtnl_addr_build_add_request(object, NLM_F_CREATE, &message)
        }
    }
}
