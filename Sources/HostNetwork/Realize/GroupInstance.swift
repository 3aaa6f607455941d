/// A group as the pods of one network see it: a group that names no network has members in each of several.
package struct GroupInstance: Hashable, Comparable, Sendable {
    package var group: ID<SecurityGroup>
    package var network: ID<Network>
    /// Whether the group itself names the network, as most do.
    package var isOwn: Bool

    package init(_ group: SecurityGroup, seenFrom network: ID<Network>) {
        self.group = group.id
        self.network = network
        isOwn = group.network != nil
    }

    package static func < (a: Self, b: Self) -> Bool { (a.group, a.network) < (b.group, b.network) }

    /// What its chains and sets are named after.
    var name: String { isOwn ? group.value : "\(group)@\(network)" }
    var because: IntentID { IntentID(.securityGroup, group.value) }

    package func chain(_ flow: Flow, _ way: Way) -> Named { Named(.inet, Naming.name("sg-\(flow.text)\(way.suffix)", name)) }
}

/// Addresses that rules name by a group: single ones in a hash set, ranges in a set of their own, for each family.
struct RemoteSets {
    enum Owner: Hashable {
        case group(GroupInstance)
        case addressGroup(ID<AddressGroup>)

        var name: String {
            switch self {
            case .group(let instance): instance.name
            case .addressGroup(let id): id.value
            }
        }

        /// Told apart from the other kind, whose ids may be the same.
        var role: String {
            switch self {
            case .group: "members/\(name)"
            case .addressGroup: "addresses/\(name)"
            }
        }
    }

    var owner: Owner

    func singles(_ family: Family) -> NamedSet {
        NamedSet(Named(.inet, Naming.name("\(role)-\(family.digit)", owner.name)), [family == .v4 ? .ipv4Address : .ipv6Address])
    }

    func ranges(_ family: Family) -> NamedSet {
        NamedSet(
            Named(.inet, Naming.name("\(role)-ranges-\(family.digit)", owner.name)), [family == .v4 ? .ipv4Address : .ipv6Address],
            isInterval: true)
    }

    private var role: String {
        switch owner {
        case .group: "members"
        case .addressGroup: "addresses"
        }
    }
}
