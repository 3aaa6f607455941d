import HostNetwork
import Kernel

/// Which pods' namespaces are there, and which ones they are.
///
/// A namespace has many paths, so it is told by its identity: one interface of one name in it is one pod's,
/// the first that asked for it, and some are no pod's at all.
struct NamespaceTable: Sendable {
    /// Where one interface fits: of its name, in a namespace.
    private struct Plug: Hashable {
        var home: NamespaceIdentity
        var interface: String
    }

    /// What a pod names.
    private struct Place: Hashable {
        var path: String
        var interface: String
    }

    /// Why a pod can't be where it is to be.
    enum Absence: Hashable, Sendable {
        /// It comes by itself.
        case awaits(String)
        /// It doesn't.
        case refused(String)

        var reason: String {
            switch self {
            case .awaits(let reason), .refused(let reason): reason
            }
        }
    }

    private var places: [ID<Pod>: Place] = [:]
    private var pods: [String: Set<ID<Pod>>] = [:]
    /// What there was at the last look, at a pod's path.
    private var seen: [ID<Pod>: NamespaceIdentity] = [:]
    private var holders: [Plug: ID<Pod>] = [:]
    private var rivals: [Plug: Set<ID<Pod>>] = [:]
    /// Pods whose places may have become free since they were looked at.
    private var hopeful: Set<ID<Pod>> = []
    private let owner: @Sendable (NamespaceIdentity) -> String?

    /// - Parameter owner: whose a namespace is that is no pod's.
    init(owner: @escaping @Sendable (NamespaceIdentity) -> String? = { _ in nil }) { self.owner = owner }

    /// Every path that a pod names.
    var watched: Set<String> { Set(pods.keys) }

    func pods(at path: String) -> Set<ID<Pod>> { pods[path] ?? [] }

    /// Takes note of where a pod's interface is to be; answers whether the paths to watch differ now.
    mutating func place(_ pod: ID<Pod>, at path: String?, _ interface: String) -> Bool {
        let new = path.map { Place(path: $0, interface: interface) }
        let old = places[pod]
        guard old != new else { return false }
        leave(pod)
        seen[pod] = nil
        places[pod] = new
        guard old?.path != path else { return false }
        var differs = false
        if let old = old?.path {
            pods[old]?.remove(pod)
            if pods[old]?.isEmpty ?? false {
                pods[old] = nil
                differs = true
            }
        }
        if let path {
            differs = pods[path] == nil || differs
            pods[path, default: []].insert(pod)
        }
        return differs
    }

    private func plug(of pod: ID<Pod>) -> Plug? {
        guard let home = seen[pod], let interface = places[pod]?.interface else { return nil }
        return Plug(home: home, interface: interface)
    }

    /// Whether its namespace was there at the last look, and the pod has its place in it.
    func isThere(_ pod: ID<Pod>) -> Bool { home(of: pod) != nil }

    /// The namespace that it has its place in.
    func home(of pod: ID<Pod>) -> NamespaceIdentity? {
        guard let plug = plug(of: pod), holders[plug] == pod else { return nil }
        return plug.home
    }

    /// What keeps it from being there; nil when nothing does, or it names no namespace.
    func absence(of pod: ID<Pod>) -> Absence? {
        guard let place = places[pod] else { return nil }
        guard let plug = plug(of: pod) else { return .awaits("network namespace \(place.path)") }
        if let owner = owner(plug.home) {
            return .refused("\(place.path) is \(owner) network namespace, and no pod's")
        }
        guard let holder = holders[plug], holder != pod else { return nil }
        return .awaits(
            "interface \(place.interface) of network namespace \(place.path), which pod \(holder) has"
                + (places[holder].map { $0.path == place.path ? "" : " as \($0.path)" } ?? ""))
    }

    /// What a look at a pod's namespace came to.
    enum Look { case same, appeared, replaced, gone, absent }

    mutating func look(at pod: ID<Pod>) -> Look {
        let before = home(of: pod)
        let now = places[pod].flatMap { Self.identity($0.path) }
        if now != seen[pod] {
            leave(pod)
            seen[pod] = now
        }
        dislodge(from: pod)
        claim(pod)
        switch (before, home(of: pod)) {
        case (nil, nil): return .absent
        case (nil, _?): return .appeared
        case (_?, nil): return .gone
        case (let before?, let now?): return before == now ? .same : .replaced
        }
    }

    /// Looks at pods for the first time. Of several that name one place, by whatever paths, that one has it
    /// which had it before.
    ///
    /// - Parameter isAttached: whether a pod's interface is in the namespace at its path.
    mutating func begin(with pods: some Sequence<ID<Pod>>, isAttached: (ID<Pod>, String) -> Bool) {
        var claimants: [Plug: [ID<Pod>]] = [:]
        for pod in pods.sorted() {
            seen[pod] = places[pod].flatMap { Self.identity($0.path) }
            if let plug = plug(of: pod) { claimants[plug, default: []].append(pod) }
        }
        for contested in claimants.values.filter({ $0.count > 1 }) {
            if let holder = contested.first(where: { pod in
                places[pod].map { isAttached(pod, $0.path) } ?? false
            }) {
                claim(holder)
            }
        }
        for pods in claimants.values { for pod in pods { claim(pod) } }
    }

    /// Pods that are worth another look, since another has let go of their place.
    mutating func takeHopeful() -> Set<ID<Pod>> {
        defer { hopeful = [] }
        return hopeful
    }

    // MARK: Places

    private mutating func claim(_ pod: ID<Pod>) {
        guard let plug = plug(of: pod) else { return }
        guard owner(plug.home) == nil else { return leave(pod) }
        if holders[plug] == nil { holders[plug] = pod }
        if holders[plug] == pod {
            withdraw(pod, from: plug)
        } else {
            rivals[plug, default: []].insert(pod)
        }
    }

    /// Whoever has a pod's place and isn't there any more lets go of it: not every path is watched, and
    /// identities are used again.
    private mutating func dislodge(from pod: ID<Pod>) {
        guard let plug = plug(of: pod), let holder = holders[plug], holder != pod else { return }
        guard places[holder].flatMap({ Self.identity($0.path) }) != plug.home else { return }
        leave(holder)
        seen[holder] = nil
        hopeful.insert(holder)
    }

    /// Lets go of the place that it has or waits for.
    private mutating func leave(_ pod: ID<Pod>) {
        guard let plug = plug(of: pod) else { return }
        withdraw(pod, from: plug)
        guard holders[plug] == pod else { return }
        holders[plug] = nil
        hopeful.formUnion(rivals[plug] ?? [])
    }

    private mutating func withdraw(_ pod: ID<Pod>, from plug: Plug) {
        rivals[plug]?.remove(pod)
        if rivals[plug]?.isEmpty ?? false { rivals[plug] = nil }
    }

    private static func identity(_ path: String) -> NamespaceIdentity? {
        do throws(NamespaceError) { return try NetworkNamespace(at: path).identity } catch { return nil }
    }
}
