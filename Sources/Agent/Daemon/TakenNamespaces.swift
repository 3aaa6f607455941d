import HostNetwork
import Synchronization

/// The namespaces that are never a pod's: the daemon's own, and those of routing domains.
final class TakenNamespaces: Sendable {
    private let domains = Mutex<[NamespaceIdentity: RoutingDomain]>([:])

    func note(_ identity: NamespaceIdentity, _ domain: RoutingDomain) {
        domains.withLock { $0[identity] = domain }
    }

    /// It ends, or never was; its identity may be another's next.
    func forget(_ domain: RoutingDomain) { domains.withLock { $0 = $0.filter { $0.value != domain } } }

    /// For people: whose it is.
    func owner(of identity: NamespaceIdentity) -> String? {
        switch domains.withLock({ $0[identity] }) {
        case nil: nil
        case .host?: "the host's own"
        case .network(let network)?: "the routing domain of network \(network)"
        }
    }
}
