/// What every kind of resource has.
package protocol Resource: Hashable, Sendable {
    static var kind: Kind { get }
    var id: ID<Self> { get }
    /// Set by the controller; 0 for none.
    var revision: UInt64 { get set }
}

extension Network: Resource { package static var kind: Kind { .network } }
extension AddressGroup: Resource { package static var kind: Kind { .addressGroup } }
extension SecurityGroup: Resource { package static var kind: Kind { .securityGroup } }
extension Pod: Resource { package static var kind: Kind { .pod } }
extension Neighbor: Resource { package static var kind: Kind { .neighbor } }

extension ID where Of: Resource {
    /// The same name among all kinds.
    package var intent: IntentID { IntentID(Of.kind, value) }
}

/// One resource as asked for, of any kind.
package enum Intent: Hashable, Sendable {
    case network(Network)
    case addressGroup(AddressGroup)
    case securityGroup(SecurityGroup)
    case pod(Pod)
    case neighbor(Neighbor)

    package var id: IntentID {
        switch self {
        case .network(let network): network.id.intent
        case .addressGroup(let group): group.id.intent
        case .securityGroup(let group): group.id.intent
        case .pod(let pod): pod.id.intent
        case .neighbor(let neighbor): neighbor.id.intent
        }
    }

    package var kind: Kind {
        switch self {
        case .network: .network
        case .addressGroup: .addressGroup
        case .securityGroup: .securityGroup
        case .pod: .pod
        case .neighbor: .neighbor
        }
    }

    package var revision: UInt64 {
        switch self {
        case .network(let network): network.revision
        case .addressGroup(let group): group.revision
        case .securityGroup(let group): group.revision
        case .pod(let pod): pod.revision
        case .neighbor(let neighbor): neighbor.revision
        }
    }

    /// The same content under another revision.
    package func with(revision: UInt64) -> Intent {
        func revised<Of: Resource>(_ resource: Of) -> Of {
            var resource = resource
            resource.revision = revision
            return resource
        }
        return switch self {
        case .network(let network): .network(revised(network))
        case .addressGroup(let group): .addressGroup(revised(group))
        case .securityGroup(let group): .securityGroup(revised(group))
        case .pod(let pod): .pod(revised(pod))
        case .neighbor(let neighbor): .neighbor(revised(neighbor))
        }
    }
}
