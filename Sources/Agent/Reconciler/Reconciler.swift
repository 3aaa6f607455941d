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
/// Every cause ends in `pass`, one synchronous step that judges what has come, remembers it, and tells each routing domain what concerns
/// it; it is never suspended in the middle. What comes meanwhile waits in the inbox and is taken together by the next pass. An answer goes
/// out when the domains that it is about have done their part (`DomainReconciler`).
package actor Reconciler: Reconciling, Service {
    private nonisolated let thread: OwnThread
    nonisolated let vitals: Vitals
    nonisolated package var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }
    nonisolated let inbox = Inbox()
    let doctor = Doctor()
    let layout: Layout
    let host: any DomainHost
    /// Everything that was accepted.
    var intents = Intents()
    var map = DomainMap()
    var domains: [RoutingDomain: DomainReconciler] = [:] { didSet { vitals.set(domains) } }
    var passes = Passes()
    var standings: Standings
    var namespaces: NamespaceTable
    /// Where pods were attached whose intents name no namespace.
    var attachments: [ID<Pod>: String] = [:]
    /// What Alcor has said and intents can't hold.
    var ledger: AlcorLedger
    /// Of the host's own nftables ruleset.
    var generation: UInt32 = 0
    var repairs = 0
    /// What of the stored intents was lost; nil: nothing.
    var missed: Missed?
    /// Why nothing can be stored at present.
    var unwritable: String?
    /// Addresses that were let go, and that the store remembers until it is known that their tracked flows are gone.
    var released: [Released] = []
    /// What the host itself uses, when the reconciler is made; `intents` has what it uses by now.
    let firstPlaces: HostPlaces
    /// How many values all resources may have (`intents.maxValues`); what is stored already isn't judged by it.
    let mostValues: Int
    /// The networks that some client is held to.
    let tenants: Set<ID<Network>>
    let started = ContinuousClock.now
    let store: Store
    let journal: Journal
    let follow: @Sendable (Set<String>) -> Void
    let hindrance: @Sendable () -> String?
    let logger: Logger
    let (births, nursery) = AsyncStream<DomainReconciler>.makeStream()
    let (mendings, mender) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let (tidyings, tidier) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    /// As many intents and operations in one pass leave megabytes behind that are free, but still the process's.
    static let many = 2000

    /// Loads the stored intents and brings the host to them.
    ///
    /// - Parameters:
    ///   - host: makes and opens routing domains; the host's own is opened here.
    ///   - alcor: how what is remembered of Alcor's states is read.
    ///   - mostValues: how many values all resources may have.
    ///   - places: what the host itself uses; whatever it becomes is told by `hostChanged`.
    ///   - tenants: the networks that some client of the push is held to.
    ///   - hindrance: says what of the host itself, at this moment, keeps it from being as it is wanted.
    ///   - follow: is told of every path of a namespace that matters, before it is looked at.
    package init(
        host: any DomainHost, layout: Layout, alcor: Settings.Alcor = Settings.Alcor(), store: Store, journal: Journal, logger: Logger,
        mostValues: Int = .max, places: HostPlaces = HostPlaces(), tenants: Set<ID<Network>> = [], patience: Patience = Patience(),
        hindrance: @escaping @Sendable () -> String? = { nil },
        follow: @escaping @Sendable (Set<String>) -> Void
    ) async throws {
        thread = OwnThread("reconciler")
        vitals = Vitals(thread, patience)
        self.host = host
        self.layout = layout
        firstPlaces = places
        self.mostValues = mostValues
        self.tenants = tenants
        standings = Standings(over: layout.underlay)
        namespaces = NamespaceTable(owner: { host.owner(of: $0) })
        self.store = store
        self.journal = journal
        self.logger = logger
        self.hindrance = hindrance
        self.follow = follow
        ledger = try AlcorLedger(store.alcorStates(), alcor) { key, error in
            logger.error(
                "alcor: the stored state of \(key.type.word) \(key.id) can't be read and is left out: \(error)"
            )
        }
        try await start()
    }

    // MARK: What others ask for

    nonisolated package func submit(
        _ change: Change, source: String, dryRun: Bool, answer: @escaping @Sendable (Report) -> Void
    ) {
        inbox.put(.init(change: change, source: source, dryRun: dryRun, answer: answer))
    }

    nonisolated package func namespaceChanged(_ path: String) async { inbox.put(path: path) }

    /// The host has, or lost, addresses or on-link prefixes.
    nonisolated package func hostChanged(_ places: HostPlaces) { inbox.put(places: places) }

    nonisolated package func resync() async -> Report {
        await withCheckedContinuation { inbox.put(resync: $0) }
    }

    // MARK: Running

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.serve() }
                group.addTask { await self.tidy() }
                group.addTask { await self.mend() }
                for await domain in births { group.addTask { await domain.run() } }
            }
        } onGracefulShutdown: { [inbox, nursery, tidier, mender] in
            inbox.close()
            nursery.finish()
            mender.finish()
            tidier.finish()
        }
    }

    private func serve() async {
        await withDiscardingTaskGroup { rehearsals in
            for await _ in inbox.ticks {
                let batch = inbox.take()
                for outcome in batch.done { take(outcome) }
                answer(batch.questions)
                for item in batch.items where item.dryRun {
                    rehearsals.addTask { item.answer(await self.rehearse(item.change, item.source)) }
                }
                if batch.hasWork { pass(batch) }
            }
        }
        for pass in passes.abandon() {
            for item in pass.items { item.answer(.ending(item.change)) }
            for resync in pass.resyncs { resync.resume(returning: Report()) }
        }
    }

    /// Gives memory back to the host when something big is over, whoever asked for it included.
    private nonisolated func tidy() async {
        for await _ in tidyings {
            try? await ContinuousClock().sleep(for: .seconds(1))
            hawser_trim()
        }
    }
}
