import HostNetwork
import Kernel
import Logging

/// What somebody else changes in a routing domain: noticed by the kernel's events, looked at, and put right by the pass that does everything else.
extension DomainReconciler {
    func take(_ event: KernelEvent) {
        switch event {
        case .missed:
            logger.warning("events of the kernel were missed: \(domain) is read again")
            suspect(.everything, Suspects(), by: nil, "events of the kernel were missed: \(domain) is read again")
        case .ruleset(let suspects, let culprit):
            suspect(.ruleset, suspects, by: culprit, "somebody changed Hawser's nftables tables in \(domain)")
        case .pod(let link, let culprit):
            guard believed[.link(link)] != nil else { return }
            suspect(.side(link), Suspects(sides: [link]), by: culprit)
        case .link(.gone(let link), let culprit) where !link.isTunnel:
            guard believed[.link(link)] != nil else { return }
            suspect(.side(link), Suspects(sides: [link]), by: culprit)
        case .link(let event, let culprit):
            guard let suspects = news(event) else { return }
            var isUrgent = false
            if case .unmarked = event { isUrgent = true }
            for link in suspects.links {
                // With its pair a pod takes away what is on it.
                let isUpToPod = if case .lacks = event { !link.isTunnel } else { false }
                let reason = isUpToPod ? nil : "somebody changed what is on link \(link) of \(domain)"
                suspect(.link(link), suspects, by: culprit, isUrgent: isUrgent, reason)
            }
            if suspects.elsewhere { suspect(.elsewhere, suspects, by: culprit, "routes to other hosts may be gone from \(domain)") }
        }
    }

    /// - Parameter reason: why the host isn't ready until it is looked at; nil: what a pod can do doesn't make it unready.
    private func suspect(
        _ subject: Suspicion.Subject, _ suspects: Suspects, by culprit: Culprit?, isUrgent: Bool = false, _ reason: String? = nil
    ) {
        let now = ContinuousClock.now
        let due = suspicion.note(subject, suspects, by: culprit, isUrgent: isUrgent, at: now)
        // One that goes on and on at an interface doesn't keep the host from being ready.
        if due <= now, let reason { health.notice(reason + (culprit.map { " (by \($0))" } ?? "") + ", and it isn't put right yet") }
        remind()
    }

    /// Sees to it that what is suspected is looked at when it is due.
    func remind() {
        guard let next = suspicion.next else { return }
        if next <= .now { queue.put(DomainWork(nil)) } else { delayer.yield() }
    }

    /// Waits until the next look is due, again and again.
    func pace() async {
        for await _ in delays {
            while let next = suspicion.next, next > .now, !Task.isCancelled {
                // One that comes meanwhile may be due earlier.
                try? await ContinuousClock().sleep(until: min(next, .now + .milliseconds(200)))
            }
            if suspicion.next != nil { queue.put(DomainWork(nil)) }
        }
    }

    /// What is to be looked at because of an event; nil when it tells of what is believed anyway.
    private func news(_ event: LinkEvent) -> Suspects? {
        switch event {
        case .gone(let name), .changed(let name): return believed[.link(name)] == nil ? nil : Suspects(links: [name])
        case .renamed(let name, let new): return believed[.link(name)] == nil ? nil : Suspects(links: [name, new])
        case .unmarked(let name, let index):
            guard believed[.link(name)] != nil else { return nil }
            var suspects = Suspects(links: [name])
            suspects.unmarked = [name: index]
            return suspects
        case .became(let name, let side):
            return believed[.link(name)].map { $0.isLike(side) } ?? true ? nil : Suspects(links: [name])
        case .has(let object):
            return believed.contains(object) ? nil : suspects(touching: [object, believed[object.key]].compactMap(\.self))
        case .lacks(let key): return believed[key].flatMap { suspects(touching: [$0]) }
        case .usurped(let destination, let link):
            guard believed[.route(.host, nil, destination)] != nil else { return nil }
            var suspects = Suspects(links: link.map { [$0] } ?? [])
            suspects.elsewhere = link == nil
            suspects.usurped = [destination]
            return suspects
        case .elsewhere:
            var suspects = Suspects()
            suspects.elsewhere = true
            return suspects
        }
    }

    /// Objects of links that are believed to be there, or of none.
    private func suspects(touching objects: [Object]) -> Suspects? {
        var suspects = Suspects()
        for object in objects {
            guard let link = object.link else {
                suspects.elsewhere = true
                continue
            }
            if believed[.link(link)] != nil { suspects.links.insert(link) }
        }
        return suspects.isEmpty ? nil : suspects
    }

    // MARK: Looking

    /// Looks at what is due, but for pods' own ends; what may differ now from what is wanted, and whether everything is to be looked at.
    func look(through plane: any Dataplane) throws -> (keys: Set<Object.Key>, isWhole: Bool) {
        let taken = suspicion.take(at: .now)
        remind()
        guard !taken.suspects.isEmpty else { return ([], taken.isWhole) }
        return (try inspect(taken, through: plane), taken.isWhole)
    }

    /// Looks at suspects; what may differ now from what is wanted.
    func inspect(_ taken: Suspicion.Taken, through plane: any Dataplane) throws -> Set<Object.Key> {
        var look = try plane.look(at: taken.suspects, expecting: desired.state)
        hideStrangers(from: &look.found)
        let untold = plane.untold
        look.found.assume(untold.keys, from: believed, desired.state)
        let differences = believed.take(look.found, of: taken.suspects, expecting: desired.state)
        notice(differences, look.restored, by: taken.culprits)
        note(untold, of: taken.suspects.links.union(taken.suspects.sides))
        var keys: Set<Object.Key> = []
        var gone: [ID<Pod>] = []
        for difference in differences {
            let object = difference.entry.object
            if case .link(let link) = object, difference.isAway {
                logger.warning("the interface of pod \(link.pod) is gone")
                gone.append(link.pod)
            }
            keys.insert(object.key)
            // What went to another pod meanwhile may bear that one's stamps, which don't say whose they are.
            if case .changed(.route) = difference.kind, case .route(let route) = object, route.destination.isHost {
                misled.insert(route.destination.first)
            }
        }
        // What couldn't be put right before is tried again.
        for link in taken.suspects.links.union(taken.suspects.sides) where ailments.contains(link) {
            keys.formUnion(desired.state.keys(on: link).union(believed.keys(on: link)))
        }
        guard !gone.isEmpty else { return keys }
        let links = Set(gone.map { LinkName(of: $0) })
        for difference in differences where difference.entry.object.link.map(links.contains) ?? false {
            keys.remove(difference.entry.object.key)
            lost.insert(difference.entry.object.key)
        }
        whenLost(gone)
        return keys
    }

    func notice(_ differences: [Difference], _ restored: [LinkName: [String]] = [:], by culprits: [Suspicion.Subject: [Culprit]] = [:]) {
        for repair in [Repair](differences, restored, by: culprits, in: believed) {
            noticed[repair.owner, default: Repair(of: repair.owner)].formUnion(repair)
        }
    }

    /// What was noticed and is as it is wanted by now.
    func takeRepairs() -> [Repair] {
        var done: [Repair] = []
        for (owner, repair) in noticed {
            let relevant = repair.relevant(to: desired.state)
            let isDone = relevant?.differences.allSatisfy { isAsWanted($0.entry.object.key) } ?? true
            guard isDone else { continue }
            noticed[owner] = nil
            if let relevant { done.append(relevant) }
        }
        return done.sorted { $0.owner < $1.owner }
    }

    private func isAsWanted(_ key: Object.Key) -> Bool {
        guard !lost.contains(key) else { return false }
        if believed.entries[key] == desired.state.entries[key] { return true }
        // A stamp that waits for its grace period.
        guard case .element? = desired.state[key], let entry = desired.state.entries[key] else { return false }
        return Phase.of(Operation(.add, entry)) == .stamp
    }

    /// Whether all that was noticed is put right. What waits for its turn is no more noticed than it keeps the host from being ready; nor is what is
    /// up to a pod.
    var isSettled: Bool {
        guard !suspicion.isDue(at: .now) else { return false }
        guard !noticed.isEmpty else { return true }
        let pods = Set(lost.compactMap { if case .link(let link) = $0 { link } else { nil } }).union(ailments.links)
        return noticed.values.allSatisfy { repair in
            repair.differences.allSatisfy { difference in
                difference.entry.object.isInside || difference.entry.object.link.map(pods.contains) ?? false
            }
        }
    }
}

extension Difference {
    /// Whether a pair isn't where its pod is: it is gone, perhaps with the pod's namespace, or its other end is in another. Which is for others to
    /// know.
    fileprivate var isAway: Bool {
        switch kind {
        case .missing: true
        case .changed(to: .link(let found)): found.namespace.isEmpty
        case .changed, .extra: false
        }
    }
}

extension Object {
    /// Whether it is believed to be like this on the host side.
    fileprivate func isLike(_ side: LinkEvent.HostSide) -> Bool {
        switch self {
        case .link(let link): side == .init(isUp: link.isUp, mtu: link.mtu, mac: link.hostMAC, alias: link.pod.value.asAlias)
        case .tunnel(let tunnel): side == .init(isUp: tunnel.isUp, mtu: tunnel.mtu, mac: tunnel.mac, alias: tunnel.network.value.asAlias)
        default: true
        }
    }
}

extension String {
    /// What of it an alias holds: 255 bytes (`IFALIASZ`, linux/if.h).
    fileprivate var asAlias: String { String(decoding: utf8.prefix(255), as: UTF8.self) }
}
