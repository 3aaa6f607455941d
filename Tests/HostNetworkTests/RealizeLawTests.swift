import HostNetwork
import PolicyModel
import OwnThreads
import Testing

/// The resources in which two sets of intents differ.
func changes(from old: Intents, to new: Intents) -> [(before: Intent?, after: Intent?)] {
    Set(old.all.map(\.id)).union(new.all.map(\.id)).sorted().filter { old[$0] != new[$0] }.map { (before: old[$0], after: new[$0]) }
}

@Suite("The desired state", .ownThreads) struct RealizeLawTests {
    /// One change of any kind; answers the keys that it touched.
    private func step(_ desired: inout Desired, _ random: inout Seeded, dense: Bool) -> Set<Object.Key> {
        switch random.number(0...11) {
        case 0, 1:
            let pods = desired.intents.pods.keys.sorted()
            return desired.attach(random.some(pods, atMost: 3), detach: random.some(pods, atMost: 1))
        case 2:
            let pods = random.some(desired.intents.pods.keys.sorted(), atMost: 2)
            return desired.set(Dictionary(uniqueKeysWithValues: pods.map { ($0, Epoch(UInt32(random.number(1...4)))) }))
        default:
            var intents = desired.intents
            for _ in 0..<random.number(1...3) {
                if random.once(in: 4) {
                    if let id = intents.all.randomElement(using: &random)?.id { _ = try? intents.remove(id) }
                } else {
                    _ = try? intents.upsert(dense ? random.nearIntent() : random.intent())
                }
            }
            return desired.realize(intents, changed: changes(from: desired.intents, to: intents))
        }
    }

    @Test("is kept in step with any sequence of changes as if it were made at once, and tells all that it touches", arguments: 0..<16)
    func incremental(seed: Int) {
        var random = Seeded(seed)
        let dense = seed % 2 == 0
        var desired =
            dense ? random.scene(pods: 5).desired : Desired(layout: Layout(underlay: Underlay(address: .v4(0xc000_0201), mtu: 1500)))
        for step in 0..<60 {
            let before = desired.state
            let touched = self.step(&desired, &random, dense: dense)
            let plan = Plan(from: before, to: desired.state, touching: touched)
            let reached = before.applying(plan)
            #expect(reached == desired.state, "seed \(seed), step \(step): \(difference(reached, desired.state))")
            guard step % 3 == 0 else { continue }
            let anew = Desired(intents: desired.intents, layout: desired.layout, attachable: desired.attachable, epochs: desired.epochs)
            #expect(anew.state == desired.state, "seed \(seed), step \(step): \(difference(desired.state, anew.state))")
            for pod in desired.intents.pods.keys { #expect(anew.groups(of: pod) == desired.groups(of: pod), "seed \(seed), step \(step)") }
            #expect(anew.plan(unchanged: desired.state).isEmpty, "seed \(seed), step \(step)")
        }
        let pods = desired.intents.pods.keys.sorted()
        _ = desired.attach([], detach: pods)
        let bare = Desired(layout: desired.layout).state
        #expect(desired.state == bare, "seed \(seed): \(difference(desired.state, bare))")
    }

    @Test("can be made on an empty host and taken off it again", arguments: 0..<10)
    func wholeLife(seed: Int) {
        var random = Seeded(seed)
        let state = random.scene().desired.state
        var kernel = StrictKernel(HostState())
        kernel.run(Plan(making: state).steps)
        #expect(kernel.state == state, "seed \(seed)")
        let removal = Plan(from: state, to: HostState())
        kernel.run(removal.steps + removal.stamps)
        #expect(kernel.complaints.isEmpty, "seed \(seed): \(kernel.complaints.prefix(5))")
        #expect(kernel.state == HostState(), "seed \(seed)")
        let firewall = removal.steps.filter(\.object.isRuleset)
        #expect(firewall.count == 2, "both tables, and nothing of what is in them: \(firewall.count)")
    }

    @Test("names no set, chain or link that it doesn't have", arguments: 0..<20)
    func closed(seed: Int) {
        var random = Seeded(seed)
        var intents = Intents()
        for _ in 0..<40 { _ = try? intents.upsert(seed % 2 == 0 ? random.nearIntent() : random.intent()) }
        let state = Desired(intents: intents, layout: Layout(), attachable: Set(intents.pods.keys), epochs: [:]).state
        var kernel = StrictKernel(HostState())
        kernel.run(Plan(making: state).steps)
        #expect(kernel.complaints.isEmpty, "seed \(seed): \(kernel.complaints.prefix(5))")
    }
}

extension Desired {
    /// A plan against a host that is as wanted already, on a copy.
    fileprivate func plan(unchanged state: HostState) -> Plan {
        var copy = self
        return copy.plan(from: state)
    }
}
