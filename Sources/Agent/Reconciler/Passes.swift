import HawserAPI
import HostNetwork
import Store

/// Passes whose answers wait for routing domains.
struct Passes {
    /// One pass of the reconciler, from what came to the answers.
    struct Pass {
        var items: [Inbox.Item] = []
        /// What became of each item, in their order.
        var taken: [Edits.Taken] = []
        var resyncs: [CheckedContinuation<Report, Never>] = []
        var edits: Edits
        /// Resources that may stand differently afterwards.
        var concerned: Set<IntentID> = []
        var released: [Released] = []
        let start: ContinuousClock.Instant
        fileprivate(set) var applied = Applied()
        /// Domains that couldn't be read for it: why.
        fileprivate(set) var blind: [RoutingDomain: String] = [:]
        fileprivate var waitsFor: Set<RoutingDomain> = []

        init(edits: Edits, start: ContinuousClock.Instant) {
            self.edits = edits
            self.start = start
        }
    }

    /// Work that must wait until other domains have let go of what it takes.
    private struct Held {
        var work: DomainWork
        var waitsFor: Set<RoutingDomain>
    }

    private var passes: [Int: Pass] = [:]
    private var count = 0
    private var held: [RoutingDomain: [Held]] = [:]

    mutating func number() -> Int {
        count += 1
        return count
    }

    /// Takes a pass that waits for these domains.
    mutating func begin(_ number: Int, _ pass: Pass, waitingFor domains: Set<RoutingDomain>) {
        var pass = pass
        pass.waitsFor = domains
        passes[number] = pass
    }

    /// Takes all that still wait, in their order.
    mutating func abandon() -> [Pass] {
        defer { passes = [:] }
        return passes.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Whether something is held that its domain is to do before anything else.
    func holds(_ domain: RoutingDomain) -> Bool { held[domain] != nil }

    /// Whether work may go to its domain now; it is held otherwise, and what comes after it, too.
    mutating func hold(_ work: DomainWork, for domain: RoutingDomain, after others: Set<RoutingDomain>) -> Bool {
        guard !others.isEmpty || held[domain] != nil else { return false }
        held[domain, default: []].append(Held(work: work, waitsFor: others))
        return true
    }

    /// Takes an outcome; answers the passes that are complete, and the works that may go now.
    mutating func take(_ outcome: DomainOutcome) -> (complete: [Pass], free: [(RoutingDomain, DomainWork)]) {
        var complete: [Pass] = []
        for number in outcome.passes.sorted() {
            guard var pass = passes[number] else { continue }
            pass.applied.merge(outcome.applied)
            pass.blind[outcome.domain] = outcome.untried?.reason
            pass.waitsFor.remove(outcome.domain)
            passes[number] = pass.waitsFor.isEmpty ? nil : pass
            if pass.waitsFor.isEmpty { complete.append(pass) }
        }
        return (complete, free(by: outcome))
    }

    private mutating func free(by outcome: DomainOutcome) -> [(RoutingDomain, DomainWork)] {
        var free: [(RoutingDomain, DomainWork)] = []
        // What a domain does because of a pod lets go of nothing.
        guard outcome.isOver || !outcome.passes.isEmpty else { return free }
        for domain in held.keys.sorted() {
            for index in held[domain, default: []].indices where held[domain]?[index].waitsFor.contains(outcome.domain) ?? false {
                // One that is to begin again waits for its end, others for the next that they do.
                guard domain != outcome.domain || outcome.isOver else { continue }
                held[domain]?[index].waitsFor.remove(outcome.domain)
                // Whoever is to begin after that waits for the end after that.
                if domain == outcome.domain { break }
            }
            while let first = held[domain]?.first, first.waitsFor.isEmpty {
                held[domain]?.removeFirst()
                free.append((domain, first.work))
            }
            if held[domain]?.isEmpty ?? false { held[domain] = nil }
        }
        return free
    }
}
