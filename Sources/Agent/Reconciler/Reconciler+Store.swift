import HawserAPI
import HostNetwork
import Logging
import Store

/// What is missed of the intents that this host was asked for: pods that nobody asks for stay meanwhile, for somebody may have.
struct Missed {
    /// Rows that say nothing to this version.
    var unreadable: [Loaded.Unreadable]
    /// For people.
    var keeping: String

    /// Nil when nothing is missed.
    init?(_ loss: Loss?, unreadable: [Loaded.Unreadable]) {
        let rest = "what the kernel has of pods that nobody asks for stays until a snapshot or `hawser apply --prune`"
        if let loss {
            let place = loss.setAside.isEmpty ? "there was no database" : "the database was damaged, and is \(loss.setAside) now"
            keeping = "the stored intents are lost since \(loss.since) (\(place)): \(rest)"
        } else if let first = unreadable.first {
            keeping = "\(unreadable.count) stored resources can't be read, the first of them \(first.kind) \(first.id): \(rest)"
        } else {
            return nil
        }
        self.unreadable = unreadable
    }
}

extension Reconciler {
    /// At the start: whether there is anything that stays although nobody asks for it.
    func missWhatIsKept(_ kept: Int) {
        guard let missed else { return }
        let places = host.leftovers(besides: map.there)
        guard kept > 0 || !places.isEmpty else {
            // A host that never had pods, or another boot: there is nothing to lose.
            self.missed = nil
            for domain in map.there {
                var work = DomainWork(nil)
                work.keeps = false
                work.isWhole = true
                domains[domain]?.queue.put(work)
            }
            remember { () throws(StoreError) in try store.take(Whole(forgetting: missed.unreadable)) }
            return
        }
        logger.critical("\(missed.keeping) (\(kept) interfaces, \(places.count) routing domains)")
        journal.record(EventView(kind: "store", id: store.path, event: "lost", reason: missed.keeping))
    }

    /// All that this host is asked for is known again, and in the store: what nobody asks for goes.
    func becomeWhole(_ number: Int, _ works: inout [RoutingDomain: DomainWork]) {
        guard missed != nil else { return }
        missed = nil
        for domain in map.there {
            works[domain, default: DomainWork(number)].keeps = false
            works[domain]?.isWhole = true
        }
        for removed in host.sweep(keeping: map.there) { logger.notice("\(removed) isn't wanted any more, and is removed") }
        journal.record(EventView(kind: "store", id: store.path, event: "whole", reason: "all that this host is asked for is known again"))
    }

    // MARK: A disk that fails

    /// Nothing could be stored. The next that can be says that it is over, or an attempt of our own.
    func note(_ failure: StoreError) {
        logger.error("\(failure)")
        if unwritable == nil { journal.record(EventView(kind: "store", id: store.path, event: "unwritable", reason: failure.reason)) }
        unwritable = "intents can't be stored, so none are taken: \(failure)"
        mender.yield()
    }

    func noteStored() {
        guard unwritable != nil else { return }
        unwritable = nil
        logger.notice("intents can be stored again")
        journal.record(EventView(kind: "store", id: store.path, event: "writable"))
    }

    /// Asks again and again whether something can be stored, later and later.
    func mend() async {
        for await _ in mendings {
            var seconds = 1
            while unwritable != nil {
                try? await ContinuousClock().sleep(for: .seconds(seconds))
                if Task.isCancelled { return }
                seconds = min(30, 2 * seconds)
                do throws(StoreError) {
                    try store.probe()
                    noteStored()
                } catch { continue }
            }
        }
    }

    /// The tracked flows of these are deleted by now, as far as their domains are as they should be.
    func forgetReleased() {
        let gone = released.filter { standings.isClean(map.domain(of: $0.network)) }
        guard !gone.isEmpty else { return }
        released.removeAll { standings.isClean(map.domain(of: $0.network)) }
        remember { () throws(StoreError) in try store.purged(gone) }
    }

    /// What doesn't matter to anybody's answer: a restart would find it undone, and do it again.
    private func remember(_ body: () throws(StoreError) -> Void) {
        do throws(StoreError) { try body() } catch { note(error) }
    }
}
