/// One permission of a security group.
package struct Rule: Hashable, Sendable {
    package enum Direction: String, Hashable, Sendable, CaseIterable {
        /// To the pod.
        case ingress
        /// From the pod.
        case egress
    }

    /// Unique within its group.
    package var id: String
    /// What it allows: two rules with the same meaning are the same rule under two names.
    package var meaning: Meaning

    package init(
        id: String, direction: Direction = .egress, family: Family? = nil, protocol: IPProtocol? = nil, ports: PortRange? = nil,
        sourcePorts: PortRange? = nil, icmp: ICMPMatch? = nil, remote: Remote = .anyone
    ) {
        self.id = id
        meaning = Meaning(
            direction: direction, family: family, protocol: `protocol`, ports: ports, sourcePorts: sourcePorts, icmp: icmp, remote: remote)
    }

    package var direction: Direction { meaning.direction }
    package var family: Family? { meaning.family }
    package var `protocol`: IPProtocol? { meaning.protocol }
    package var ports: PortRange? { meaning.ports }
    package var sourcePorts: PortRange? { meaning.sourcePorts }
    package var icmp: ICMPMatch? { meaning.icmp }
    package var remote: Remote { meaning.remote }
}

extension Rule {
    /// What a rule allows, in its one normal form.
    package struct Meaning: Hashable, Sendable {
        package let direction: Direction
        /// Nil for both.
        package let family: Family?
        /// Nil for any.
        package let `protocol`: IPProtocol?
        /// Destination ports; nil for any.
        package let ports: PortRange?
        /// Nil for any.
        package let sourcePorts: PortRange?
        package let icmp: ICMPMatch?
        package let remote: Remote

        /// A family is implied by a prefix, or else by a protocol of one family; every port is the same as none named;
        /// a prefix of all addresses is anyone of its family.
        init(
            direction: Direction, family: Family?, protocol: IPProtocol?, ports: PortRange?, sourcePorts: PortRange?, icmp: ICMPMatch?,
            remote: Remote
        ) {
            let family = family ?? remote.family
            self.direction = direction
            self.protocol = `protocol`?.spoken(in: family)
            self.family = family ?? `protocol`?.onlyFamily
            self.ports = ports == .all ? nil : ports
            self.sourcePorts = sourcePorts == .all ? nil : sourcePorts
            self.icmp = icmp
            self.remote = if case .cidr(let prefix) = remote, prefix.isEverything { .anyone } else { remote }
        }
    }
}

/// An ICMP or ICMPv6 message by its type (0 is echo reply, not any).
package struct ICMPMatch: Hashable, Sendable {
    package var type: UInt8
    /// Nil for any code of the type.
    package var code: UInt8?

    package init(type: UInt8, code: UInt8? = nil) {
        self.type = type
        self.code = code
    }
}

/// The other end of what a rule allows: who sends (ingress) or receives (egress).
package enum Remote: Hashable, Sendable {
    case anyone
    case cidr(Prefix)
    /// The members of a group; nobody while there are none.
    case group(ID<SecurityGroup>)
    /// The prefixes of an address group; nobody while there are none.
    case addressGroup(ID<AddressGroup>)

    /// The family of a prefix; nil for what may be of both.
    package var family: Family? {
        if case .cidr(let prefix) = self { prefix.family } else { nil }
    }
}
