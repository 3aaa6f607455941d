import CLibMNL
import CLibNL
import HostNetwork
import Netlink

/// What is said to the kernel about a route (`struct rtmsg`, linux/rtnetlink.h).
extension Route {
    enum Action { case add, replace, remove }

    /// The metric of a barrier: no other route to the same destination has a higher one.
    static let lastResort = UInt32.max

    /// With Hawser's protocol; a route of another protocol is not removed by this.
    func addMessage(to batch: inout Batch, _ index: InterfaceIndex, _ action: Action) -> Int {
        let flags: MessageFlags =
            switch action {
            case .add: [.create, .exclusive]
            case .replace: [.create, .replace]
            case .remove: []
            }
        let isOther = gateway.map { $0.family != destination.family } ?? false
        let more: (inout MessageWriter) -> Void = { message in
            if isOther, let gateway { message.put(.routeThrough, gateway.via) }
        }
        return unsafe Codec.add(to: &batch, flags, more) { message in
            guard let object = unsafe rtnl_route_alloc() else { return -NLE_NOMEM }
            defer { unsafe rtnl_route_put(object) }
            unsafe rtnl_route_set_family(object, UInt8(destination.family.number))
            unsafe rtnl_route_set_table(object, table.number)
            unsafe rtnl_route_set_protocol(object, Marks.routeProtocol)
            unsafe rtnl_route_set_type(object, kind.type)
            if kind == .barrier { unsafe rtnl_route_set_priority(object, Self.lastResort) }
            let scope = kind == .way && gateway == nil && destination.family == .v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
            unsafe rtnl_route_set_scope(object, UInt8(scope.rawValue))
            unsafe Codec.with(destination.address, length: destination.length) { _ = unsafe rtnl_route_set_dst(object, $0) }
            if kind == .way {
                guard let hop = unsafe rtnl_route_nh_alloc() else { return -NLE_NOMEM }
                if end != nil { unsafe rtnl_route_nh_set_ifindex(hop, index.value) }
                if let gateway {
                    if !isOther { unsafe Codec.with(gateway) { unsafe rtnl_route_nh_set_gateway(hop, $0) } }
                    if end != nil { unsafe rtnl_route_set_flags(object, UInt32(RTNH_F_ONLINK)) }
                }
                unsafe rtnl_route_add_nexthop(object, hop)  // libnl now frees it together with the route
            }
            return action == .remove
                ? unsafe rtnl_route_build_del_request(object, 0, &message)
                : unsafe rtnl_route_build_add_request(object, NLM_F_CREATE, &message)
        }
    }
}

extension Route.Kind {
    /// `rtm_type`.
    fileprivate var type: UInt8 {
        switch self {
        case .way: UInt8(RTN_UNICAST)
        case .exception: UInt8(RTN_THROW)
        case .barrier: UInt8(RTN_UNREACHABLE)
        }
    }

    /// Nil for a type that Hawser makes none of.
    init?(type: UInt8) {
        switch Int(type) {
        case RTN_UNICAST: self = .way
        case RTN_THROW: self = .exception
        case RTN_UNREACHABLE: self = .barrier
        default: return nil
        }
    }
}

extension IPAddress {
    /// `struct rtvia` (linux/rtnetlink.h): the family, in the host's order, and the address.
    fileprivate var via: [UInt8] { [UInt8(truncatingIfNeeded: family.number), 0].inHostOrder + bytes }
}

extension [UInt8] {
    /// A number of two bytes, given lowest first.
    fileprivate var inHostOrder: [UInt8] { 1.littleEndian == 1 ? self : reversed() }
}
