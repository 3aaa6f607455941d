package import HawserAPI

/// What the servers and the watchers need of the reconciler.
package protocol Reconciling: Sendable {
    /// Stores and applies what `source` (see `Source`) asks for; returns when the kernel has answered. A dry run stores and changes nothing and reports the plan.
    func reconcile(_ change: Change, source: String, dryRun: Bool) async -> Report

    /// A network namespace appeared at `path`, went away, or was replaced by another.
    func namespaceChanged(_ path: String) async

    /// Reads the host again and repairs what differs from the accepted intents.
    func resync() async -> Report

    func status() async -> StatusView
    func pods() async -> [PodView]
    func groups() async -> [GroupView]
    /// Nil for a pod that isn't known.
    func rules(of pod: String) async -> RulesView?
    /// Throws `NoQuestion` or `Unanswerable` for what makes no sense.
    func explain(_ query: ExplainQuery) async throws -> ExplainView
}
