/// A set of rules that pods are bound to.
package struct SecurityGroup: Hashable, Sendable {
    package var id: ID<SecurityGroup>
    /// The only network whose pods may bind it; nil for any, with its members counted per network.
    package var network: ID<Network>?
    /// Whether replies of an allowed flow pass without a rule of their own.
    package var stateful: Bool
    /// All of its rules, with distinct ids.
    package var rules: [Rule]
    package var revision: UInt64

    package init(id: ID<SecurityGroup>, network: ID<Network>? = nil, stateful: Bool = true, rules: [Rule] = [], revision: UInt64 = 0) {
        self.id = id
        self.network = network
        self.stateful = stateful
        self.rules = rules
        self.revision = revision
    }

    /// Whether pods of `other` may be bound to it, and rules of that network may name it.
    package func serves(_ other: ID<Network>) -> Bool { network == nil || network == other }

    /// The groups whose members its rules name.
    package var remoteGroups: Set<ID<SecurityGroup>> {
        Set(rules.compactMap { if case .group(let id) = $0.remote { id } else { nil } })
    }

    /// The address groups that its rules name.
    package var remoteAddressGroups: Set<ID<AddressGroup>> {
        Set(rules.compactMap { if case .addressGroup(let id) = $0.remote { id } else { nil } })
    }
}

extension ID<Network> {
    /// The group that a pod of this network is bound to when it names none: "blue/default".
    package var defaultGroup: ID<SecurityGroup> { ID<SecurityGroup>(value + "/default") }
}

extension ID<SecurityGroup> {
    /// The network whose default group has this id; nil for other groups.
    package var networkOfDefault: ID<Network>? {
        value.hasSuffix("/default") ? ID<Network>(String(value.dropLast("/default".count))) : nil
    }
}

extension SecurityGroup {
    /// A network's default group until content is pushed for it: egress to anyone, ingress from its own members.
    package static func implicitDefault(of network: ID<Network>) -> SecurityGroup {
        SecurityGroup(
            id: network.defaultGroup, network: network,
            rules: [
                Rule(id: "default-egress", direction: .egress),
                Rule(id: "default-ingress", direction: .ingress, remote: .group(network.defaultGroup)),
            ])
    }
}
