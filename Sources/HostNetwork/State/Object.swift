/// One object of the kernel that Hawser makes.
package enum Object: Hashable, Sendable {
    indirect case link(Link)
    case address(InterfaceAddress)
    case route(Route)
    case neighbor(NeighborEntry)
    case table(TableFamily)
    case chain(Chain)
    case set(NamedSet)
    case rule(FilterRule)
    case element(Element)

    /// What two states of one object have in common.
    package enum Key: Hashable, Sendable {
        case link(LinkName)
        case address(End, IPAddress)
        case route(End.Side, LinkName?, Prefix)
        case neighbor(End, IPAddress)
        case table(TableFamily)
        case chain(Named)
        case set(Named)
        case rule(FilterRule)
        case element(Named, [UInt8])
    }

    package var key: Key {
        switch self {
        case .link(let link): .link(link.name)
        case .address(let address): .address(address.end, address.address)
        // The host has one route to a destination, whichever link it leaves by; a pod side has its own.
        case .route(let route): .route(route.end.side, route.end.side == .host ? nil : route.end.link, route.destination)
        case .neighbor(let neighbor): .neighbor(neighbor.end, neighbor.address)
        case .table(let family): .table(family)
        case .chain(let chain): .chain(chain.id)
        case .set(let set): .set(set.id)
        case .rule(let rule): .rule(rule)
        case .element(let element): .element(element.set, element.key)
        }
    }

    /// The pair that it lives and dies with.
    package var link: LinkName? {
        switch self {
        case .link(let link): link.name
        case .address(let address): address.end.link
        case .route(let route): route.end.link
        case .neighbor(let neighbor): neighbor.end.link
        case .table, .chain, .set, .rule, .element: nil
        }
    }

    package var isRuleset: Bool { link == nil }
}

/// An object and whose it is. Two entries are equal when their objects are: comments don't make a difference in force.
package struct Entry: Hashable, Sendable {
    package var object: Object
    /// The intent that a refusal is reported against.
    package var because: IntentID
    /// What a person reads beside it in a listing; at most 128 bytes (`NFTNL_UDATA_COMMENT_MAXLEN`, libnftnl/udata.h).
    package var comment: String

    package init(_ object: Object, because: IntentID, comment: String? = nil) {
        self.object = object
        self.because = because
        self.comment = String(decoding: (comment ?? because.description).utf8.prefix(127), as: UTF8.self)
    }

    package static func == (a: Self, b: Self) -> Bool { a.object == b.object }
    package func hash(into hasher: inout Hasher) { hasher.combine(object) }
}
