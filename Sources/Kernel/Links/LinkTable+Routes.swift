import HostNetwork
import Netlink
import SystemPackage

extension LinkTable {
    /// For destinations that have a route already: ours makes way for the new one; somebody else's stays, and the step is refused, unless it
    /// took the place of ours.
    static func replaceOwn(
        _ owners: [(step: Int, interface: InterfaceIndex)], usurped: Set<Prefix>, through socket: inout NetlinkSocket,
        _ pass: inout LinkPass
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
            // Nobody else's are in the tables of subnets.
            if route.table == .main, let other = there[route.destination], other.maker != Marks.routeProtocol,
                !usurped.contains(route.destination)
            {
                pass.refuse(step, .fileExists, "\(route.destination) has a route that isn't Hawser's: \(other.words)")
            } else {
                replacing.add(for: step, interface) { route.addMessage(to: &$0, interface, .replace) }
            }
        }
        for (place, error) in try socket.send(&replacing.batch) { pass.refuse(replacing.owners[place].step, error) }
    }
}

extension LinkTable {
    /// The same in a pod's namespace, where only Hawser's own are asked for.
    static func replaceOwnInside(
        _ owners: [(step: Int, interface: InterfaceIndex)], through socket: inout NetlinkSocket, _ pass: inout LinkPass
    ) throws(TransportError) {
        var replacing = StepBatch()
        for (step, interface) in owners {
            guard let route = pass.route(step) else { continue }
            let own = try FoundRoute.defaults(route.destination.family, at: interface, through: &socket)
            if own.contains(where: { $0.destination == route.destination }) {
                replacing.add(for: step, interface) { route.addMessage(to: &$0, interface, .replace) }
            } else {
                pass.refuse(step, .fileExists, "the pod has a route to \(route.destination) that isn't Hawser's", isInside: true)
            }
        }
        for (place, error) in try socket.send(&replacing.batch) { pass.refuse(replacing.owners[place].step, error, isInside: true) }
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
