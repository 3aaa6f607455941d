import CLibMNL
import HostNetwork
import Netlink
import SystemPackage

/// A route as the kernel reports it (`RTM_NEWROUTE`).
struct FoundRoute: Hashable, Sendable {
    var destination: Prefix
    var gateway: IPAddress?
    var index: InterfaceIndex?
    /// Who made it: `RTPROT_…`, linux/rtnetlink.h.
    var maker: UInt8
    var table: UInt32

    init?(_ header: MessageHeader, _ message: RawSpan) {
        guard header.type == .newRoute, let info = message.structure(at: MessageHeader.size, as: rtmsg.self),
            let family = Family(number: Int32(info.rtm_family)), Int(info.rtm_type) == RTN_UNICAST
        else { return nil }
        maker = info.rtm_protocol
        table = UInt32(info.rtm_table)
        destination = .everything(family)
        message.attributes(after: rtmsg.self) { number, payload in
            switch UInt32(number) {
            case RTA_DST.rawValue:
                let prefix = IPAddress(bytes: payload.array).flatMap { Prefix($0, length: Int(info.rtm_dst_len)) }
                destination = prefix ?? destination
            case RTA_GATEWAY.rawValue: gateway = IPAddress(bytes: payload.array)
            case RTA_OIF.rawValue: index = InterfaceIndex(payload.number())
            case RTA_TABLE.rawValue: table = payload.number()
            default: break
            }
        }
    }

    /// The main table's routes of a family; of one maker, when it is given.
    static func all(_ family: Family, by maker: UInt8 = 0, through socket: inout NetlinkSocket) throws(TransportError) -> [FoundRoute] {
        let routes = try socket.dump(
            .getRoute,
            { message in
                // The kernel filters, where it can (`NETLINK_GET_STRICT_CHK`); hence the same filter below.
                message.put(
                    raw: rtmsg(
                        rtm_family: UInt8(family.number), rtm_dst_len: 0, rtm_src_len: 0, rtm_tos: 0,
                        rtm_table: UInt8(RT_TABLE_MAIN.rawValue), rtm_protocol: maker, rtm_scope: 0, rtm_type: 0, rtm_flags: 0))
            }, FoundRoute.init)
        return routes.filter { $0.table == UInt32(RT_TABLE_MAIN.rawValue) && (maker == 0 || $0.maker == maker) }
    }
}

extension Family {
    /// `AF_INET` or `AF_INET6`, or none of Hawser's.
    init?(number: Int32) {
        switch number {
        case AF_INET: self = .v4
        case AF_INET6: self = .v6
        default: return nil
        }
    }
}

extension LinkTable {
    /// For destinations that have a route already: ours makes way for the new one; somebody else's stays, and the step is refused.
    static func replaceOwn(
        _ owners: [(step: Int, interface: InterfaceIndex)], through socket: inout NetlinkSocket, _ pass: inout LinkPass
    ) throws(TransportError) {
        var there: [Prefix: FoundRoute] = [:]
        for family in Family.allCases where owners.contains(where: { pass.route($0.step)?.destination.family == family }) {
            for route in try FoundRoute.all(family, through: &socket) {
                // Of several to one destination, somebody else's is what a person has to know of.
                if there[route.destination]?.maker ?? Marks.routeProtocol == Marks.routeProtocol { there[route.destination] = route }
            }
        }
        var replacing = StepBatch()
        for (step, interface) in owners {
            guard let route = pass.route(step) else { continue }
            if let other = there[route.destination], other.maker != Marks.routeProtocol {
                pass.refuse(step, .fileExists, "\(route.destination) has a route that isn't Hawser's: \(other.words)")
            } else {
                replacing.add(for: step, interface) { route.addMessage(to: &$0, interface, .replace) }
            }
        }
        for (place, error) in try socket.send(&replacing.batch) { pass.refuse(replacing.owners[place].step, error) }
    }
}

extension FoundRoute {
    fileprivate var words: String {
        let through = gateway.map { ", through \($0)" } ?? ""
        let by = index.map { ", by the interface with index \($0.value)" } ?? ""
        return "of protocol \(maker)\(through)\(by)"
    }
}

extension LinkPass {
    fileprivate func route(_ step: Int) -> Route? {
        if case .route(let route) = steps[step].object { route } else { nil }
    }
}
