import CLinux
import Foundation
import HawserAPI
package import HostNetwork
import Kernel
package import Logging
import ServiceLifecycle
package import Store

/// Keeps the host as the accepted intents want it.
///
/// Every cause ends in `pass`, one synchronous step from what has come to what is in force; it is never suspended in the middle. What
/// comes meanwhile waits in the inbox and is taken together by the next pass. The reconciler remembers what it believes to be there and
/// looks again when it starts, after a refusal, and when it is asked to.
package actor Reconciler: Reconciling, Service {
    nonisolated package var unownedExecutor: UnownedSerialExecutor { unsafe ReconcilerThread.shared.asUnownedSerialExecutor() }
    private nonisolated let inbox = Inbox()
    let plane: any Dataplane
    var desired: Desired
    var believed = HostState()
    var standings = Standings()
    var namespaces = NamespaceTable()
    /// Where pods were attached whose intents name no namespace.
    var attachments: [ID<Pod>: String] = [:]
    /// Stamps that wait for their grace period.
    var owed: [HostNetwork.Operation] = []
    /// Whether what is believed must be looked at before the next step.
    var mustObserve = false
    var generation: UInt32 = 0
    var repairs = 0
    let started = ContinuousClock.now
    let store: Store
    let journal: Journal
    let follow: @Sendable (Set<String>) -> Void
    let logger: Logger
    let (wakes, waker) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let (debts, debtor) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let (tidyings, tidier) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    var failures = 0
    /// As many intents and operations in one pass leave megabytes behind that are free, but still the process's.
    static let many = 2000

    /// Loads the stored intents and brings the host to them.
    ///
    /// - Parameters:
    ///   - plane: the kernel, opened in the routing domain.
    ///   - follow: is told of every path of a namespace that matters, before it is looked at.
    package init(
        plane: sending any Dataplane, layout: Layout, store: Store, journal: Journal, logger: Logger,
        follow: @escaping @Sendable (Set<String>) -> Void
    ) async throws {
        self.plane = plane
        self.store = store
        self.journal = journal
        self.logger = logger
        self.follow = follow
        desired = Desired(layout: layout)
        try start(layout)
    }

    // MARK: What others ask for

    nonisolated package func submit(
        _ change: Change, source: String, dryRun: Bool, answer: @escaping @Sendable (Report) -> Void
    ) {
        inbox.put(.init(change: change, source: source, dryRun: dryRun, answer: answer))
    }

    nonisolated package func namespaceChanged(_ path: String) async { inbox.put(path: path) }

    /// The kernel says that the host side of a pair is gone.
    nonisolated package func linkGone(_ link: LinkName) { inbox.put(gone: link) }

    /// Somebody else changed what is ours.
    nonisolated package func disturbed() { inbox.resync() }

    nonisolated package func resync() async -> Report {
        await withCheckedContinuation { inbox.put(resync: $0) }
    }

    // MARK: Running

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.serve() }
                group.addTask { await self.settle() }
                group.addTask { await self.retry() }
                group.addTask { await self.tidy() }
            }
        } onGracefulShutdown: { [inbox, waker, debtor, tidier] in
            inbox.close()
            waker.finish()
            debtor.finish()
            tidier.finish()
        }
    }

    private func serve() async {
        for await _ in inbox.ticks {
            let batch = inbox.take()
            if !batch.isEmpty { pass(batch) }
        }
    }

    /// Pays the stamps that are owed, a grace period after the rules that they stand for.
    private func settle() async {
        for await _ in debts {
            let due = owed.count
            await GracePeriod.wait()
            pay(owed.prefix(due))
            owed.removeFirst(min(due, owed.count))
        }
    }

    /// Tries again what was refused, later and later.
    private func retry() async {
        for await _ in wakes {
            let seconds = min(30, 1 << min(failures, 5))
            try? await ContinuousClock().sleep(for: .seconds(seconds))
            if !standings.isClean { inbox.resync() }
        }
    }

    /// Gives memory back to the host when something big is over, whoever asked for it included.
    private nonisolated func tidy() async {
        for await _ in tidyings {
            try? await ContinuousClock().sleep(for: .seconds(1))
            hawser_trim()
        }
    }

    private func pay(_ stamps: ArraySlice<HostNetwork.Operation>) {
        // What was superseded meanwhile has another stamp under way.
        let wanted = stamps.filter { desired.state.contains($0.object) && believed[$0.object.key] == nil }
        guard !wanted.isEmpty else { return }
        let applied = plane.settle(wanted)
        believed.take(applied)
        finish(applied)
    }
}
