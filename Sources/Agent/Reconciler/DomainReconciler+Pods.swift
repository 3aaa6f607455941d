import HostNetwork
import Kernel
import Logging

/// What becomes of pods' own ends, which are foreign ground: a pod may do there whatever it likes, as often
/// as it likes.
extension DomainReconciler {
    /// How many of them are looked at in one turn, and for how long another is begun with: whoever else wants
    /// something of the domain waits for one turn at most.
    private static let most = 32
    private static let time: Duration = .milliseconds(50)
    /// How much longer than a turn there is time for everything else, before the next.
    private static let share = 3

    /// Looks at what is due of pods' own ends, and puts right what differs; nil when nothing is due.
    func attend() -> DomainOutcome? {
        guard let plane else { return nil }
        let start = ContinuousClock.now
        var keys: Set<Object.Key> = []
        var count = 0
        awaited = []
        while count < Self.most, count == 0 || ContinuousClock.now - start < Self.time,
            let taken = suspicion.takeSide(at: start)
        {
            count += 1
            do { keys.formUnion(try inspect(taken, through: plane)) } catch {
                // The host's own can't be asked: everything is looked at when it can.
                queue.put(.again)
                break
            }
        }
        guard count > 0 else { return nil }
        var outcome = DomainOutcome(domain: domain)
        outcome.applied = carryOut(touching: keys)
        conclude(&outcome, [], isWhole: false)
        rest(since: start)
        remind()
        return outcome
    }

    /// What was done because of pods since then is enough for a while.
    func rest(since start: ContinuousClock.Instant) {
        suspicion.rest(until: .now + (ContinuousClock.now - start) * Self.share)
    }

    /// What a look came to.
    ///
    /// - Parameters:
    ///   - untold: pods at whose interfaces nothing can be seen.
    ///   - links: those that were looked at; nil: all.
    func note(_ untold: [LinkName: Untold], of links: Set<LinkName>? = nil) {
        ailments.see(links, but: untold.keys)
        for (link, untold) in untold.sorted(by: { $0.key < $1.key }) {
            guard case .link(let known)? = desired.state[.link(link)] else { continue }
            logger.warning("pod \(known.pod): \(untold.reason)")
            suspicion.postpone(link, until: .now + ailments.note(link, untold, of: known.pod))
        }
        if !untold.isEmpty { remind() }
    }

    /// What was refused and is up to pods, of all that was tried just now.
    func note(_ refusals: [Refusal]) {
        ailments.forget { isAsWanted($0) }
        var away: [ID<Pod>] = []
        for (link, refusals) in Dictionary(grouping: refusals, by: \.operation.object.link) {
            guard let link, case .link(let wanted)? = desired.state[.link(link)] else { continue }
            suspicion.postpone(link, until: .now + ailments.note(link, refusals))
            // Its path may lead to another namespace by now, or nowhere.
            if refusals.contains(where: \.makesLink) { away.append(wanted.pod) }
            ground.former.formUnion(refusals.compactMap(\.leftAddress))
        }
        if !away.isEmpty { whenLost(away) }
        if !refusals.isEmpty { remind() }
    }

    /// Whether all that there is of a pair, at both ends, is as it is wanted.
    private func isAsWanted(_ link: LinkName) -> Bool {
        desired.state.keys(on: link).union(believed.keys(on: link)).allSatisfy {
            desired.state.entries[$0] == believed.entries[$0]
        }
    }
}

extension Refusal {
    fileprivate var makesLink: Bool {
        if case .link = operation.object { operation.action == .add } else { false }
    }

    /// The address that should have gone.
    fileprivate var leftAddress: IPAddress? {
        if case .address(let address) = operation.object, operation.action == .remove {
            address.address
        } else {
            nil
        }
    }
}
