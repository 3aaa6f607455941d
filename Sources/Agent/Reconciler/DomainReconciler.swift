import HostNetwork
import Kernel
import Logging
import ServiceLifecycle
import SystemPackage

/// Keeps one routing domain as its share of the intents wants it, on a thread of its own, so that a slow one holds up no other.
///
/// It is told what changed (`DomainWork`), and tells what came of it (`DomainOutcome`). It remembers what it believes to be there, and looks
/// again when it begins, after a refusal, and when it is asked to.
actor DomainReconciler {
    nonisolated let domain: RoutingDomain
    nonisolated let thread: OwnThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }
    nonisolated let queue = DomainQueue()
    let host: any DomainHost
    /// The kernel, once it is open.
    var plane: (any Dataplane)?
    var desired: Desired
    var believed = HostState()
    /// Stamps that wait for their grace period.
    var owed: [HostNetwork.Operation] = []
    /// Whether what is believed must be looked at before the next step: why.
    var unread: String?
    /// What changed without our doing, and may differ from what is wanted.
    var lost: Set<Object.Key> = []
    /// What somebody else may have changed, and isn't looked at yet.
    var suspicion = Suspicion()
    /// What somebody else has changed, and isn't put right yet.
    var noticed: [IntentID: Repair] = [:]
    /// Pods in whose own namespaces something isn't as it is wanted, and can't be made so at present.
    var ailments = Ailments()
    /// What is known of pods' namespaces.
    var ground = Ground() { didSet { plane?.stand(on: ground) } }
    /// Links of pods that somebody waits for.
    var awaited: Set<LinkName> = []
    /// Addresses whose packets were led elsewhere: their tracked flows are forgotten when they aren't any more.
    var misled: Set<IPAddress> = []
    nonisolated let health = DomainHealth()
    /// Why nothing at all can be done; nil when the kernel was read.
    var blindness: String?
    var failures = 0
    /// Addresses that pods have let go, and whose tracked flows are still there.
    var unforgotten: [AddressRange] = []
    /// What is there of pods that nobody has asked for stays; and those whose pods were asked for meanwhile.
    var keeps = false
    var asked: Set<LinkName> = []
    var kept = 0
    /// What is believed to be there lacks such things.
    var hidesStrangers = false
    private var isEnding = false
    let logger: Logger
    private let tell: @Sendable (DomainOutcome) -> Void
    let whenLost: @Sendable ([ID<Pod>]) -> Void
    let (debts, debtor) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let (wakes, waker) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let (delays, delayer) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    nonisolated let (questions, questioner) = AsyncStream<@Sendable (isolated DomainReconciler) -> Void>.makeStream()
    private let (openings, opener) = AsyncStream<AsyncStream<KernelEvent>>.makeStream()

    /// - Parameters:
    ///   - tell: what came of works, one call for those that were done together.
    ///   - whenLost: the kernel took these pods' interfaces away.
    init(
        _ domain: RoutingDomain, layout: Layout, host: any DomainHost, logger: Logger, tell: @escaping @Sendable (DomainOutcome) -> Void,
        whenLost: @escaping @Sendable ([ID<Pod>]) -> Void
    ) {
        self.domain = domain
        self.host = host
        self.logger = logger
        self.tell = tell
        self.whenLost = whenLost
        thread = OwnThread("domain")
        desired = Desired(layout: layout)
    }

    // MARK: Running

    func run() async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.serve() }
                group.addTask { await self.settle() }
                group.addTask { await self.retry() }
                group.addTask { await self.pace() }
                group.addTask { await self.answer() }
                for await events in openings { group.addTask { await self.watch(events) } }
                // It ends: a socket that still listened would keep the namespace.
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.end()
        }
    }

    /// Ends what runs; the kernel stays as it is.
    private nonisolated func end() {
        queue.close()
        debtor.finish()
        waker.finish()
        delayer.finish()
        questioner.finish()
        opener.finish()
    }

    private func serve() async {
        for await _ in queue.ticks {
            let works = queue.take()
            guard !works.isEmpty else { continue }
            let start = ContinuousClock.now
            let outcome = perform(works)
            // A pair that a pod deletes again and again is made anew here.
            if works.allSatisfy({ $0.isIdle && !$0.isWhole }) { rest(since: start) }
            tell(outcome)
            if outcome.isOver { end() } else if let turn = attend() { tell(turn) }
        }
    }

    /// Pays the stamps that are owed, a grace period after the rules that they stand for.
    private func settle() async {
        for await _ in debts {
            let due = owed.count
            await GracePeriod.wait()
            let refused = pay(owed.prefix(due))
            owed.removeFirst(min(due, owed.count))
            if let refused { tell(refused) }
        }
    }

    /// Answers those who don't wait for ever.
    private func answer() async {
        for await question in questions { question(self) }
    }

    /// Tries again what was refused, later and later.
    private func retry() async {
        for await _ in wakes {
            let seconds = min(30, 1 << min(max(0, failures - 1), 5))
            try? await ContinuousClock().sleep(for: .seconds(seconds))
            if failures > 0 { queue.put(.again) }
        }
    }

    private func watch(_ events: AsyncStream<KernelEvent>) async {
        await cancelWhenGracefulShutdown {
            for await event in events { await self.take(event) }
        }
    }

    // MARK: Works

    /// At the start of the daemon: throws when it is the host's own domain that can't be opened.
    func start(_ work: DomainWork, forgetting released: [IPAddress]) throws -> DomainOutcome {
        var outcome = DomainOutcome(domain: domain)
        unforgotten = released.map { AddressRange(Prefix($0)) }
        ground.former = Set(released)
        learn([work])
        keeps = work.keeps ?? false
        do {
            outcome.applied = try begin(work.begin ?? Intents(), attachable: Set(work.appeared))
        } catch let error as Unopened {
            guard domain != .host else { throw error.because }
            fail("\(domain) can't be opened: \(error.because)")
        } catch {
            // What the kernel can't say now it can say later; what is there goes on meanwhile.
            fail("\(domain) can't be read: \(error)")
        }
        conclude(&outcome, [work], isWhole: true)
        return outcome
    }

    /// What there is to say of works that were done as far as they could be.
    func conclude(_ outcome: inout DomainOutcome, _ works: [DomainWork], isWhole: Bool) {
        outcome.isWhole = isWhole && blindness == nil
        outcome.unread = unread
        outcome.kept = kept
        outcome.repairs = takeRepairs()
        outcome.ailing = ailments.reasons
        if isSettled { outcome.settled = health.noticed }
        if let blindness { outcome.untried = (works.reduce(into: []) { $0.formUnion($1.subjects) }, blindness) }
    }

    private func perform(_ works: [DomainWork]) -> DomainOutcome {
        var outcome = DomainOutcome(domain: domain)
        outcome.passes = works.compactMap(\.pass)
        var isWhole = true
        for keeps in works.compactMap(\.keeps) { self.keeps = keeps }
        learn(works)
        do {
            if isEnding {
                // It couldn't be removed before.
            } else if plane == nil {
                // It is new, and may have been told of more since; or it couldn't be opened before, and what was missed is caught up with.
                var (intents, attachable) = (desired.intents, desired.attachable)
                for work in works {
                    if let begin = work.begin { (intents, attachable) = (begin, []) }
                    intents.mirror(work.changed)
                    attachable.formUnion(work.appeared)
                    attachable.subtract(work.gone)
                }
                outcome.applied = try begin(intents, attachable: attachable)
            } else {
                (outcome.applied, isWhole) = change(works)
            }
        } catch let error as Unopened {
            fail("\(domain) can't be opened: \(error.because)")
        } catch {
            fail("\(domain) can't be read: \(error)")
        }
        if isEnding || works.contains(where: \.isLast) { outcome.isOver = close() }
        conclude(&outcome, works, isWhole: isWhole)
        return outcome
    }

    /// Takes note of which namespaces pods are in, and of who waits for them.
    private func learn(_ works: [DomainWork]) {
        awaited = []
        var homes = ground.homes
        for work in works {
            if work.begin != nil { homes = [:] }
            for pod in work.gone { homes[LinkName(of: pod)] = nil }
            for (pod, home) in work.homes { homes[LinkName(of: pod)] = home }
            awaited.formUnion(work.appeared.map { LinkName(of: $0) })
            for change in work.changed {
                if case .pod(let pod)? = change.after { awaited.insert(LinkName(of: pod.id)) }
                if case .pod(let pod)? = change.before, change.after == nil { homes[LinkName(of: pod.id)] = nil }
            }
        }
        if homes != ground.homes { ground.homes = homes }
    }

    /// The domain has no kernel yet.
    private struct Unopened: Error {
        var because: any Error
    }

    func fail(_ reason: String) {
        logger.error("\(reason)")
        unread = reason
        blindness = reason
        failures += 1
        waker.yield()
    }

    /// Opens the domain, looks at what is there, and brings it to what is wanted. Nothing is swept before.
    private func begin(_ intents: Intents, attachable: Set<ID<Pod>>) throws -> Applied {
        var isDerived = false
        func derive(_ epochs: [ID<Pod>: Epoch]) -> HostState {
            desired = Desired(intents: intents, layout: desired.layout, attachable: attachable, epochs: epochs)
            isDerived = true
            return desired.state
        }
        // So that what comes meanwhile has something to stand on, whatever fails.
        defer { if !isDerived { _ = derive([:]) } }
        let open: OpenDomain
        do { open = try host.open(domain) } catch { throw Unopened(because: error) }
        open.plane.stand(on: ground)
        let epochs = HostState(try open.plane.stamps()).epochs(of: intents.pods.keys, in: desired.layout.marks)
        let found = try open.plane.observe(expecting: derive(epochs))
        take(found, open.plane.untold)
        do { try open.plane.adopt(believed) } catch let refusal as Refusal where refusal.errno == Errno.notPermitted.rawValue {
            // Another process that lives has the tables: two would undo each other's work.
            throw Unopened(because: refusal)
        }
        plane = open.plane
        opener.yield(open.events)
        var applied = carryOut(touching: nil, isRead: true)
        // Where there was nothing to commit the ruleset has one all the same.
        if applied.generation == nil { applied.generation = try? open.plane.generation() }
        return applied
    }

    private func change(_ works: [DomainWork]) -> (Applied, isWhole: Bool) {
        var touched = lost
        lost = []
        // Where nobody waits, what a pod does is no reason to look at everything.
        var isWhole = works.contains { $0.isWhole || (unread != nil && !$0.isIdle) }
        do {
            guard let plane else { return (Applied(), isWhole) }
            let look = try look(through: plane)
            touched.formUnion(look.keys)
            isWhole = isWhole || look.isWhole
        } catch {
            // What it is like isn't known: everything is looked at.
            isWhole = true
        }
        for work in works {
            if keeps { note(work.changed) }
            touched.formUnion(
                desired.change { intents in
                    intents.mirror(work.changed)
                    return work.changed
                })
            for pod in work.replaced {
                // The pair is in a namespace that isn't this pod's any more.
                guard case .link(var link)? = believed[.link(LinkName(of: pod))] else { continue }
                link.namespace = ""
                believed.insert(Entry(.link(link), because: pod.intent))
                touched.insert(.link(link.name))
            }
            touched.formUnion(desired.attach(work.appeared, detach: work.gone))
        }
        // One that couldn't be put right is tried again as a whole.
        for link in Set(touched.compactMap(\.link)) where ailments.contains(link) {
            touched.formUnion(desired.state.keys(on: link).union(believed.keys(on: link)))
        }
        let applied = carryOut(touching: isWhole ? nil : touched)
        if !misled.isEmpty, let plane, applied.refusals.isEmpty {
            unforgotten += misled.sorted().map { AddressRange(Prefix($0)) }
            misled = []
            payFlows(plane)
        }
        return (applied, isWhole)
    }

    /// The domain is over; whether it is gone.
    private func close() -> Bool {
        isEnding = true
        plane = nil
        believed = HostState()
        owed = []
        lost = []
        suspicion = Suspicion()
        noticed = [:]
        ailments = Ailments()
        do {
            try host.remove(domain)
            failures = 0
            unread = nil
            blindness = nil
            return true
        } catch {
            fail("\(domain) can't be removed: \(error)")
            return false
        }
    }
}

extension DomainWork {
    /// Whether it is there only because something is due.
    fileprivate var isIdle: Bool {
        begin == nil && changed.isEmpty && appeared.isEmpty && gone.isEmpty && replaced.isEmpty && keeps == nil && !isLast
    }

    /// What nobody waits for: another look, and what follows from it.
    static var again: DomainWork {
        var work = DomainWork(nil)
        work.isWhole = true
        return work
    }
}
