import Glibc
import HostNetwork
import Lab
import PolicyModel

@testable import Agent

/// What the soak asks for, as a model: the intents as they should be in force, and which pods' namespaces are there.
final class SoakWorld {
    /// One change of the intents, as a controller pushes it.
    enum Step {
        case upsert([Intent])
        case delete([IntentID])
    }

    let host: DaemonHost
    /// Two pods that nobody touches.
    let quiet: [DaemonPod]
    private(set) var intents = Intents()
    private(set) var namespaces: [ID<Pod>: LabNamespace] = [:]

    static let networks = (0..<3).map { ID<Network>("isolated-\($0)") }
    static let pods = (0..<14).map { ID<Pod>("pod-\($0)") }
    static let groups = (0..<6).map { ID<SecurityGroup>("group-\($0)") }
    /// Of no network.
    static let common = (0..<2).map { ID<SecurityGroup>("common-\($0)") }
    static let quietPort: UInt16 = 6000

    init() throws {
        host = try DaemonHost()
        quiet = try [host.pod("quiet-0", 10), host.pod("quiet-1", 11)]
    }

    // MARK: The model

    /// What is in force whatever changes.
    var baseline: [Intent] {
        let blue = Network(
            id: "blue",
            subnets: [
                Subnet(id: "blue-4", cidr: Prefix("10.1.0.0/24"), gateway: IPAddress("10.1.0.1")),
                Subnet(id: "blue-6", cidr: Prefix("fd00:1::/64"), gateway: IPAddress("fd00:1::1")),
            ])
        let rules = [
            Rule(id: "out", direction: .egress),
            Rule(id: "in", direction: .ingress, protocol: .udp, ports: PortRange(Self.quietPort, Self.quietPort)),
        ]
        let pods = quiet.map {
            Pod(
                id: ID($0.id), network: "blue", namespace: $0.namespace.path, addresses: $0.addresses.map { IPAddress($0) },
                securityGroups: ["quiet"])
        }
        return [.network(blue), .securityGroup(SecurityGroup(id: "quiet", network: "blue", rules: rules))] + pods.map(Intent.pod)
    }

    /// Takes a step as the daemon should; answers which resources it must refuse.
    func take(_ step: Step) -> Set<IntentID> {
        let change =
            switch step {
            case .upsert(let intents): Change(upserts: intents)
            case .delete(let ids): Change(deletions: ids)
            }
        var edits = Edits(intents)
        let outcomes = edits.take(change, from: "soak", into: &intents)
        return Set(outcomes.compactMap { id, outcome in if case .rejected = outcome { id } else { nil } })
    }

    /// All that is wanted, to be pushed as a whole, where what the daemon has isn't known: no pod names a group that isn't there or is leaving, for then
    /// what becomes of both would depend on that.
    func whole() -> [Intent] {
        let leaving = intents.leaving
        let all = intents.all.filter { !leaving.contains($0.id) }
        let groups = Set(all.map(\.id).filter { $0.kind == .securityGroup }.map(\.id))
        let whole = all.map { intent in
            guard case .pod(var pod) = intent else { return intent }
            let network = pod.network
            pod.securityGroups.removeAll { !groups.contains($0.value) && $0 != network.defaultGroup }
            if pod.securityGroups.isEmpty { pod.securityGroups = [network.defaultGroup] }
            return .pod(pod)
        }
        intents = Intents()
        _ = take(.upsert(whole))
        return whole
    }

    /// The baseline alone is left.
    func clear() {
        intents = Intents()
        _ = take(.upsert(baseline))
    }

    // MARK: Namespaces

    /// Where a pod's namespace is or will be, each time it is made.
    func path(of pod: ID<Pod>) -> String { quiet[0].namespace.path.replacing("quiet-0", with: pod.value) }

    func makeNamespace(of pod: ID<Pod>) throws { namespaces[pod] = try host.lab.namespace(pod.value) }

    /// It ends, and takes the pod's interface with it, whatever the daemon is about.
    func killNamespace(of pod: ID<Pod>) {
        if let namespace = namespaces.removeValue(forKey: pod) { host.lab.kill(namespace) }
    }

    // MARK: What should be

    /// The pods that are to have an interface.
    var attached: [Pod] {
        intents.pods.values.filter { intents.networks[$0.network] != nil && isThere($0.id) }.sorted { $0.id < $1.id }
    }

    /// The pods that are to be called applied.
    var applied: Set<String> { Set(attached.filter { intents.unmet(for: $0.id).isEmpty }.map(\.id.value)) }

    /// Whether each has it. Where a namespace took another's place a moment ago, a daemon that hasn't noticed yet calls its pod applied.
    func isPlugged() throws -> Bool {
        try attached.allSatisfy { pod in try namespace(of: pod.id)?.inside { unsafe if_nametoindex(pod.interface) != 0 } ?? false }
    }

    var oracle: Oracle {
        var scene = Scene()
        scene.intents = intents
        scene.attachable = Set(attached.map(\.id))
        return Oracle(scene)
    }

    func namespace(of pod: ID<Pod>) -> LabNamespace? {
        namespaces[pod] ?? quiet.first { $0.id == pod.value }?.namespace
    }

    private func isThere(_ pod: ID<Pod>) -> Bool { namespace(of: pod) != nil }
}

extension Prefix {
    /// A test's own text.
    init(_ text: String) {
        guard let prefix = try? Prefix(parsing: text) else { fatalError("\(text) isn't a prefix") }
        self = prefix
    }
}

extension IPAddress {
    init(_ text: String) {
        guard let address = try? IPAddress(parsing: text) else { fatalError("\(text) isn't an address") }
        self = address
    }
}
