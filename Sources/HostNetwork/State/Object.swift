/// One object of the kernel that Hawser makes. Hosts have tens of thousands of elements and rules and a few thousand of all else, so what is
/// large of that lies elsewhere.
package enum Object: Hashable, Sendable {
    indirect case link(Link)
    indirect case address(InterfaceAddress)
    indirect case route(Route)
    indirect case neighbor(NeighborEntry)
    indirect case tunnel(Tunnel)
    indirect case forwarding(ForwardingEntry)
    indirect case tableRule(TableRule)
    case table(TableFamily)
    case chain(Chain)
    case set(NamedSet)
    case rule(FilterRule)
    case element(Element)

    /// What two states of one object have in common.
    package enum Key: Hashable, Sendable {
        /// A pod's pair or a tunnel.
        case link(LinkName)
        indirect case address(End, IPAddress)
        indirect case route(End.Side, LinkName?, Prefix)
        /// In another table than the main one; a barrier stands beside the way to the same destination.
        indirect case tableRoute(RouteTable, Prefix, isBarrier: Bool)
        indirect case tableRule(TableRule)
        indirect case neighbor(End, IPAddress)
        indirect case forwarding(LinkName, MAC)
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
        case .route(let route) where route.table != .main:
            .tableRoute(route.table, route.destination, isBarrier: route.kind == .barrier)
        case .route(let route): .route(route.side, route.side == .host ? nil : route.end?.link, route.destination)
        case .neighbor(let neighbor): .neighbor(neighbor.end, neighbor.address)
        case .tunnel(let tunnel): .link(tunnel.name)
        case .forwarding(let entry): .forwarding(entry.tunnel, entry.mac)
        case .tableRule(let rule): .tableRule(rule)
        case .table(let family): .table(family)
        case .chain(let chain): .chain(chain.id)
        case .set(let set): .set(set.id)
        case .rule(let rule): .rule(rule)
        case .element(let element): .element(element.set, element.key)
        }
    }

    /// The pair or tunnel that it lives and dies with.
    package var link: LinkName? {
        switch self {
        case .link(let link): link.name
        case .address(let address): address.end.link
        case .route(let route): route.end?.link
        case .neighbor(let neighbor): neighbor.end.link
        case .tunnel(let tunnel): tunnel.name
        case .forwarding(let entry): entry.tunnel
        // One about a link outlives it (`detach_rules`, net/core/fib_rules.c).
        case .tableRule, .table, .chain, .set, .rule, .element: nil
        }
    }

    package var isRuleset: Bool {
        switch self {
        case .table, .chain, .set, .rule, .element: true
        case .link, .address, .route, .neighbor, .tunnel, .forwarding, .tableRule: false
        }
    }
}

/// An object and whose it is. Two entries are equal when their objects are: comments don't make a difference in force.
///
/// What is wanted, what is believed to be there and the part that it comes from hold the same one, which never changes.
package struct Entry: Hashable, Sendable {
    private final class Content: Sendable {
        let object: Object
        let because: IntentID
        /// Nil: the intent's name, which most have and which is made only when it is needed.
        let comment: String?

        init(_ object: Object, _ because: IntentID, _ comment: String?) {
            self.object = object
            self.because = because
            self.comment = comment
        }
    }

    private let content: Content

    package var object: Object { content.object }
    /// The intent that a refusal is reported against.
    package var because: IntentID { content.because }
    /// What a person reads beside it in a listing; at most 128 bytes (`NFTNL_UDATA_COMMENT_MAXLEN`, libnftnl/udata.h).
    package var comment: String { content.comment ?? Self.comment(because.description) }

    package init(_ object: Object, because: IntentID, comment: String? = nil) {
        content = Content(object, because, comment.map(Self.comment))
    }

    /// As much of a text as a comment holds.
    package static func comment(_ text: String) -> String {
        text.utf8.count <= 127 ? text : String(decoding: text.utf8.prefix(127), as: UTF8.self)
    }

    /// Whether the other says the same of why it is there.
    func isExplained(as other: Entry) -> Bool { because == other.because && content.comment == other.content.comment }

    package static func == (a: Self, b: Self) -> Bool { a.content === b.content || a.object == b.object }
    package func hash(into hasher: inout Hasher) { hasher.combine(object) }
}
