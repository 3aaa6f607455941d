import HostNetwork
import Kernel

/// Which pods' namespaces are there, and which ones they are.
struct NamespaceTable: Sendable {
    private var identities: [ID<Pod>: NetworkNamespace.Identity] = [:]
    private var pods: [String: Set<ID<Pod>>] = [:]
    private var paths: [ID<Pod>: String] = [:]

    /// Every path that a pod names.
    var watched: Set<String> { Set(pods.keys) }

    func pods(at path: String) -> Set<ID<Pod>> { pods[path] ?? [] }

    /// Takes note of where a pod's namespace is to be; answers whether the paths to watch differ now.
    mutating func place(_ pod: ID<Pod>, at path: String?) -> Bool {
        let old = paths[pod]
        guard old != path else { return false }
        identities[pod] = nil
        var differs = false
        if let old {
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
        paths[pod] = path
        return differs
    }

    /// Whether it was there at the last look.
    func isThere(_ pod: ID<Pod>) -> Bool { identities[pod] != nil }

    /// What a look at a pod's namespace came to.
    enum Look { case same, appeared, replaced, gone, absent }

    mutating func look(at pod: ID<Pod>) -> Look {
        let before = identities[pod]
        let now = paths[pod].flatMap(Self.identity)
        identities[pod] = now
        switch (before, now) {
        case (nil, nil): return .absent
        case (nil, _?): return .appeared
        case (_?, nil): return .gone
        case (let before?, let now?): return before == now ? .same : .replaced
        }
    }

    private static func identity(_ path: String) -> NetworkNamespace.Identity? {
        do throws(NamespaceError) { return try NetworkNamespace(at: path).identity } catch { return nil }
    }
}
