package import HawserAPI
package import HostNetwork

/// What the servers and the watchers need of the reconciler.
package protocol Reconciling: Sendable {
    /// Takes what `source` (see `Source`) asks for; `answer` is called once, when the kernel has answered. Changes are taken in the order of
    /// these calls. A dry run stores and changes nothing and reports the plan.
    func submit(_ change: Change, source: String, dryRun: Bool, answer: @escaping @Sendable (Report) -> Void)

    /// How resources stand now; those that aren't known are left out.
    func standings(of ids: [IntentID]) async -> [IntentID: Answer]

    /// How those stand that a client may be told of; nil: everything.
    func standings(of ids: [IntentID], within view: Scope?) async -> [IntentID: Answer]

    /// The accepted intent of a pod, and the subnets of its network.
    func pod(_ id: ID<Pod>) async -> (pod: Pod, subnets: [Subnet])?

    /// A network namespace appeared at `path`, went away, or was replaced by another.
    func namespaceChanged(_ path: String) async

    /// Reads the host again and repairs what differs from the accepted intents.
    func resync() async -> Report

    /// Answered in time, also when somebody is stuck.
    func status() async -> StatusView
    /// Why the daemon is stuck, and is to be started again; nil while it is alive. It waits for nobody.
    func liveness() -> String?
    func pods() async -> [PodView]
    func groups() async -> [GroupView]
    func networks() async -> [NetworkView]
    func neighbors() async -> [NeighborView]
    /// Returns one of the above alone, at the cost of one; nil where it isn't known.
    func view(of pod: ID<Pod>) async -> PodView?
    func view(of group: ID<SecurityGroup>) async -> GroupView?
    func view(of network: ID<Network>) async -> NetworkView?
    /// Nil for a pod that isn't known.
    func rules(of pod: String) async -> RulesView?
    /// Looks for what is wrong with this host; it takes some seconds at most.
    func examine() async -> DoctorView
    /// Throws `NoQuestion` or `Unanswerable` for what makes no sense, `Unasked` where the kernel doesn't say what is needed for an answer.
    func explain(_ query: ExplainQuery) async throws -> ExplainView
}

extension Reconciling {
    package func liveness() -> String? { nil }

    package func standings(of ids: [IntentID], within view: Scope?) async -> [IntentID: Answer] { await standings(of: ids) }

    /// Stores and applies; returns when the kernel has answered.
    package func reconcile(_ change: Change, source: String, dryRun: Bool) async -> Report {
        await withCheckedContinuation { continuation in
            submit(change, source: source, dryRun: dryRun) { continuation.resume(returning: $0) }
        }
    }
}
