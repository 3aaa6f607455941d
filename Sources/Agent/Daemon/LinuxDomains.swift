import Foundation
package import HostNetwork
package import Kernel

/// Routing domains of the Linux kernel: the namespace that the daemon runs in, and one that it makes for each isolated network.
package struct LinuxDomains: DomainHost {
    private let names: NamespaceNames
    private let marks: MarkLayout
    private let owner: NetworkNamespace.Identity
    /// Whether the nftables tables are to be this process's own.
    private let isOwner: Bool
    private let onSend: LinuxDataplane.Listener?
    /// Who keeps namespaces for the next daemon, where there is somebody.
    private let kept: DescriptorStore?
    private let taken = TakenNamespaces()

    /// For the namespace of the calling thread. `onSend`: see `LinuxDataplane`.
    package init(
        names: NamespaceNames, marks: MarkLayout, isOwner: Bool = true,
        onSend: LinuxDataplane.Listener? = nil, kept: DescriptorStore? = nil
    ) throws(NamespaceError) {
        self.kept = kept
        self.names = names
        self.marks = marks
        self.isOwner = isOwner
        self.onSend = onSend
        home = try SharedNamespace(NetworkNamespace.current())
        owner = try home.namespace.identity
        taken.note(owner, .host)
        // What an earlier daemon has made is no pod's either.
        for (path, _) in files(besides: []) {
            guard let network = DomainNamespace.name(at: path, owner: owner) else { continue }
            do throws(NamespaceError) { taken.note(try NetworkNamespace(at: path).identity, .network(ID(network))) } catch { continue }
        }
    }

    private let home: SharedNamespace

    package func path(of domain: RoutingDomain) -> String? { domain.fileName.map(names.path) }

    private func namespace(of domain: RoutingDomain) -> DomainNamespace? {
        guard case .network(let network) = domain, let name = domain.fileName else { return nil }
        return DomainNamespace(name, of: names, owner: owner, for: network.value)
    }

    package func open(_ domain: RoutingDomain) throws -> sending OpenDomain {
        guard let made = namespace(of: domain) else { return try open(home.namespace) }
        let namespace = try open(made, of: domain)
        if let name = domain.fileName { try kept?.keep(namespace, as: name) }
        // Nothing passes on its own there; it was made for that.
        if let failure = try namespace.inside({ () -> ForwardingError? in
            do throws(ForwardingError) { try Forwarding.enableInOwn() } catch { return error }
            return nil
        }) {
            throw failure
        }
        return try open(namespace)
    }

    /// The domain's namespace, known as such from before it has a name.
    private func open(_ made: DomainNamespace, of domain: RoutingDomain) throws(NamespaceError) -> NetworkNamespace {
        do throws(NamespaceError) {
            if let name = domain.fileName, let left = kept?.left[name], (try? NetworkNamespace(at: made.path)) == nil {
                taken.note(try NetworkNamespace(at: "/proc/self/fd/\(left)").identity, domain)
                // Its name ended with the mount namespace of the daemon that gave it; the file that it was
                // mounted on may be there.
                DomainNamespace.removeRest(at: made.path)
                try names.bind(left, as: name)
            }
            return try made.open { taken.note($0, domain) }
        } catch {
            taken.forget(domain)
            throw error
        }
    }

    private func open(_ namespace: borrowing NetworkNamespace) throws -> sending OpenDomain {
        let plane = try LinuxDataplane.open(in: namespace, marks: marks, owned: isOwner, over: home.namespace)
        plane.onSend = onSend
        let events = try KernelEvents.stream(in: namespace, except: plane.ports, pods: plane.watchPods())
        return OpenDomain(plane: plane, events: events)
    }

    package func strangers(in domain: RoutingDomain, changing bits: UInt32, _ budget: inout ReadingBudget)
        -> Strangers
    {
        do {
            guard let path = path(of: domain) else {
                return try Self.strangers(in: home.namespace, bits, &budget)
            }
            return try Self.strangers(in: NetworkNamespace(at: path), bits, &budget)
        } catch {
            var strangers = Strangers()
            strangers.unread = "\(error)"
            return strangers
        }
    }

    private static func strangers(
        in namespace: borrowing NetworkNamespace, _ bits: UInt32, _ budget: inout ReadingBudget
    ) throws(OpenFailure) -> Strangers {
        var reader = try StrangersReader(in: namespace, mask: bits)
        return reader.read(&budget)
    }

    package func remove(_ domain: RoutingDomain) throws {
        try namespace(of: domain)?.remove()
        taken.forget(domain)
        if let name = domain.fileName { try kept?.forget(name) }
    }

    package func owner(of identity: NamespaceIdentity) -> String? { taken.owner(of: identity) }

    package func isAttached(_ pod: ID<Pod>, of domain: RoutingDomain, at path: String) -> Bool {
        do {
            let place = try NetworkNamespace(at: path)
            guard let name = domain.fileName, let own = self.path(of: domain) else {
                var table = try LinkTable(in: home.namespace)
                return try table.leads(LinkName(of: pod), into: place)
            }
            let file = kept?.left[name].map { "/proc/self/fd/\($0)" } ?? own
            var table = try LinkTable(in: NetworkNamespace(at: file))
            return try table.leads(LinkName(of: pod), into: place)
        } catch {
            return false
        }
    }

    package func leftovers(besides domains: Set<RoutingDomain>) -> [String] {
        files(besides: domains).map(\.path).filter { DomainNamespace.name(at: $0, owner: owner) != nil }
            + strangers(besides: domains).map(names.path)
    }

    /// What there is that may have been named for a routing domain, besides some.
    private func files(besides domains: Set<RoutingDomain>) -> [(path: String, name: String)] {
        let wanted = Set(domains.compactMap(path))
        let there = (try? FileManager.default.contentsOfDirectory(atPath: names.folder)) ?? []
        return there.filter { $0.hasPrefix(RoutingDomain.prefix) }.map { (names.path(of: $0), $0) }.filter {
            !wanted.contains($0.path)
        }
    }

    /// Those that somebody keeps for the next daemon.
    private func strangers(besides domains: Set<RoutingDomain>) -> [String] {
        let wanted = Set(domains.compactMap(path))
        return (kept?.left.keys.sorted() ?? []).filter {
            $0.hasPrefix(RoutingDomain.prefix) && !wanted.contains(names.path(of: $0))
        }
    }

    package func sweep(keeping domains: Set<RoutingDomain>) -> [String] {
        var removed: [String] = []
        for name in strangers(besides: domains) { try? kept?.forget(name) }
        for (path, name) in files(besides: domains) {
            guard let network = DomainNamespace.name(at: path, owner: owner) else {
                DomainNamespace.removeRest(at: path)
                continue
            }
            let namespace = DomainNamespace(name, of: names, owner: owner, for: network)
            try? kept?.forget(name)
            guard (try? namespace.remove()) != nil else { continue }
            taken.forget(.network(ID(network)))
            removed.append("the routing domain of network \(network) (\(path))")
        }
        return removed
    }
}

/// The daemon's own namespace, which is opened once.
private final class SharedNamespace: Sendable {
    let namespace: NetworkNamespace
    init(_ namespace: consuming NetworkNamespace) { self.namespace = namespace }
}

extension RoutingDomain {
    static let prefix = "hawser-"

    /// The name of its namespace's file: `hawser-` and the network's id, or a hash of it where that is no file's name, or none that the
    /// service manager takes.
    var fileName: String? {
        guard case .network(let network) = self else { return nil }
        let id = network.value
        let isPlain = !id.contains { $0 == "/" || $0 == ":" } && id.utf8.count <= 200
        return Self.prefix + (isPlain ? id : "~" + StableHash.base32(StableHash.mixed(id), characters: 13))
    }
}
