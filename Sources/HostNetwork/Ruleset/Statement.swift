/// Where a packet goes on.
package enum Verdict: Hashable, Sendable {
    case accept, drop
    /// Comes back to the next rule when the chain ends without a verdict.
    case jump(String)
    /// Doesn't come back.
    case goto(String)
    /// Back to the rule after the jump.
    case `return`

    /// The chain that it names.
    package var chain: String? {
        switch self {
        case .jump(let chain), .goto(let chain): chain
        case .accept, .drop, .return: nil
        }
    }

    package var text: String {
        switch self {
        case .accept: "accept"
        case .drop: "drop"
        case .jump(let chain): "jump \(chain)"
        case .goto(let chain): "goto \(chain)"
        case .return: "return"
        }
    }
}

/// One part of a rule: a test that must hold for the next part to be looked at, or something done.
package enum Statement: Hashable, Sendable {
    /// The selector has this value, as a number.
    case equal(Selector, UInt32)
    /// The selector has another value.
    case unequal(Selector, UInt32)
    /// The selector's number is in this range.
    case within(Selector, ClosedRange<UInt32>)
    /// The selector's address is in this range. Apart, for two addresses take more than all the others need.
    indirect case among(Selector, AddressRange)
    case family(Family)
    /// The packet is a fragment, the first one included: `ip frag-off & 0x3fff != 0`, `exthdr frag exists`.
    case fragment(Family)
    /// The packet is of this family, and no fragment: `ip frag-off & 0x3fff == 0x0`, `exthdr frag missing`.
    case whole(Family)
    /// The selectors, side by side, are an element of the set. With a verdict map the element's verdict is taken.
    case lookup([Selector], in: String)
    case dispatch([Selector], by: String)
    /// `ct mark set ct mark & keep | set`
    case mark(keep: UInt32, set: UInt32)
    case counter
    case verdict(Verdict)
    /// Something that Hawser doesn't write, as the kernel lists it: a whole rule, which is only ever removed.
    case foreign(String)

    /// The set or map that it reads.
    package var set: String? {
        switch self {
        case .lookup(_, let set), .dispatch(_, let set): set
        default: nil
        }
    }

    package var text: String {
        switch self {
        case .equal(let selector, let value): "\(selector.text) \(value)"
        case .unequal(let selector, let value): "\(selector.text) != \(value)"
        case .within(let selector, let range): "\(selector.text) \(range.lowerBound)-\(range.upperBound)"
        case .among(let selector, let range): "\(selector.text) \(range)"
        case .family(let family): "meta nfproto \(family == .v4 ? "ipv4" : "ipv6")"
        case .fragment(.v4): "ip frag-off & 0x3fff != 0x0"
        case .fragment(.v6): "exthdr frag exists"
        case .whole(.v4): "ip frag-off & 0x3fff == 0x0"
        case .whole(.v6): "exthdr frag missing"
        case .lookup(let selectors, let set): "\(selectors.map(\.text).joined(separator: " . ")) @\(set)"
        case .dispatch(let selectors, let map): "\(selectors.map(\.text).joined(separator: " . ")) vmap @\(map)"
        case .mark(let keep, 0): "ct mark set ct mark & \(hex(keep))"
        case .mark(let keep, let set): "ct mark set ct mark & \(hex(keep)) | \(hex(set))"
        case .counter: "counter"
        case .verdict(let verdict): verdict.text
        case .foreign(let text): text
        }
    }
}

package typealias Statements = [Statement]
