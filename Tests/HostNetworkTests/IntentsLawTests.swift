import HostNetwork
import PolicyModel
import OwnThreads
import Testing

@Suite("Intents under any sequence of changes", .ownThreads) struct IntentsLawTests {
    /// How often each outcome came up, so that a law that nothing puts to the test is noticed.
    struct Outcomes {
        var accepted = 0, unchanged = 0, stale = 0, rejected = 0, refused = 0
        var removed = 0, absent = 0, deferred = 0, kept = 0, left = 0
    }

    static let seeds = 0..<60

    @Test("are what they would be from scratch, agree among themselves, and change only when they say so", arguments: seeds)
    func laws(seed: Int) {
        var random = Seeded(seed)
        var outcomes = Outcomes()
        run(seed, &outcomes) { intents in
            #expect(intents == Intents(restoring: intents.all.shuffled(using: &random), leaving: intents.leaving))
            agree(intents)
        }
    }

    @Test("meet every outcome many times in these sequences")
    func coverage() {
        var outcomes = Outcomes()
        for seed in Self.seeds { run(seed, &outcomes) { _ in } }
        let ofUpserts = [outcomes.accepted, outcomes.unchanged, outcomes.stale, outcomes.rejected, outcomes.refused]
        let ofRemovals = [outcomes.removed, outcomes.absent, outcomes.deferred, outcomes.kept, outcomes.left]
        #expect((ofUpserts + ofRemovals).allSatisfy { $0 > 20 }, "\(outcomes)")
    }

    private func run(_ seed: Int, _ outcomes: inout Outcomes, after change: (Intents) -> Void) {
        var random = Seeded(seed)
        var intents = Intents()
        for _ in 0..<150 {
            if random.once(in: 4) {
                let known = random.once(in: 2) ? nil : intents.all.randomElement(using: &random)?.id
                remove(known ?? random.intent().id, from: &intents, &outcomes)
            } else {
                let known = random.once(in: 5) ? intents.all.randomElement(using: &random) : nil
                upsert(known?.with(revision: random.revision()) ?? random.intent(), into: &intents, &outcomes)
            }
            change(intents)
        }
    }

    private func upsert(_ intent: Intent, into intents: inout Intents, _ outcomes: inout Outcomes) {
        let before = intents
        do throws(Rejected) {
            switch try intents.upsert(intent) {
            case .accepted(let previous, let left, let refused):
                outcomes.accepted += 1
                outcomes.left += left.count
                outcomes.refused += refused.count
                #expect(previous == before[intent.id])
                #expect(intents[intent.id] == intent)
                #expect(left.allSatisfy { before.leaving.contains($0) && intents[$0] == nil })
                #expect(refused.allSatisfy { $0.intent.map { before[$0] != nil && intents[$0] == nil } ?? false })
                #expect(intents.all.count == before.all.count + (previous == nil ? 1 : 0) - left.count - refused.count)
                var again = intents
                #expect((try? again.upsert(intent)) == .unchanged(revised: false))
                #expect(again == intents)
            case .unchanged(let revised):
                outcomes.unchanged += 1
                #expect((intents == before) == !revised)
                #expect(intents[intent.id] == intent.with(revision: intents[intent.id]?.revision ?? 0))
            case .stale(let inForce):
                outcomes.stale += 1
                #expect(intents == before && intent.revision < inForce && intent.revision > 0)
            }
        } catch {
            outcomes.rejected += 1
            #expect(intents == before)
            #expect(error.intent == intent.id)
        }
    }

    private func remove(_ id: IntentID, from intents: inout Intents, _ outcomes: inout Outcomes) {
        let before = intents
        do throws(Rejected) {
            switch try intents.remove(id) {
            case .removed(let previous, let left):
                outcomes.removed += 1
                outcomes.left += left.count
                #expect(previous == before[id] && intents[id] == nil)
                #expect(intents.all.count == before.all.count - 1 - left.count)
            case .absent:
                outcomes.absent += 1
                #expect(intents == before && before[id] == nil)
            case .deferred(let holders):
                outcomes.deferred += 1
                #expect(intents[id] == before[id] && intents.leaving == before.leaving.union([id]))
                #expect(!holders.isEmpty && holders.allSatisfy { intents[$0] != nil })
            }
        } catch {
            outcomes.kept += 1
            #expect(intents == before)
        }
    }

    /// What always holds, asked without any index.
    private func agree(_ intents: Intents) {
        let pods = intents.pods.values.sorted { $0.id < $1.id }
        for (position, pod) in pods.enumerated() {
            for other in pods[..<position] {
                let share = !Set(pod.addresses).isDisjoint(with: other.addresses)
                #expect(!share || !intents.shareAddresses(pod.network, other.network), "\(pod.id) and \(other.id)")
                #expect(pod.namespace == nil || pod.namespace != other.namespace || pod.interface != other.interface)
            }
            if let network = intents.networks[pod.network] {
                for address in pod.addresses {
                    #expect(network.subnets.contains { $0.cidr.contains(address) && $0.gateway != address })
                    #expect(intents.pod(at: address, in: pod.network) == pod)
                }
            }
            let groups = intents.groups(of: pod)
            #expect(Set(groups.map(\.stateful)).count <= 1)
            let missing = pod.securityGroups.filter { id in !groups.contains { $0.id == id } && id != pod.network.defaultGroup }
            #expect(
                intents.unmet(for: pod.id) == (intents.networks[pod.network] == nil ? [pod.network.intent] : []) + missing.map(\.intent))
            for group in pod.securityGroups {
                let bound = pods.filter { $0.network == pod.network && $0.securityGroups.contains(group) }
                let serves = intents.group(group)?.serves(pod.network) ?? true
                #expect(Set(intents.pods(in: group, of: pod.network)) == (serves ? Set(bound) : []))
            }
        }
        for id in intents.leaving {
            let bound = pods.contains { $0.securityGroups.map(\.intent).contains(id) }
            let named = intents.securityGroups.values.contains { $0.remoteAddressGroups.map(\.intent).contains(id) }
            #expect(bound || named, "\(id) is still leaving")
        }
    }
}
