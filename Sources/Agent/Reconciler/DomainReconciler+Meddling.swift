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
            suspect(.link(link), Suspects(links: [link]), by: culprit, "somebody changed the pod side of link \(link)")
        case .link(let event, let culprit):
            guard let suspects = news(event) else { return }
            var isUrgent = false
            if case .unmarked = event { isUrgent = true }
            for link in suspects.links {
                suspect(.link(link), suspects, by: culprit, isUrgent: isUrgent, "somebody changed what is on link \(link) of \(domain)")
            }
            if suspects.elsewhere { suspect(.elsewhere, suspects, by: culprit, "routes to other hosts may be gone from \(domain)") }
        }
    }

    private func suspect(
        _ subject: Suspicion.Subject, _ suspects: Suspects, by culprit: Culprit?, isUrgent: Bool = false, _ reason: String
    ) {
        let now = ContinuousClock.now
        let due = suspicion.note(subject, suspects, by: culprit, isUrgent: isUrgent, at: now)
        // A pod that goes on and on at its own interface doesn't keep the host from being ready.
        if due <= now { health.notice(reason + (culprit.map { " (by \($0))" } ?? "") + ", and it isn't put right yet") }
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

    /// Looks at what is due; what may differ now from what is wanted, and whether everything is to be looked at.
    func look(through plane: any Dataplane) throws -> (keys: Set<Object.Key>, isWhole: Bool) {
        let taken = suspicion.take(at: .now)
        remind()
        guard !taken.suspects.isEmpty else { return ([], taken.isWhole) }
        var look = try plane.look(at: taken.suspects, expecting: desired.state)
        hideStrangers(from: &look.found)
        let differences = believed.take(look.found, of: taken.suspects, expecting: desired.state)
        notice(differences, look.restored, by: taken.culprits)
        var keys: Set<Object.Key> = []
        var gone: [ID<Pod>] = []
        for difference in differences {
            let object = difference.entry.object
            // A pair that is gone may have gone with its pod's namespace, which is for others to know.
            if case .link(let link) = object, difference.kind == .missing {
                logger.warning("the interface of pod \(link.pod) is gone")
                gone.append(link.pod)
            }
            keys.insert(object.key)
            // What went to another pod meanwhile may bear that one's stamps, which don't say whose they are.
            if case .changed(.route) = difference.kind, case .route(let route) = object, route.destination.isHost {
                misled.insert(route.destination.first)
            }
        }
        guard !gone.isEmpty else { return (keys, taken.isWhole) }
        let links = Set(gone.map { LinkName(of: $0) })
        for difference in differences where difference.entry.object.link.map(links.contains) ?? false {
            keys.remove(difference.entry.object.key)
            lost.insert(difference.entry.object.key)
        }
        whenLost(gone)
        return (keys, taken.isWhole)
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

    /// Whether all that was noticed is put right. What waits for its turn is no more noticed than it keeps the host from being ready.
    var isSettled: Bool { !suspicion.isDue(at: .now) && noticed.isEmpty }
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
