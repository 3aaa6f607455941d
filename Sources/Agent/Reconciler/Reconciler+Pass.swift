import HawserAPI
import HostNetwork
import Logging
import Store

extension Reconciler {
    /// Loads what is stored, looks at what is there, and brings the one to the other. Nothing is swept before.
    func start() async throws {
        let loaded = try store.load()
        for unreadable in loaded.unreadable {
            logger.error("stored \(unreadable.kind) \(unreadable.id) can't be read and is left out: \(unreadable.reason)")
        }
        attachments = Dictionary(uniqueKeysWithValues: try store.attachments().map { (ID($0), $1) })
        intents = Intents(restoring: loaded.intents.map(\.intent), leaving: loaded.leaving)
        missed = Missed(try store.loss(), unreadable: loaded.unreadable)
        for pod in intents.pods.values { _ = namespaces.place(pod.id, at: pod.namespace, pod.interface) }
        follow(namespaces.watched)
        _ = map.take(intents.all.map { (nil, $0) }, in: intents)
        namespaces.begin(with: intents.pods.keys) { id, path in
            intents.pods[id].map { host.isAttached(id, of: map.domain(of: $0.network), at: path) } ?? false
        }
        warn(of: ([], take(firstPlaces).now))
        let purges = try store.purges()
        let works = Dictionary(
            uniqueKeysWithValues: map.there.map { domain in
                var work = DomainWork(nil)
                let seen = intents.seen(by: domain, in: map)
                work.begin = seen
                work.keeps = missed != nil
                work.appeared = seen.pods.keys.filter(namespaces.isThere)
                for pod in work.appeared { work.homes[pod] = namespaces.home(of: pod) }
                return (domain, work)
            })
        for domain in map.there {
            let made = makeDomain(domain)
            domains[domain] = made
            nursery.yield(made)
        }
        var kept = 0
        try await withThrowingTaskGroup(of: DomainOutcome.self) { group in
            for (domain, work) in works {
                guard let made = domains[domain] else { continue }
                let released = purges.filter { map.domain(of: $0.network) == domain }.map(\.address)
                group.addTask { try await made.start(work, forgetting: released) }
            }
            for try await outcome in group {
                note(outcome)
                kept += outcome.kept
            }
        }
        released = purges
        forgetReleased()
        missWhatIsKept(kept)
        guard missed == nil else { return recordAll() }
        for removed in host.sweep(keeping: map.there) { logger.notice("\(removed) isn't wanted any more, and is removed") }
        recordAll()
    }

    private func recordAll() {
        for intent in intents.all { record(intent.id, source: "start") }
        tidier.yield()
    }

    /// Takes all that has come since the last pass.
    func pass(_ batch: Inbox.Batch) {
        let items = batch.items.filter { !$0.dryRun }
        // Before the changes: they are judged by what the host uses now.
        let overlapped = batch.places.map { take($0) }
        var edits = Edits(intents, attachments, ledger, mostValues: mostValues, tenants: tenants)
        var taken: [Edits.Taken] = []
        let leaving = intents.leaving
        let start = ContinuousClock.now
        for item in items { taken.append(edits.admit(item.change, from: item.source, into: &intents)) }
        do throws(StoreError) {
            let whole = edits.isWhole ? missed.map { Whole(forgetting: $0.unreadable) } : nil
            if try Self.remember(edits, intents, whole, in: store) { noteStored() }
        } catch {
            intents.revert(to: edits.before, leaving: leaving)
            note(error)
            for (item, taken) in zip(items, taken) { item.answer(.init(refusing: taken, because: error)) }
            edits = Edits(intents, attachments, ledger, mostValues: mostValues, tenants: tenants)
            taken = []
        }
        attachments = edits.attachments
        ledger = edits.ledger.saved

        let changed = Set(edits.before.keys)
        let number = passes.number()
        var works = map.take(edits.changed(in: intents), in: intents).mapValues { step in
            var work = DomainWork(number)
            work.take(step)
            return work
        }
        place(changed)
        let seen = look(at: Set(edits.pods).union(batch.paths.flatMap { namespaces.pods(at: $0) }).union(batch.lost), number, &works)
        if edits.isWhole { becomeWhole(number, &works) }
        if missed != nil { for domain in works.keys { works[domain]?.keeps = true } }
        if batch.wantsResync {
            for domain in map.there { works[domain, default: DomainWork(number)].isWhole = true }
        }

        var pass = Passes.Pass(edits: edits, start: start)
        pass.items = taken.isEmpty ? [] : items
        pass.taken = taken
        pass.resyncs = batch.resyncs
        pass.concerned = changed
        for id in changed { pass.concerned.formUnion(waiting(for: id)) }
        for path in batch.paths { pass.concerned.formUnion(namespaces.pods(at: path).map(\.intent)) }
        pass.concerned.formUnion(seen.map(\.intent))
        pass.concerned.formUnion(routed(by: edits.before.values.compactMap(\.self) + pass.concerned.compactMap { intents[$0] }))
        pass.concerned.formUnion((overlapped?.now ?? []).union(overlapped?.before ?? []).map(\.intent))
        if let overlapped { warn(of: overlapped) }
        pass.released = edits.released(in: intents)
        // Nobody else ever asks for so much at once: a folder that is read anew, a whole host that is pushed.
        if changed.count > Self.many { tidier.yield() }
        guard !works.isEmpty else { return finish(pass) }
        passes.begin(number, pass, waitingFor: Set(works.keys))
        send(works)
    }

    /// All that it waited for is done.
    func finish(_ pass: Passes.Pass) {
        let applied = pass.applied
        released += pass.released
        forgetReleased()
        let source = pass.items.count == 1 ? pass.items[0].source : nil
        for id in pass.concerned.union(applied.refusals.map(\.because)) {
            record(id, source: pass.edits.sources[id] ?? source, refused: pass.edits.refused[id])
        }
        if applied.done.count > Self.many { tidier.yield() }
        let total = ContinuousClock.now - pass.start
        if !pass.resyncs.isEmpty {
            let report = resynced(applied, blind: pass.blind, total)
            for resync in pass.resyncs { resync.resume(returning: report) }
        }
        for (item, taken) in zip(pass.items, pass.taken) { item.answer(report(taken, applied, total)) }
    }

    // MARK: Namespaces

    /// Takes note of where changed pods are to be.
    private func place(_ changed: Set<IntentID>) {
        var differs = false
        for id in changed where id.kind == .pod {
            let pod = ID<Pod>(id.id)
            if namespaces.place(pod, at: intents.pods[pod]?.namespace, intents.pods[pod]?.interface ?? "") { differs = true }
        }
        if differs { follow(namespaces.watched) }
    }

    /// Looks whether pods' namespaces are there, and tells their domains. Answers who was looked at: also those who wait for what others have let
    /// go of.
    private func look(at pods: Set<ID<Pod>>, _ number: Int, _ works: inout [RoutingDomain: DomainWork]) -> Set<ID<Pod>> {
        var (all, next) = (pods, pods)
        // More rounds than that are for paths that change faster than they are looked at.
        for _ in 0..<4 where !next.isEmpty {
            for id in next.sorted() {
                let look = namespaces.look(at: id)
                guard let pod = intents.pods[id] else { continue }
                let domain = map.domain(of: pod.network)
                // A pair that vanished is made anew where its pod still is, so its domain is asked in any case.
                guard map.there.contains(domain) else { continue }
                works[domain, default: DomainWork(number)].take(look, at: id)
            }
            next = namespaces.takeHopeful()
            all.formUnion(next)
        }
        for (domain, var work) in works {
            // What a domain is told of for the first time is as it is, and what it isn't told of any more is no matter of its own.
            for change in work.changed {
                if case .pod(let pod)? = change.after, change.before == nil, namespaces.isThere(pod.id) { work.appeared.append(pod.id) }
                if case .pod(let pod)? = change.before, change.after == nil { work.gone.append(pod.id) }
            }
            if let begin = work.begin { work.appeared = begin.pods.keys.filter(namespaces.isThere) }
            for pod in work.appeared { work.homes[pod] = namespaces.home(of: pod) }
            works[domain] = work
        }
        return all
    }

    // MARK: Remembering

    /// Whether there was something to remember.
    private static func remember(_ edits: Edits, _ intents: Intents, _ whole: Whole?, in store: Store) throws(StoreError) -> Bool {
        guard !edits.isEmpty || whole != nil else { return false }
        var upserts: [String: [Intent]] = [:]
        var deletions: [IntentID] = []
        var attached: [Intent] = []
        // In the order of the table: it is written from its beginning to its end, and not here and there.
        for id in edits.before.keys.sorted() {
            guard let intent = intents[id] else {
                deletions.append(id)
                continue
            }
            if let source = edits.sources[id] {
                upserts[source, default: []].append(intent)
            } else if id.kind == .pod {
                attached.append(intent)
            }
        }
        let leaving = edits.before.keys.filter { intents.leaving.contains($0) }
        try store.commit(
            upserts, deletions: deletions, leaving: leaving, purging: edits.released(in: intents),
            attachments: .init(edits.attached, pods: attached), alcor: edits.ledger.changes, whole: whole)
        return true
    }
}
