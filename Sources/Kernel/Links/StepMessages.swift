import HostNetwork
import Netlink
import SystemPackage

extension LinkStep {
    /// Whether there is something to say at this side.
    func touches(_ side: End.Side) -> Bool { object.side == nil || object.side == side }

    /// Appends what is to be said at one side; the place of its last message, or nil when there is nothing.
    func addMessages(to batch: inout Batch, _ side: End.Side, _ index: InterfaceIndex) -> Int? {
        guard touches(side) else { return nil }
        switch self {
        case .add(.link(let link)):
            // Made already, down.
            var down = link
            down.isUp = false
            return link.addChange(to: &batch, from: down, side, index)
        case .change(from: .link(let old), to: .link(let new)): return new.addChange(to: &batch, from: old, side, index)
        case .add(.address(let address)): return address.addMessage(to: &batch, index)
        case .remove(.address(let address)): return address.addMessage(to: &batch, index, removes: true)
        case .add(.route(let route)): return route.addMessage(to: &batch, index, .add)
        case .change(_, to: .route(let route)): return route.addMessage(to: &batch, index, .replace)
        case .remove(.route(let route)): return route.addMessage(to: &batch, index, .remove)
        case .add(.neighbor(let neighbor)), .change(_, to: .neighbor(let neighbor)): return neighbor.addMessage(to: &batch, index)
        case .remove(.neighbor(let neighbor)): return neighbor.addMessage(to: &batch, index, removes: true)
        case .change(from: .tunnel(let old), to: .tunnel(let new)): return new.addChange(to: &batch, from: old, index)
        case .add(.forwarding(let entry)), .change(_, to: .forwarding(let entry)): return entry.addMessage(to: &batch, index)
        case .remove(.forwarding(let entry)): return entry.addMessage(to: &batch, index, removes: true)
        case .add(.tableRule(let rule)): return rule.addMessage(to: &batch)
        case .remove(.tableRule(let rule)): return rule.addMessage(to: &batch, removes: true)
        // A link is removed by `LinkTable.remove`, and a tunnel made by `LinkTable.makeTunnels`; an
        // address or a rule is all that there is to it, so that it can't change.
        case .remove(.link), .remove(.tunnel), .add(.tunnel), .change: return nil
        }
    }

    /// Whether the kernel refused because all is as wanted.
    func isFulfilled(despite errno: Errno) -> Bool {
        switch self {
        case .add(.address), .add(.tableRule): errno == .fileExists
        case .remove(let object): Gone.contains(errno, for: object)
        default: false
        }
    }

    /// Whether this brings the pair up.
    var raises: Bool {
        switch self {
        case .add(.link(let link)): link.isUp
        case .change(from: .link(let old), to: .link(let new)): !old.isUp && new.isUp
        default: false
        }
    }

    /// Whether this brings an interface of the host's up: the pair's host side, or a tunnel that is there.
    var raisesHostSide: Bool {
        if case .change(from: .tunnel(let old), to: .tunnel(let new)) = self {
            !old.isUp && new.isUp
        } else {
            raises
        }
    }
}
