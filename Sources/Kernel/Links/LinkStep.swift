package import HostNetwork
package import SystemPackage

/// What pods' interfaces, and the ways to other hosts, are made of.
package enum LinkObject: Hashable, Sendable {
    indirect case link(Link)
    case address(InterfaceAddress)
    case route(Route)
    case neighbor(NeighborEntry)
    indirect case tunnel(Tunnel)
    case forwarding(ForwardingEntry)
    case tableRule(TableRule)

    /// The pair or tunnel that it lives and dies with; none for a route out of another's interface.
    package var name: LinkName? {
        switch self {
        case .link(let link): link.name
        case .address(let address): address.end.link
        case .route(let route): route.end?.link
        case .neighbor(let neighbor): neighbor.end.link
        case .tunnel(let tunnel): tunnel.name
        case .forwarding(let entry): entry.tunnel
        case .tableRule: nil
        }
    }

    /// Where it is; a pair is on both sides.
    var side: End.Side? {
        switch self {
        case .link: nil
        case .address(let address): address.end.side
        case .route(let route): route.side
        case .neighbor(let neighbor): neighbor.end.side
        case .tunnel, .forwarding, .tableRule: .host
        }
    }
}

/// One thing done to one object.
package enum LinkStep: Hashable, Sendable {
    case add(LinkObject)
    /// Between two states of one object that can become each other.
    case change(from: LinkObject, to: LinkObject)
    case remove(LinkObject)

    /// The object, as it is to be or was.
    package var object: LinkObject {
        switch self {
        case .add(let object), .change(_, to: let object), .remove(let object): object
        }
    }

    var name: LinkName? { object.name }

    var isRemoval: Bool {
        if case .remove = self { true } else { false }
    }
}

/// A step that wasn't taken.
package struct LinkRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// The step's place among those given.
    package var index: Int
    package var step: LinkStep
    /// `ECANCELED`: not tried, because what it stands on was refused.
    package var errno: Errno
    /// A sentence for people, with the kernel's own words when it gave any.
    package var explanation: String
    /// See `Refusal`.
    package var isInside = false

    package var description: String { explanation }
}
