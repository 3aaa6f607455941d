import HostNetwork
import OwnThreads
import Testing

@Suite("The cost of a change", .ownThreads) struct RealizeCostTests {
    /// Operations, counted by what they are about.
    private func operations(of plan: Plan) -> Int { plan.steps.count + plan.stamps.count }

    /// The same for each size of a host.
    private func cost(_ change: (inout World) throws -> Plan) rethrows -> Set<Int> {
        Set(
            try [6, 60].map { size in
                var world = World(size: size)
                return operations(of: try change(&world))
            })
    }

    /// A binding's next epoch: of each direction the old one goes, the new one comes, of the link and of its one address,
    /// and is stamped later.
    private static let epoch = 2 * ((1 + 1) * 2 + 1 + 1)
    /// The first of a host to have it makes the chains that stamp it.
    private static let stampChains = 2

    @Test("is nothing the second time")
    func nothing() throws {
        var world = World(size: 5)
        let same = world.intents
        #expect(world.carryOut(world.desired.realize(same, changed: same.all.map { (before: $0, after: $0) })).isEmpty)
        #expect(world.carryOut(world.desired.attach(world.intents.pods.keys, detach: [])).isEmpty)
        #expect(Plan(from: world.believed, to: world.desired.state).isEmpty)
    }

    /// A rule for both families is an element for each.
    private static let families = 2

    @Test("is one element a family for one rule that comes, however many there are")
    func ruleAdded() throws {
        #expect(
            try cost { try $0.edit("single") { $0.append(Rule(id: "new", direction: .ingress, protocol: .tcp, ports: PortRange(4000))) } }
                == [Self.families])
    }

    @Test("is a rule a family and a way for one that comes to few, and as many elements as there are for the one that makes them a set")
    func few() throws {
        func cost(of size: Int) throws -> Int {
            var world = World(size: size)
            return operations(
                of: try world.edit("single") { $0.append(Rule(id: "new", direction: .ingress, protocol: .tcp, ports: PortRange(4000))) })
        }
        let ways = 2
        #expect(try cost(of: 3) == Self.families * ways)
        // A set and five elements, and for each way a rule that looks into it in the place of four.
        #expect(try cost(of: 4) == Self.families * (1 + 5 + ways * (1 + 4)) + Self.epoch + Self.stampChains)
    }

    @Test("is one element a family and an epoch for one rule that goes")
    func ruleGone() throws {
        #expect(try cost { try $0.edit("single") { $0.remove(at: 2) } } == [Self.families + Self.epoch + Self.stampChains])
    }

    @Test("is two elements a family and an epoch for one rule that is another")
    func ruleChanged() throws {
        let changed = Rule(id: "port-2", direction: .ingress, protocol: .tcp, ports: PortRange(4000))
        #expect(try cost { try $0.edit("single") { $0[2] = changed } } == [2 * Self.families + Self.epoch + Self.stampChains])
    }

    @Test("is one element for one member that comes, and an epoch more when it goes")
    func members() throws {
        #expect(try cost { try $0.change { _ = try $0.upsert(.neighbor(World.neighbor(900))) } } == [1])
        #expect(try cost { try $0.change { _ = try $0.remove(IntentID(.neighbor, "n-1")) } } == [1 + Self.epoch + Self.stampChains])
    }

    @Test("is one element for one address of an address group")
    func addresses() throws {
        let one = Prefix(.v4(77))
        #expect(
            try cost { world in
                let cidrs = world.intents.addressGroups["office"]?.cidrs ?? []
                return try world.change { _ = try $0.upsert(.addressGroup(AddressGroup(id: "office", cidrs: cidrs + [one]))) }
            } == [1])
    }

    @Test("is a slot's elements and an epoch for a binding to groups that are in use")
    func rebinding() throws {
        let slots = 2 * 2 * 2
        #expect(
            try cost { try $0.change { _ = try $0.upsert(.pod(World.pod("crowd-0", 1000, ["single"]))) } } == [
                slots + Self.epoch + Self.stampChains
            ])
    }

    @Test("is the same for each pod that comes")
    func attaching() throws {
        let costs = try cost { try $0.change { _ = try $0.upsert(.pod(World.pod("late", 11, ["crowd"]))) } }
        #expect(costs.count == 1 && costs.allSatisfy { $0 < 40 }, "\(costs)")
    }

    @Test("is told by keys that don't grow with the host either")
    func keys() throws {
        let keys = try [6, 60].map { size in
            var world = World(size: size)
            guard var group = world.intents.group("single") else { return 0 }
            group.rules[2] = Rule(id: "port-2", direction: .ingress, protocol: .tcp, ports: PortRange(4000))
            _ = try world.intents.upsert(.securityGroup(group))
            return world.desired.realize(world.intents, changed: changes(from: world.desired.intents, to: world.intents)).count
        }
        #expect(keys[0] == keys[1] && keys[0] < 40, "\(keys)")
    }
}
