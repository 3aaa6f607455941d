import HostNetwork
import Kernel
import Logging
import ServiceLifecycle

/// Keeps one routing domain as its share of the intents wants it, on a thread of its own, so that a slow one holds up no other.
///
/// It is told what changed (`DomainWork`), and tells what came of it (`DomainOutcome`). It remembers what it believes to be there, and looks
/// again when it begins, after a refusal, and when it is asked to.
actor DomainReconciler {
    nonisolated let domain: RoutingDomain
    nonisolated let thread: OwnThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }
    nonisolated let queue = DomainQueue()
    private let host: any DomainHost
    /// The kernel, once it is open.
    var plane: (any Dataplane)?
    var desired: Desired
    var believed = HostState()
    /// Stamps that wait for their grace period.
    private var owed: [HostNetwork.Operation] = []
    /// Whether what is believed must be looked at before the next step: why.
    var unread: String?
    /// What changed without our doing, and may differ from what is wanted.
    var lost: Set<Object.Key> = []
    /// What somebody else may have changed, and isn't looked at yet.
    var suspicion = Suspicion()
    /// What somebody else has changed, and isn't put right yet.
    var noticed: [IntentID: Repair] = [:]
    /// Addresses whose packets were led elsewhere: their tracked flows are forgotten when they aren't any more.
    var misled: Set<IPAddress> = []
    nonisolated let health = DomainHealth()
    private var failures = 0
    private var isEnding = false
    let logger: Logger
    private let tell: @Sendable (DomainOutcome) -> Void
    let whenLost: @Sendable ([ID<Pod>]) -> Void
    private let (debts, debtor) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    private let (wakes, waker) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
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
            let outcome = perform(works)
            tell(outcome)
            if outcome.isOver { end() }
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

    /// Answers those who don't wait for ever.
    private func answer() async {
        for await question in questions { question(self) }
    }

    /// Tries again what was refused, later and later.
    private func retry() async {
        for await _ in wakes {
            let seconds = min(30, 1 << min(failures, 5))
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
        do {
            outcome.applied = try begin(work.begin ?? Intents(), attachable: Set(work.appeared), forgetting: released)
        } catch {
            guard domain != .host else { throw error }
            fail("\(domain) can't be opened: \(error)")
        }
        outcome.isWhole = true
        outcome.unread = unread
        return outcome
    }

    private func perform(_ works: [DomainWork]) -> DomainOutcome {
        var outcome = DomainOutcome(domain: domain)
        outcome.passes = works.compactMap(\.pass)
        do {
            if isEnding {
                // It couldn't be removed before.
            } else if let first = works.first, let intents = first.begin {
                outcome.applied = try begin(intents, attachable: Set(first.appeared), forgetting: [])
                outcome.isWhole = true
            } else if plane == nil {
                // It couldn't be opened before: what was missed is caught up with.
                var (intents, attachable) = (desired.intents, desired.attachable)
                for work in works {
                    intents.mirror(work.changed)
                    attachable.formUnion(work.appeared)
                    attachable.subtract(work.gone)
                }
                outcome.applied = try begin(intents, attachable: attachable, forgetting: [])
                outcome.isWhole = true
            } else {
                (outcome.applied, outcome.isWhole) = change(works)
            }
        } catch {
            fail("\(domain) can't be opened: \(error)")
        }
        if isEnding || works.contains(where: \.isLast) { outcome.isOver = close() }
        outcome.repairs = takeRepairs()
        if isSettled { outcome.settled = health.noticed }
        outcome.unread = unread
        return outcome
    }

    private func fail(_ reason: String) {
        logger.error("\(reason)")
        unread = reason
        failures += 1
        waker.yield()
    }

    /// Opens the domain, looks at what is there, and brings it to what is wanted. Nothing is swept before.
    private func begin(_ intents: Intents, attachable: Set<ID<Pod>>, forgetting released: [IPAddress]) throws -> Applied {
        // So that what comes meanwhile has something to stand on, if opening fails.
        desired = Desired(intents: intents, layout: desired.layout, attachable: attachable, epochs: [:])
        let open = try host.open(domain)
        let epochs = HostState(try open.plane.stamps()).epochs(of: intents.pods.keys, in: desired.layout.marks)
        if !epochs.isEmpty { desired = Desired(intents: intents, layout: desired.layout, attachable: attachable, epochs: epochs) }
        if !released.isEmpty { try open.plane.forgetFlows(of: released) }
        try observe(open.plane)
        try open.plane.adopt(believed)
        plane = open.plane
        opener.yield(open.events)
        return carryOut(touching: Set(believed.entries.keys).union(desired.state.entries.keys))
    }

    private func change(_ works: [DomainWork]) -> (Applied, isWhole: Bool) {
        var touched = lost
        lost = []
        var isWhole = unread != nil || works.contains(where: \.isWhole)
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
        let applied = carryOut(touching: isWhole ? nil : touched)
        if !misled.isEmpty {
            do {
                try plane?.forgetFlows(of: misled.sorted())
                misled = []
            } catch {
                logger.error("tracked flows can't be forgotten: \(error)")
            }
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
        do {
            try host.remove(domain)
            failures = 0
            unread = nil
            return true
        } catch {
            fail("\(domain) can't be removed: \(error)")
            return false
        }
    }

    // MARK: The kernel

    private func observe(_ plane: any Dataplane) throws {
        let found = try plane.observe(expecting: desired.state).sharing(desired.state)
        // After a refusal what is believed is a guess, and before the first look nothing is.
        if unread == nil, self.plane != nil { notice(believed.differences(to: found)) }
        believed = found
        unread = nil
    }

    /// Makes what is believed to be there what is wanted; `keys` of what may differ, nil for everything, after another look.
    private func carryOut(touching keys: Set<Object.Key>?) -> Applied {
        guard let plane else { return Applied() }
        if keys == nil {
            do { try observe(plane) } catch {
                fail("\(domain) can't be read: \(error)")
                return Applied()
            }
        }
        var plan = keys.map { desired.plan(from: believed, touching: $0) } ?? desired.plan(from: believed)
        var applied = Applied()
        // A resource that the kernel refuses is left out, with those that lean on it, and the others go on without it.
        for attempt in 0..<4 where !plan.isEmpty {
            let result = plane.apply(plan)
            believed.take(result)
            applied.merge(result)
            let culprits = blamed(for: result.refusals)
            if culprits.isEmpty || attempt == 3 {
                if result.refusals.isEmpty { owe(plan.stamps) }
                break
            }
            plan = desired.plan(from: believed, touching: keys ?? Set(believed.entries.keys).union(desired.state.entries.keys))
            plan.leaveOut(culprits)
        }
        finish(applied)
        return applied
    }

    /// The intents whose operations the firewall refused, and the pods that lean on them.
    private func blamed(for refusals: [Refusal]) -> Set<IntentID> {
        var blamed: Set<IntentID> = []
        for refusal in refusals where refusal.operation.object.isRuleset && refusal.because != Layout.because {
            blamed.insert(refusal.because)
            if refusal.because.kind == .securityGroup {
                blamed.formUnion((desired.intents.index.podsByGroup[ID(refusal.because.id)] ?? []).map(\.intent))
            }
        }
        return blamed
    }

    private func owe(_ stamps: [HostNetwork.Operation]) {
        guard !stamps.isEmpty else { return }
        owed += stamps
        debtor.yield()
    }

    private func pay(_ stamps: ArraySlice<HostNetwork.Operation>) {
        // What was superseded meanwhile has another stamp under way.
        let wanted = stamps.filter { desired.state.contains($0.object) && believed[$0.object.key] == nil }
        guard let plane, !wanted.isEmpty else { return }
        let applied = plane.settle(wanted)
        believed.take(applied)
        finish(applied)
    }

    private func finish(_ applied: Applied) {
        for refusal in applied.refusals { logger.error("\(refusal)") }
        if let refusal = applied.refusals.first {
            unread = refusal.description
            failures += 1
            waker.yield()
        } else if unread == nil {
            failures = 0
        }
    }
}

extension DomainWork {
    /// What nobody waits for: another look, and what follows from it.
    static var again: DomainWork {
        var work = DomainWork(nil)
        work.isWhole = true
        return work
    }
}

extension Plan {
    /// Takes out what is done on behalf of these intents.
    fileprivate mutating func leaveOut(_ intents: Set<IntentID>) {
        steps.removeAll { intents.contains($0.because) }
        stamps.removeAll { intents.contains($0.because) }
    }
}
