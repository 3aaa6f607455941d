import CLibMNL
package import HostNetwork
package import Netlink

extension LinkTable {
    /// Where this namespace itself would send what is for an address. The kernel looks it up as it does for a packet.
    package mutating func route(to address: IPAddress) throws(TransportError) -> HostRoute {
        var batch = Batch()
        batch.add(.getRoute) { message in
            message.put(
                raw: rtmsg(
                    rtm_family: UInt8(address.family.number), rtm_dst_len: UInt8(address.bits), rtm_src_len: 0, rtm_tos: 0, rtm_table: 0,
                    rtm_protocol: 0, rtm_scope: 0, rtm_type: 0, rtm_flags: 0))
            message.put(.routeDestination, address.bytes)
        }
        var isLocal = false
        var route: FoundRoute?
        try socket.ask(&batch, absences: Gone.ways) { _, header, message in
            guard header.type == .newRoute, let info = message.structure(at: MessageHeader.size, as: rtmsg.self) else { return }
            isLocal = [RTN_LOCAL, RTN_BROADCAST].contains(Int(info.rtm_type))
            route = FoundRoute(header, message)
        }
        if isLocal { return .local }
        guard let route, let index = route.index else { return .none }
        return .out(of: try name(of: index) ?? "", through: route.gateway)
    }

    private mutating func name(of index: InterfaceIndex) throws(TransportError) -> String? {
        var batch = Batch()
        _ = batch.addFind(index)
        var name: String?
        try socket.ask(&batch, absences: Gone.links) { _, header, message in name = FoundLink(header, message)?.name }
        return name
    }
}
