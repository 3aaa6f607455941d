import CLibMNL
import CLibNL
import HostNetwork
import Netlink

/// What is said to the kernel about an entry of a neighbor table (`struct ndmsg`, linux/neighbour.h).
extension NeighborEntry {
    /// Permanent: never asked for, never forgotten. One that is there is replaced.
    func addMessage(to batch: inout Batch, _ index: InterfaceIndex, removes: Bool = false) -> Int {
        let more: (inout MessageWriter) -> Void = { message in
            if !removes { message.put(.neighborProtocol, Marks.routeProtocol) }
        }
        return unsafe Codec.add(to: &batch, removes ? [] : [.create, .replace], more) { message in
            guard let object = unsafe rtnl_neigh_alloc() else { return -NLE_NOMEM }
            defer { unsafe rtnl_neigh_put(object) }
            unsafe rtnl_neigh_set_ifindex(object, index.value)
            unsafe Codec.with(address) { _ = unsafe rtnl_neigh_set_dst(object, $0) }
            unsafe rtnl_neigh_set_state(object, NUD_PERMANENT)
            if !removes { unsafe Codec.with(mac) { unsafe rtnl_neigh_set_lladdr(object, $0) } }
            return removes
                ? unsafe rtnl_neigh_build_delete_request(object, 0, &message)
                : unsafe rtnl_neigh_build_add_request(object, NLM_F_CREATE, &message)
        }
    }
}
