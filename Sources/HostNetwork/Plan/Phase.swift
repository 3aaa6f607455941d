/// The order of things. Policy before links come up; references after referents; removals mirrored.
///
/// A plan is sorted by this and by nothing else, so the order of a new kind of object is decided here.
package enum Phase: Int, Comparable, Sendable, CaseIterable {
    // What leaves the host's network first: nothing of it may be reached once its rules go.
    case tableRuleGone, routeGone, neighborGone, linkDown, linkGone
    // New pairs, down.
    case linkMade
    // One transaction of the firewall: unbind, bind, attach.
    case unbind
    // Before what comes, for the ranges of one set never overlap.
    case elementGone
    case tableMade, setMade, chainMade, chainChanged, elementMade, ruleMade
    case bind, attach
    // A chain takes its rules along, and they are what keeps sets.
    case ruleGone, chainGone, setGone, tableGone
    // What leads nowhere before a route does.
    case tunnelMade, forwardingMade
    // Policy is in force: the network may know the pod. New addresses come before old ones go, for an interface that loses its last
    // one of IPv4 loses its routes and neighbors too (`inetdev_destroy` and `fib_disable_ip`, net/ipv4).
    case addressMade, addressGone, linkChanged, linkUp, neighborMade
    // A table says what it doesn't lead to before it leads anywhere, and is looked at when it is whole.
    case exceptionMade, routeMade, tableRuleMade
    // What a route may have used until now.
    case tunnelNeighborGone, forwardingGone
    // When no packet that began under the old rules is on its way any more (`Plan.stamps`), and at once for a new pair.
    case stamp

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    package static func of(_ operation: Operation) -> Phase {
        switch (operation.object, operation.action) {
        case (.link, .add): .linkMade
        case (.link, .remove): .linkGone
        case (.link(let new), .change(from: .link(let old))):
            switch (old.isUp, new.isUp) {
            case (true, false): .linkDown
            case (false, true): .linkUp
            default: .linkChanged
            }
        case (.link, .change): .linkChanged
        case (.tunnel, .remove): .linkGone
        case (.tunnel, _): .tunnelMade
        case (.forwarding, .remove): .forwardingGone
        case (.forwarding, _): .forwardingMade
        case (.address, .remove): .addressGone
        case (.address, _): .addressMade
        case (.route, .remove): .routeGone
        case (.route(let route), _): route.kind == .way ? .routeMade : .exceptionMade
        case (.tableRule, .remove): .tableRuleGone
        case (.tableRule, _): .tableRuleMade
        case (.neighbor(let neighbor), .remove): neighbor.end.link.isTunnel ? .tunnelNeighborGone : .neighborGone
        case (.neighbor, _): .neighborMade
        case (.table, .remove): .tableGone
        case (.table, _): .tableMade
        case (.set, .remove): .setGone
        case (.set, _): .setMade
        case (.chain, .remove): .chainGone
        case (.chain, .change): .chainChanged
        case (.chain, .add): .chainMade
        case (.rule, .remove): .ruleGone
        case (.rule, _): .ruleMade
        case (.element(let element), .remove): BaseSet(holding: element) == nil ? .elementGone : .unbind
        case (.element(let element), _):
            switch BaseSet(holding: element) {
            case nil: .elementMade
            case .slot, .denied, .deniedARP, .invalid, .crowded, .surplus: .bind
            case .own, .unfiltered, .party, .fragments, .discovery, .way, .fresh, .freshAt: .attach
            case .stamp: .stamp
            }
        }
    }
}
