import Agent
import Foundation
import HawserAPI
import HostNetwork
import Store
import Synchronization

/// A reconciler that takes everything in and programs no kernel: what the servers and watchers are tested against.
actor MemoryReconciler: Reconciling {
    struct Asked: Sendable {
        var change: Change
        var source: String
        var dryRun: Bool
    }

    private var intents: [IntentID: Intent] = [:]
    private var generation: UInt32 = 0
    private let store: Store?
    private var refusing: Set<IntentID> = []
    /// Which kinds were listed as a whole, in order.
    private(set) var listings: [String] = []
    /// The last change that has come: they are taken in order.
    private let arrivals = Mutex<Task<Void, Never>?>(nil)
    private let askedContinuation: AsyncStream<Asked>.Continuation
    private let namespaceContinuation: AsyncStream<String>.Continuation
    /// Every change, as it comes.
    nonisolated let asked: AsyncStream<Asked>
    /// Every path that the namespace watch tells of.
    nonisolated let namespaces: AsyncStream<String>

    init(store: Store? = nil) {
        self.store = store
        (asked, askedContinuation) = AsyncStream.makeStream()
        (namespaces, namespaceContinuation) = AsyncStream.makeStream()
    }

    /// It remembers, but judges nothing: whatever is asked about a pod that it knows is denied.
    func explain(_ query: ExplainQuery) throws -> ExplainView {
        guard intents[IntentID(.pod, query.pod)] != nil else { throw Unanswerable.unknown(ID(query.pod)) }
        return ExplainView(verdict: .denied, group: nil, rule: nil, reason: query.remote, halves: [])
    }

    var known: Set<IntentID> { Set(intents.keys) }

    /// From now on these are rejected.
    func refuse(_ ids: Set<IntentID>) { refusing = ids }

    nonisolated func submit(_ change: Change, source: String, dryRun: Bool, answer: @escaping @Sendable (Report) -> Void) {
        arrivals.withLock { arrivals in
            let before = arrivals
            arrivals = Task {
                await before?.value
                answer(await take(change, source: source, dryRun: dryRun))
            }
        }
    }

    /// It knows whether there is one, and takes whatever it knows as applied.
    func standings(of ids: [IntentID]) -> [IntentID: Answer] {
        Dictionary(uniqueKeysWithValues: ids.filter { intents[$0] != nil }.map { ($0, Answer(intent: $0, status: .applied)) })
    }

    func pod(_ id: ID<Pod>) -> (pod: Pod, subnets: [Subnet])? {
        guard case .pod(let pod)? = intents[id.intent] else { return nil }
        return (pod, [])
    }

    private func take(_ change: Change, source: String, dryRun: Bool) -> Report {
        defer { askedContinuation.yield(Asked(change: change, source: source, dryRun: dryRun)) }
        var deletions = change.deletions
        if change.prune {
            let named = Set(change.upserts.map(\.id)).union(change.rejected.compactMap(\.intent))
            deletions += known.subtracting(named).sorted()
        }
        let (refused, taken) = (change.upserts.filter { refusing.contains($0.id) }, change.upserts.filter { !refusing.contains($0.id) })
        var answers = change.rejected.map(Answer.init)
        answers += refused.map { Answer(intent: $0.id, status: .rejected, reason: "not today") }
        answers += taken.map { Answer(intent: $0.id, status: .applied, kernelMicroseconds: 40, totalMicroseconds: 90) }
        answers += deletions.map { Answer(intent: $0, status: .applied) }
        let plan = dryRun ? taken.map { "add \($0.id)" } + deletions.map { "remove \($0)" } : nil
        guard !dryRun else { return Report(answers: answers, generation: generation, plan: plan) }
        do {
            try store?.commit(upserts: taken, deletions: deletions, source: source)
        } catch {
            return Report(answers: answers.map { Answer(intent: $0.intent, status: .failed, reason: "\(error)") })
        }
        let messages = taken.count { intents[$0.id] != $0 } + deletions.count { intents[$0] != nil }
        for intent in taken { intents[intent.id] = intent }
        for id in deletions { intents[id] = nil }
        if messages > 0 { generation += 1 }
        return Report(answers: answers, messages: messages, bytes: messages * 100, generation: generation)
    }

    func namespaceChanged(_ path: String) async { namespaceContinuation.yield(path) }

    func resync() async -> Report { Report(generation: generation) }

    func status() async -> StatusView {
        StatusView(
            ready: refusing.isEmpty, reason: refusing.isEmpty ? nil : "something is refused",
            pods: .init(applied: known.count { $0.kind == .pod }, pending: 0, failed: 0),
            groups: known.count { $0.kind == .securityGroup }, neighbors: 0,
            generation: generation, repairs: 0, uptimeSeconds: 3)
    }

    func pods() async -> [PodView] {
        listings.append("pods")
        return known.filter { $0.kind == .pod }.sorted().compactMap { view(of: ID<Pod>($0.id)) }
    }

    func view(of id: ID<Pod>) -> PodView? {
        guard case .pod(let pod)? = intents[id.intent] else { return nil }
        return PodView(
            id: pod.id.value, network: pod.network.value, status: .applied,
            interface: .init(host: "hw0123456789a", index: 7, pod: pod.interface, namespace: pod.namespace),
            mac: "\(pod.mac)",
            addresses: pod.addresses.map(\.description), securityGroups: pod.securityGroups.map(\.value),
            revision: pod.revision,
            since: Date(timeIntervalSince1970: 1_800_000_000))
    }

    func groups() async -> [GroupView] {
        listings.append("groups")
        return known.filter { $0.kind == .securityGroup }.sorted().compactMap {
            view(of: ID<SecurityGroup>($0.id))
        }
    }

    func view(of id: ID<SecurityGroup>) -> GroupView? {
        guard case .securityGroup(let group)? = intents[id.intent] else { return nil }
        return GroupView(
            id: group.id.value, network: group.network?.value, stateful: group.stateful,
            rules: group.rules.map { GroupView.Rule(rule: $0.id, text: "a rule") },
            members: [GroupView.Member(address: "10.1.0.10", kind: .pod, id: "web-0")], boundBy: ["web-0"],
            status: .applied,
            revision: group.revision)
    }

    func networks() async -> [NetworkView] {
        listings.append("networks")
        return [view(of: ID<Network>("blue"))].compactMap(\.self)
    }

    func view(of id: ID<Network>) -> NetworkView? {
        guard id == "blue" else { return nil }
        return NetworkView(
            id: "blue", isolated: true, domain: .init(kind: .namespace, path: "/run/netns/hawser-blue"),
            subnets: [.init(id: "blue-4", cidr: "10.1.0.0/24", gateway: "10.1.0.1")], pods: ["web-0"],
            neighbors: 1, status: .applied,
            revision: 3)
    }

    func neighbors() async -> [NeighborView] {
        [
            NeighborView(
                id: "db-7", network: "blue", addresses: ["10.1.0.70"], mac: nil, host: "192.0.2.7", securityGroups: ["db"],
                status: .applied,
                revision: 2)
        ]
    }

    func examine() async -> DoctorView {
        let found = [
            "table ip filter, chain in, handle 3 changes 0xffff0000 of flows' marks",
            "line\u{1B}[2J of another's",
        ]
        return DoctorView(
            status: refusing.isEmpty ? .warning : .fault,
            checks: [
                .init(
                    id: "marks", status: refusing.isEmpty ? .warning : .fault, found: found,
                    remedy: "let them keep it"),
                .init(id: "flowtables", status: .ok, found: [], remedy: nil),
                .init(id: "ipvs", status: .ok, found: [], remedy: nil),
            ])
    }

    func rules(of pod: String) async -> RulesView? {
        guard known.contains(IntentID(.pod, pod)) else { return nil }
        let rule = RulesView.Rule(group: "web", rule: "web-http", text: "tcp 80 from anyone", packets: 3, bytes: 180)
        return RulesView(
            pod: pod, ingress: .init(rules: [rule], denied: .init(packets: 1, bytes: 60), invalid: .init(packets: 2, bytes: 80)),
            egress: .init(rules: [], denied: .init(packets: nil, bytes: nil), invalid: .init(packets: nil, bytes: nil)))
    }
}
