import HostNetwork
import OwnThreads
import PolicyModel
import Testing

@Suite("A host that has lost its intents", .ownThreads) struct KeptLawTests {
    /// What one is asked for again, of what it was: networks, and of all else a part, groups perhaps with other rules.
    private func asked(_ before: Intents, _ random: inout Seeded) -> Intents {
        var intents = Intents()
        let some = before.all.filter { $0.id.kind == .network || random.once(in: 2) }
        _ = intents.upsert(contentsOf: some)
        for id in intents.securityGroups.keys.sorted() where random.once(in: 3) {
            _ = try? intents.upsert(.securityGroup(random.nearGroup(id)))
        }
        return intents
    }

    @Test("keeps what it isn't asked for, has what it is, and is bare of the rest when all is said", arguments: 0..<40)
    func keeps(seed: Int) {
        var random = Seeded(seed)
        let before = random.scene().desired
        let intents = asked(before.intents, &random)
        let epochs = before.state.epochs(of: intents.pods.keys, in: before.layout.marks)
        var desired = Desired(intents: intents, layout: before.layout, attachable: Set(intents.pods.keys), epochs: epochs)
        var believed = before.state
        for key in desired.kept(of: believed, asked: []) { believed.remove(key) }
        var plan = desired.plan(from: believed)
        plan.spareStampChains()
        var kernel = StrictKernel(before.state)
        kernel.run(plan.steps + plan.stamps)
        #expect(kernel.complaints.isEmpty, "seed \(seed): \(kernel.complaints.prefix(5))")
        let after = before.state.applying(plan)

        for (key, entry) in desired.state.entries { #expect(after[key] == entry.object, "seed \(seed): \(key)") }
        let strangers = Set(before.intents.pods.keys.filter { intents.pods[$0] == nil }.map { LinkName(of: $0) })
        for (key, entry) in before.state.entries {
            guard let link = entry.object.link ?? entry.object.element?.link, strangers.contains(link) else { continue }
            #expect(after[key] == entry.object, "seed \(seed): \(key) of a pod that nobody spoke of")
        }
        // Nothing of who was asked for is left that wasn't.
        let known = Set(intents.pods.keys.map { LinkName(of: $0) })
        for (key, entry) in after.entries where desired.state[key] == nil {
            guard let link = entry.object.link ?? entry.object.element?.link else { continue }
            #expect(!known.contains(link), "seed \(seed): \(key)")
        }
        for case .rule(let rule) in after.entries.values.map(\.object) where desired.isWholly(rule.chain) {
            #expect(desired.state.contains(.rule(rule)), "seed \(seed): a rule that nobody asked for")
        }

        let rest = desired.plan(from: after)
        #expect(after.applying(rest) == desired.state, "seed \(seed)")
    }

    @Test("lets go of an interface whose address a pod has that it is asked for, with its tracked flows")
    func readdressed() throws {
        var world = World(size: 2)
        _ = world.change { _ in }
        let before = world.believed
        var intents = Intents()
        let network = try #require(world.intents.networks["blue"])
        var late = World.pod("late", 10, ["crowd"])
        late.namespace = "/run/netns/late"
        _ = intents.upsert(contentsOf: [.network(network), .securityGroup(SecurityGroup(id: "crowd")), .pod(late)])
        var desired = Desired(intents: intents, layout: world.desired.layout, attachable: ["late"], epochs: [:])
        var believed = before
        for key in desired.kept(of: believed, asked: []) { believed.remove(key) }
        let plan = desired.plan(from: believed)
        let after = before.applying(plan)
        #expect(after[.link(LinkName(of: "solo"))] == nil)
        #expect(plan.forgotten == [AddressRange(Prefix(late.addresses[0]))])
        #expect(after[.link(LinkName(of: "crowd-0"))] != nil)
        #expect(after[.link(LinkName(of: "late"))] != nil)
    }
}

extension Desired {
    /// Whether a chain is that of a group that a pod is bound to.
    fileprivate func isWholly(_ chain: Named) -> Bool {
        !readers(of: chain).isEmpty
    }
}
