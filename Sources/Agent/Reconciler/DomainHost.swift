package import HostNetwork
package import Kernel

/// Makes routing domains, opens them, and takes them away.
package protocol DomainHost: Sendable {
    /// The domain's kernel; an isolated network's namespace is made if it isn't there, and adopted if it is. It is called on the domain's
    /// own thread.
    func open(_ domain: RoutingDomain) throws -> sending OpenDomain

    /// Ends an isolated network's domain with all that is in it.
    func remove(_ domain: RoutingDomain) throws

    /// Removes those that an earlier daemon made and that aren't wanted any more; what was removed, as words for people.
    func sweep(keeping domains: Set<RoutingDomain>) -> [String]

    /// Where those are.
    func leftovers(besides domains: Set<RoutingDomain>) -> [String]

    /// What other programs have in the domain's namespace, as far as the budget goes; of rules that write
    /// flows' marks, those that may change one of `bits`. It is called on a thread of its own.
    func strangers(in domain: RoutingDomain, changing bits: UInt32, _ budget: inout ReadingBudget)
        -> Strangers

    /// The file by which others find the domain's namespace; nil for the host's own.
    func path(of domain: RoutingDomain) -> String?

    /// For people: whose a namespace is that no pod may have, for it is the daemon's own or a routing domain's; nil for any other.
    func owner(of identity: NamespaceIdentity) -> String?

    /// Whether the kernel has the pod's interface in the namespace at a path, when the daemon starts.
    func isAttached(_ pod: ID<Pod>, of domain: RoutingDomain, at path: String) -> Bool
}

extension DomainHost {
    /// For models: they have no namespaces.
    package func owner(of identity: NamespaceIdentity) -> String? { nil }
    package func isAttached(_ pod: ID<Pod>, of domain: RoutingDomain, at path: String) -> Bool { false }
}

extension DomainHost {
    /// For models, which have no others.
    package func strangers(in domain: RoutingDomain, changing bits: UInt32, _ budget: inout ReadingBudget)
        -> Strangers
    { Strangers() }
}

/// A routing domain's kernel, and what it tells of what others do.
package struct OpenDomain {
    package let plane: any Dataplane
    package let events: AsyncStream<KernelEvent>

    package init(plane: sending any Dataplane, events: AsyncStream<KernelEvent>) {
        self.plane = plane
        self.events = events
    }
}
