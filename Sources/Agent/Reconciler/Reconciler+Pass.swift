import HawserAPI
import HostNetwork
import Logging
import Store

extension Reconciler {
    /// Loads what is stored, looks at what is there, and brings the one to the other. Nothing is swept before.
    func start(_ layout: Layout) throws {
        let loaded = try store.load()
        for unreadable in loaded.unreadable {
            logger.error("stored \(unreadable.kind) \(unreadable.id) can't be read and is left out: \(unreadable.reason)")
        }
        attachments = Dictionary(uniqueKeysWithValues: try store.attachments().map { (ID($0), $1) })
        let intents = Intents(restoring: loaded.intents.map(\.intent), leaving: loaded.leaving)
        for pod in intents.pods.values { _ = namespaces.place(pod.id, at: pod.namespace) }
        follow(namespaces.watched)
        let attachable = Set(intents.pods.keys.filter { namespaces.look(at: $0) == .appeared })
        let epochs = HostState(try plane.stamps()).epochs(of: intents.pods.keys, in: layout.marks)
        desired = Desired(intents: intents, layout: layout, attachable: attachable, epochs: epochs)
        let purges = try store.purges()
        if !purges.isEmpty {
            try plane.forgetFlows(of: purges)
            try store.purged(purges)
        }
        try observe()
        try plane.adopt(believed)
        _ = carryOut(touching: Set(believed.entries.keys).union(desired.state.entries.keys))
        generation = try plane.generation()
        for intent in intents.all { record(intent.id, source: "start") }
        tidier.yield()
    }

    func observe() throws {
        believed = try plane.observe(expecting: desired.state).sharing(desired.state)
        mustObserve = false
    }

    /// Takes all that has come since the last pass.
    func pass(_ batch: Inbox.Batch) {
        for item in batch.items where item.dryRun { item.answer(rehearse(item.change, item.source)) }
        let items = batch.items.filter { !$0.dryRun }
        let clock = ContinuousClock()
        let start = clock.now

        var edits = Edits(desired.intents, attachments)
        var outcomes: [[(IntentID?, Edits.Outcome)]] = []
        var failure: StoreError?
        var touched = desired.change { [store] intents in
            let leaving = intents.leaving
            for item in items { outcomes.append(edits.take(item.change, from: item.source, into: &intents)) }
            do throws(StoreError) {
                try Self.remember(edits, intents, in: store)
            } catch {
                failure = error
                intents.revert(to: edits.before, leaving: leaving)
                return []
            }
            return edits.changed(in: intents)
        }
        if let failure {
            logger.error("\(failure)")
            for (item, outcomes) in zip(items, outcomes) { item.answer(.init(refusing: outcomes, because: failure)) }
            edits = Edits(desired.intents, attachments)
        }
        attachments = edits.attachments

        let changed = Set(edits.before.keys)
        touched.formUnion(place(changed))
        touched.formUnion(look(at: batch.paths, gone: batch.gone))
        let isWhole = batch.wantsResync || mustObserve
        let applied = carryOut(touching: isWhole ? nil : touched)
        if applied.refusals.isEmpty { forget(edits.released(in: desired.intents)) }

        var concerned = changed
        for id in changed { concerned.formUnion(waiting(for: id)) }
        for path in batch.paths { concerned.formUnion(namespaces.pods(at: path).map(\.intent)) }
        concerned.formUnion(applied.refusals.map(\.because))
        if isWhole { concerned.formUnion(desired.intents.all.map(\.id)) }
        let source = items.count == 1 ? items[0].source : nil
        for id in concerned { record(id, source: edits.sources[id] ?? source, refused: edits.refused[id]) }

        // Nobody else ever asks for so much at once: a folder that is read anew, a whole host that is pushed.
        if changed.count + applied.done.count > Self.many { tidier.yield() }

        let total = clock.now - start
        for resync in batch.resyncs { resync.resume(returning: report(desired.intents.all.map { ($0.id, .accepted) }, applied, total)) }
        guard failure == nil else { return }
        for (item, outcomes) in zip(items, outcomes) { item.answer(report(outcomes, applied, total)) }
    }

    /// Makes what is believed to be there what is wanted; `keys` of what may differ, nil for everything, after another look.
    func carryOut(touching keys: Set<Object.Key>?) -> Applied {
        if keys == nil {
            do { try observe() } catch {
                logger.error("the host can't be read: \(error)")
                mustObserve = true
                waker.yield()
                return Applied()
            }
            standings.forgive()
        }
        var plan = keys.map { desired.plan(from: believed, touching: $0) } ?? desired.plan(from: believed)
        var applied = Applied()
        // A resource that the kernel refuses is left out, with those that lean on it, and the others go on without it.
        for attempt in 0..<4 where !plan.isEmpty {
            let result = plane.apply(plan)
            believed.take(result)
            applied.merge(result)
            standings.note(result.refusals)
            let culprits = blamed(for: result.refusals)
            let isStuck = culprits.isEmpty || attempt == 3
            if isStuck {
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

    func finish(_ applied: Applied) {
        generation = applied.generation ?? generation
        for refusal in applied.refusals { logger.error("\(refusal)") }
        if applied.refusals.isEmpty {
            failures = 0
        } else {
            failures += 1
            mustObserve = true
            waker.yield()
        }
    }

    // MARK: Namespaces

    /// Takes note of where changed pods are to be.
    private func place(_ changed: Set<IntentID>) -> Set<Object.Key> {
        let pods = changed.filter { $0.kind == .pod }.map { ID<Pod>($0.id) }
        var differs = false
        for pod in pods {
            if namespaces.place(pod, at: desired.intents.pods[pod]?.namespace) { differs = true }
        }
        if differs { follow(namespaces.watched) }
        return look(at: pods)
    }

    private func look(at paths: Set<String>, gone links: Set<LinkName>) -> Set<Object.Key> {
        var touched: Set<Object.Key> = []
        var pods = Set(paths.flatMap { namespaces.pods(at: $0) })
        for name in links {
            guard case .link(let link)? = believed[.link(name)] else { continue }
            touched.formUnion(lose(link))
            pods.insert(link.pod)
            logger.warning("the interface of pod \(link.pod) is gone")
        }
        return touched.union(look(at: Array(pods)))
    }

    private func look(at pods: [ID<Pod>]) -> Set<Object.Key> {
        var appeared: [ID<Pod>] = []
        var gone: [ID<Pod>] = []
        var touched: Set<Object.Key> = []
        for pod in pods {
            switch namespaces.look(at: pod) {
            case .same: break
            case .appeared: appeared.append(pod)
            case .absent, .gone: gone.append(pod)
            case .replaced:
                // The pair is in a namespace that isn't this pod's any more.
                appeared.append(pod)
                if case .link(var link)? = believed[.link(LinkName(of: pod))] {
                    link.namespace = ""
                    believed.insert(Entry(.link(link), because: pod.intent))
                    touched.insert(.link(link.name))
                }
            }
        }
        return touched.union(desired.attach(appeared, detach: gone))
    }

    /// A pair is gone without our doing, and all that was on it.
    private func lose(_ link: Link) -> Set<Object.Key> {
        let keys = believed.keys(on: link.name)
        for key in keys { believed.remove(key) }
        return keys
    }

    // MARK: Remembering

    private static func remember(_ edits: Edits, _ intents: Intents, in store: Store) throws(StoreError) {
        guard !edits.before.isEmpty || !edits.attached.isEmpty else { return }
        var upserts: [String: [Intent]] = [:]
        var deletions: [IntentID] = []
        var attached: [Intent] = []
        for id in edits.before.keys {
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
            attachments: .init(edits.attached, pods: attached))
    }

    /// The tracked flows of addresses that were let go are deleted by now.
    private func forget(_ addresses: [IPAddress]) {
        guard !addresses.isEmpty else { return }
        do throws(StoreError) { try store.purged(addresses) } catch { logger.error("\(error)") }
    }
}

extension Plan {
    /// Takes out what is done on behalf of these intents.
    fileprivate mutating func leaveOut(_ intents: Set<IntentID>) {
        steps.removeAll { intents.contains($0.because) }
        stamps.removeAll { intents.contains($0.because) }
    }
}
