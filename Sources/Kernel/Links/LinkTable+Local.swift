import CLibMNL
package import HostNetwork
package import Netlink

extension LinkTable {
    /// Whether what is sent to an address ends in this namespace itself: its own addresses, and the broadcasts of its networks. The kernel
    /// looks it up as it does for a packet.
    package mutating func isLocal(_ address: IPAddress) throws(TransportError) -> Bool {
        var batch = Batch()
        batch.add(.getRoute) { message in
            message.put(
                raw: rtmsg(
                    rtm_family: UInt8(address.family.number), rtm_dst_len: UInt8(address.bits), rtm_src_len: 0, rtm_tos: 0, rtm_table: 0,
                    rtm_protocol: 0, rtm_scope: 0, rtm_type: 0, rtm_flags: 0))
            message.put(.routeDestination, address.bytes)
        }
        var isLocal = false
        // A refusal says that there is no way there.
        _ = try socket.send(&batch) { _, header, message in
            guard header.type == .newRoute, let info = message.structure(at: MessageHeader.size, as: rtmsg.self) else { return }
            isLocal = [RTN_LOCAL, RTN_BROADCAST].contains(Int(info.rtm_type))
        }
        return isLocal
    }
}
