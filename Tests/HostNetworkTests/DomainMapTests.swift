import HostNetwork
import OwnThreads
import PolicyModel
import Testing

@Suite("Routing domains under any sequence of changes", .ownThreads) struct DomainMapTests {
    @Test("are told just what concerns them, and end with the last pod of their network", arguments: 0..<40)
    func laws(seed: Int) {
        var random = Seeded(seed)
        var intents = Intents()
        var map = DomainMap()
        var told: [RoutingDomain: Intents] = [.host: Intents()]
        for _ in 0..<150 {
            let before = intents
            // Several at once, as a push has them.
            for _ in 0...random.number(0...3) {
                if random.once(in: 4) {
                    _ = try? intents.remove(intents.all.randomElement(using: &random)?.id ?? random.intent().id)
                } else {
                    _ = try? intents.upsert(random.intent())
                }
            }
            for (domain, step) in map.take(changes(from: before, to: intents), in: intents) {
                switch step {
                case .begin(let intents):
                    #expect(told.updateValue(intents, forKey: domain) == nil)
                case .change(let changed): told[domain]?.mirror(changed)
                case .end(let changed):
                    told[domain]?.mirror(changed)
                    #expect(told.removeValue(forKey: domain)?.pods.isEmpty == true)
                }
            }
            #expect(Set(told.keys) == map.there)
            for (domain, told) in told { #expect(told == intents.seen(by: domain, in: map)) }
        }
    }

    @Test("have each pod in one place, apart from those of isolated networks that others are in", arguments: 0..<40)
    func partition(seed: Int) {
        var random = Seeded(seed)
        var intents = Intents()
        for _ in 0..<200 { _ = try? intents.upsert(random.intent()) }
        var map = DomainMap()
        let steps = map.take(intents.all.map { (nil, $0) }, in: intents)
        var places: [ID<Pod>: [RoutingDomain]] = [:]
        for domain in map.there { for pod in intents.seen(by: domain, in: map).pods.keys { places[pod, default: []].append(domain) } }
        #expect(Set(places.keys) == Set(intents.pods.keys))
        for (pod, domains) in places {
            guard let pod = intents.pods[pod] else { continue }
            let isIsolated = intents.networks[pod.network]?.isolated ?? false
            #expect(domains == [isIsolated ? .network(pod.network) : .host])
        }
        #expect(Set(steps.keys).isSubset(of: map.there))
    }

    private func changes(from before: Intents, to after: Intents) -> [Changed] {
        Set(before.all.map(\.id) + after.all.map(\.id)).filter { before[$0] != after[$0] }.map { (before[$0], after[$0]) }
    }
}
