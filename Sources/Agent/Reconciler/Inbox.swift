import HawserAPI
import HostNetwork
import Synchronization

/// What waits for the reconciler. Whatever has come while a change was being applied is taken together.
final class Inbox: Sendable {
    /// A change, and who waits for its answer.
    struct Item: Sendable {
        var change: Change
        var source: String
        var dryRun: Bool
        var answer: @Sendable (Report) -> Void
    }

    private struct State {
        var items: [Item] = []
        /// Paths of namespaces that came, went or were replaced.
        var paths: Set<String> = []
        /// Pods whose interfaces the kernel took away.
        var lost: Set<ID<Pod>> = []
        /// What came of routing domains' work.
        var done: [DomainOutcome] = []
        /// Who waits for the host to be read again.
        var resyncs: [CheckedContinuation<Report, Never>] = []
        var wantsResync = false
        /// What the host itself uses by now.
        var places: HostPlaces?
        /// Who asks how the host is.
        var questions: [@Sendable (StatusView) -> Void] = []
        var isClosed = false
    }

    /// All that has come since the last time.
    struct Batch {
        var items: [Item]
        var paths: Set<String>
        var lost: Set<ID<Pod>>
        var done: [DomainOutcome]
        var resyncs: [CheckedContinuation<Report, Never>]
        var wantsResync: Bool
        var places: HostPlaces?
        var questions: [@Sendable (StatusView) -> Void]

        /// Whether there is something else in it than outcomes and dry runs.
        var hasWork: Bool { items.contains { !$0.dryRun } || !paths.isEmpty || !lost.isEmpty || wantsResync || places != nil }
    }

    /// Ticks when there is something to take; ends when the inbox is closed.
    let ticks: AsyncStream<Void>
    private let ticker: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init() { (ticks, ticker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func put(_ item: Item) {
        guard put({ $0.items.append(item) }) else { return item.answer(.ending(item.change)) }
    }

    func put(path: String) { _ = put { $0.paths.insert(path) } }

    func put(lost pods: [ID<Pod>]) { _ = put { $0.lost.formUnion(pods) } }

    func put(places: HostPlaces) { _ = put { $0.places = places } }

    func put(done outcome: DomainOutcome) { _ = put { $0.done.append(outcome) } }

    func put(resync answer: CheckedContinuation<Report, Never>) {
        let isTaken = put { state in
            state.resyncs.append(answer)
            state.wantsResync = true
        }
        if !isTaken { answer.resume(returning: Report()) }
    }

    /// Whether it will be answered.
    func put(question: @escaping @Sendable (StatusView) -> Void) -> Bool { put { $0.questions.append(question) } }

    func take() -> Batch {
        state.withLock { state in
            let batch = Batch(
                items: state.items, paths: state.paths, lost: state.lost, done: state.done, resyncs: state.resyncs,
                wantsResync: state.wantsResync, places: state.places, questions: state.questions)
            state = State(isClosed: state.isClosed)
            return batch
        }
    }

    /// Takes nothing more. Who still waits is told that the daemon is ending.
    func close() {
        let left = state.withLock { state in
            state.isClosed = true
            let left = (state.items, state.resyncs)
            state.items = []
            state.resyncs = []
            return left
        }
        ticker.finish()
        for item in left.0 { item.answer(.ending(item.change)) }
        for answer in left.1 { answer.resume(returning: Report()) }
    }

    private func put(_ body: (inout State) -> Void) -> Bool {
        let isOpen = state.withLock { state in
            if !state.isClosed { body(&state) }
            return !state.isClosed
        }
        if isOpen { ticker.yield() }
        return isOpen
    }
}

extension Report {
    /// The answer to who asks too late.
    static func ending(_ change: Change) -> Report {
        let ids = change.upserts.map(\.id) + change.deletions + change.attachments.keys.map(\.intent)
        return Report(answers: ids.map { Answer(intent: $0, status: .failed, reason: "the daemon is ending; ask again when it is back") })
    }
}
