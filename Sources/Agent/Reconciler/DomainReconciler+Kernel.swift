import HostNetwork
import Logging
import SystemPackage

/// How a routing domain's kernel is looked at, and brought to what is wanted.
extension DomainReconciler {
    func observe(_ plane: any Dataplane) throws {
        let found = try plane.observe(expecting: desired.state)
        take(found, plane.untold)
    }

    /// Believes what was found, and that it is as before inside of pods where nothing can be seen.
    func take(_ found: consuming HostState, _ untold: [LinkName: Untold]) {
        kept = hideStrangers(from: &found)
        found.assume(untold.keys, from: believed, desired.state)
        found.share(with: desired.state)
        // After a refusal what is believed is a guess, and before the first look nothing is; what stayed for others is no meddler's.
        if unread == nil, self.plane != nil, !hidesStrangers { notice(believed.differences(to: found)) }
        hidesStrangers = keeps
        believed = found
        unread = nil
        blindness = nil
        note(untold)
    }

    /// What is to stay although nobody asks for it isn't looked at: no plan touches it. Answers how many interfaces that are.
    @discardableResult
    func hideStrangers(from found: inout HostState) -> Int {
        guard keeps else { return 0 }
        var hidden = 0
        for key in desired.kept(of: found, asked: asked) {
            if case .link = key { hidden += 1 }
            found.remove(key)
        }
        return hidden
    }

    /// Pods that are asked for while others' interfaces stay: what is there of theirs is known, and so is their epoch.
    func note(_ changed: [Changed]) {
        for change in changed {
            for case .pod(let pod)? in [change.before, change.after] { asked.insert(LinkName(of: pod.id)) }
        }
        let new = changed.compactMap { change -> ID<Pod>? in
            if change.before == nil, case .pod(let pod)? = change.after { pod.id } else { nil }
        }
        guard let plane, !new.isEmpty, let stamps = try? plane.stamps() else { return }
        _ = desired.set(HostState(stamps).epochs(of: new, in: desired.layout.marks))
    }

    /// Makes what is believed to be there what is wanted.
    ///
    /// - Parameters:
    ///   - keys: what may differ; nil: everything, after another look.
    ///   - isRead: it was looked at just now.
    func carryOut(touching keys: Set<Object.Key>?, isRead: Bool = false) -> Applied {
        guard let plane else { return Applied() }
        var keys = keys
        if (keys == nil || keeps) && !isRead {
            guard look(plane) else { return Applied() }
            keys = nil
        }
        var applied = Applied()
        let debtors = payFlows(plane)
        var plan = plan(touching: keys)
        applied.refusals += plan.hold(debtors)
        // A resource that the kernel refuses is left out, with those that lean on it, and the others go on without it.
        for attempt in 0..<4 where !plan.isEmpty {
            if keeps, plan.takesTables {
                fail("\(domain) can't be given another layout while what it was asked for isn't known")
                return Applied()
            }
            var result = plane.apply(plan)
            believed.take(result)
            unforgotten += result.unforgotten
            if result.isUncertain, attempt == 0 {
                // What the kernel took is seen, not guessed; what it didn't take is tried once more.
                result.refusals = []
                applied.merge(result)
                unread = "an answer of the kernel is missing"
                guard look(plane) else { break }
                keys = nil
                plan = self.plan(touching: nil)
                applied.refusals += plan.hold(payFlows(plane))
                if plan.steps.isEmpty { owe(plan.stamps) }
                continue
            }
            applied.merge(result)
            let culprits = result.isUncertain ? [] : blamed(for: result.refusals)
            if culprits.isEmpty || attempt == 3 {
                if !result.refusals.contains(where: \.operation.object.isRuleset) { owe(plan.stamps) }
                break
            }
            plan = self.plan(touching: keys)
            plan.leaveOut(culprits.union(debtors?.pods ?? []))
        }
        applied.refusals += leftUndone(keys, after: applied.refusals)
        finish(applied)
        return applied
    }

    private func look(_ plane: any Dataplane) -> Bool {
        do { try observe(plane) } catch {
            fail("\(domain) can't be read: \(error)")
            return false
        }
        return true
    }

    private func plan(touching keys: Set<Object.Key>?) -> Plan {
        var plan = keys.map { desired.plan(from: believed, touching: $0) } ?? desired.plan(from: believed)
        plan.awaited = awaited
        if keeps { plan.spareStampChains() }
        return plan
    }

    /// Whatever differs from what is wanted is nobody's success: what was refused with others, and what wasn't tried after it. What is up to a pod is
    /// told as that pod's.
    private func leftUndone(_ keys: Set<Object.Key>?, after refusals: [Refusal]) -> [Refusal] {
        guard let first = refusals.first(where: { !$0.isInside }) else { return [] }
        let told = Set(refusals.map(\.because))
        let keys = keys ?? believed.keys(differingFrom: desired.state)
        var rest = Plan(from: believed, to: desired.state, touching: keys)
        if keeps { rest.spareStampChains() }
        let pods = Set(refusals.filter(\.isInside).compactMap(\.operation.object.link)).union(ailments.links)
        let left = rest.steps.filter { step in !told.contains(step.because) && !(step.object.link.map(pods.contains) ?? false) }
        return left.map { step in
            Refusal(step, errno: Errno.canceled.rawValue, explanation: "not in force, for another was refused: \(first)")
        }
    }

    /// Deletes the tracked flows that couldn't be deleted before; the pods that must wait for their addresses otherwise.
    @discardableResult
    func payFlows(_ plane: any Dataplane) -> Debtors? {
        guard !unforgotten.isEmpty else { return nil }
        do {
            try plane.forgetFlows(of: unforgotten)
            unforgotten = []
            return nil
        } catch {
            let pods = desired.intents.pods.values.filter { pod in
                pod.ownRanges.contains { own in unforgotten.contains { own.overlaps($0) } }
            }
            let addresses = AddressRange.disjointUnion(unforgotten).map(\.description).joined(separator: ", ")
            unread = "tracked flows of \(addresses) can't be deleted: \(error)"
            failures += 1
            waker.yield()
            return Debtors(pods: Set(pods.map(\.id.intent)), reason: "\(error)")
        }
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

    /// What there is to tell of it, where it was refused.
    func pay(_ stamps: ArraySlice<HostNetwork.Operation>) -> DomainOutcome? {
        // What was superseded meanwhile has another stamp under way.
        let wanted = stamps.filter { desired.state.contains($0.object) && believed[$0.object.key] == nil }
        guard let plane, !wanted.isEmpty else { return nil }
        let applied = plane.settle(wanted)
        believed.take(applied)
        finish(applied)
        guard !applied.refusals.isEmpty else { return nil }
        var outcome = DomainOutcome(domain: domain)
        outcome.applied = applied
        outcome.unread = unread
        return outcome
    }

    private func finish(_ applied: Applied) {
        for refusal in applied.refusals { logger.log(level: refusal.isInside ? .warning : .error, "\(refusal)") }
        note(applied.refusals.filter(\.isInside))
        if let refusal = applied.refusals.first(where: { !$0.isInside }) {
            unread = refusal.description
            failures += 1
            waker.yield()
        } else if unread == nil {
            failures = 0
        }
    }
}

/// Pods whose addresses another had, with tracked flows that couldn't be deleted.
struct Debtors {
    var pods: Set<IntentID>
    var reason: String
}

extension Plan {
    /// Whether a table of the ruleset goes, to be made anew.
    fileprivate var takesTables: Bool {
        steps.contains { if case .table = $0.object { $0.action == .remove } else { false } }
    }

    /// Leaves out what pods get that must wait; answers that.
    fileprivate mutating func hold(_ debtors: Debtors?) -> [Refusal] {
        guard let debtors else { return [] }
        let held = steps.filter { debtors.pods.contains($0.because) && $0.action != .remove }
        leaveOut(debtors.pods)
        return Dictionary(held.map { ($0.because, $0) }) { first, _ in first }.values.sorted { $0.because < $1.because }.map { step in
            Refusal(
                step, errno: Errno.canceled.rawValue,
                explanation: "not tried: flows of who had its address before can't be deleted: \(debtors.reason)")
        }
    }

    /// Takes out what is done on behalf of these intents.
    fileprivate mutating func leaveOut(_ intents: Set<IntentID>) {
        steps.removeAll { intents.contains($0.because) }
        stamps.removeAll { intents.contains($0.because) }
    }
}
