import HostNetwork
import OwnThreads
import Testing

@Suite("An epoch", .ownThreads) struct RealizeEpochTests {
    @Test("begins for the pods of a group that loses a rule, or has one made narrower, and for no other")
    func rules() throws {
        var world = World(size: 3)
        let plan = try world.edit("crowd") { $0.removeLast() }
        #expect(world.bumped == ["crowd-0", "crowd-1", "crowd-2"])
        #expect(world.bumped.allSatisfy { plan.renews($0) })
        #expect(plan.stamps.count == 6)
        _ = try world.edit("single") {
            $0[0] = Rule(id: "port-0", direction: .ingress, protocol: .tcp, ports: PortRange(1), remote: .cidr(.init(.v4(9))))
        }
        #expect(world.bumped.contains("solo"))
        #expect(world.desired.epoch("crowd-0") == Epoch(2))
    }

    @Test("goes on when a rule, a member, a prefix, a pod or another binding comes")
    func additions() throws {
        var world = World(size: 3)
        var plans = [try world.edit("single") { $0.append(Rule(id: "new", direction: .ingress, protocol: .tcp, ports: PortRange(4000))) }]
        plans.append(try world.edit("single") { $0.append(Rule(id: "more", direction: .ingress, protocol: .icmp, remote: .group("open"))) })
        plans.append(try world.change { _ = try $0.upsert(.neighbor(World.neighbor(9))) })
        plans.append(
            try world.change {
                _ = try $0.upsert(
                    .addressGroup(AddressGroup(id: "office", cidrs: ($0.addressGroups["office"]?.cidrs ?? []) + [Prefix(.v4(77))])))
            })
        plans.append(try world.change { _ = try $0.upsert(.pod(World.pod("late", 11, ["single"]))) })
        plans.append(try world.change { _ = try $0.upsert(.pod(World.pod("solo", 10, ["single", "unknown", "x-open"]))) })
        plans.append(try world.change { _ = try $0.upsert(.securityGroup(SecurityGroup(id: "x-open", rules: [Rule(id: "all")]))) })
        #expect(world.bumped.isEmpty)
        for plan in plans.dropLast(2) + plans.suffix(1) { #expect(!plan.isEmpty && plan.stamps.isEmpty) }
    }

    @Test("begins for whoever's rules name a member that goes, or an address that an address group lets go")
    func members() throws {
        var world = World(size: 3)
        _ = try world.change { _ = try $0.remove(IntentID(.neighbor, "n-1")) }
        #expect(world.bumped == ["solo"] && world.desired.epoch("solo") == Epoch(2))
        _ = try world.change {
            _ = try $0.upsert(.addressGroup(AddressGroup(id: "office", cidrs: ($0.addressGroups["office"]?.cidrs ?? []).dropLast())))
        }
        #expect(world.bumped == ["solo"] && world.desired.epoch("solo") == Epoch(3))
    }

    @Test("begins when a pod is bound to others, also to none that is known, and to the last user of a slot")
    func rebinding() throws {
        var world = World(size: 1)
        _ = try world.change { _ = try $0.upsert(.pod(World.pod("solo", 10, ["single", "open", "crowd"]))) }
        let base = world.desired.epoch("solo")
        let plan = try world.change { _ = try $0.upsert(.pod(World.pod("solo", 10, ["crowd", "open"]))) }
        #expect(world.desired.epoch("solo") > base && plan.renews("solo"))
        let slots = world.believed.entries.values.compactMap { if case .set(let set) = $0.object, set.isMap { set.id.name } else { nil } }
        #expect(!slots.contains("out-3"))
        let last = world.desired.epoch("solo")
        #expect(try world.change { _ = try $0.upsert(.pod(World.pod("solo", 10, ["unknown"]))) }.renews("solo"))
        #expect(world.desired.epoch("solo") > last)
        #expect(world.desired.epoch("crowd-0") == .first)
    }

    @Test("is remembered by the host while a pod's flows aren't stamped, so that old stamps aren't good again afterwards")
    func memory() throws {
        var world = World(size: 1)
        var open = World.pod("solo", 10, ["single"])
        open.portSecurity = false
        _ = try world.change { _ = try $0.upsert(.pod(open)) }
        #expect(world.desired.epoch("solo") == Epoch(2))
        let restarted = world.believed.epochs(of: world.intents.pods.keys, in: world.desired.layout.marks)
        #expect(restarted["solo"] == Epoch(2) && restarted["crowd-0"] == .first)
        world.desired = Desired(
            intents: world.intents, layout: world.desired.layout, attachable: world.desired.attachable, epochs: restarted)
        #expect(world.desired.state == world.believed)
        _ = try world.change { _ = try $0.upsert(.pod(World.pod("solo", 10, ["single"]))) }
        #expect(world.desired.epoch("solo") >= Epoch(2))
    }

    @Test("goes on behind a detached interface, whose return isn't the first")
    func detached() {
        var world = World(size: 1)
        _ = world.carryOut(world.desired.attach([], detach: ["solo"]))
        let plan = world.carryOut(world.desired.attach(["solo"], detach: []))
        #expect(world.desired.epoch("solo") == Epoch(2))
        #expect(plan.stamps.isEmpty, "a pair that is new has no packets under way")
    }

    @Test("that began anew names the addresses whose flows have old stamps")
    func wrapped() throws {
        var world = World(size: 1, marks: try MarkLayout(mask: 0x3f))
        for round in 1...7 {
            let isLast = world.desired.epoch("solo") == Epoch(3)
            let plan = try world.edit("single") { rules in
                if round % 2 == 1 { rules.removeAll { $0.id == "out" } } else { rules.append(Rule(id: "out")) }
            }
            guard round % 2 == 1 else { continue }
            #expect(plan.rewound == (isLast ? [AddressRange(Prefix(.v4(0x0a00_000a)))] : []))
            #expect(plan.renews("solo"))
        }
        #expect(world.desired.epoch("solo") == Epoch(2))
    }

    @Test("begins for everybody where the fixed part of the rules was tampered with", arguments: ["egress", "fresh-out", "own-4"])
    func tampered(name: String) {
        var world = World(size: 2)
        var actual = world.desired.state
        for entry in actual.entries.values {
            switch entry.object {
            case .chain(var chain) where chain.id.name == name && chain.id.family == .inet:
                chain.body = [[.verdict(.accept)]]
                actual.insert(Entry(.chain(chain), because: entry.because))
            case .set(var set) where set.id.name == name && set.id.family == .inet:
                actual.apply(Operation(.remove, entry))
                set.counts = true
                actual.insert(Entry(.set(set), because: entry.because))
            default: continue
            }
        }
        let plan = world.desired.plan(from: actual)
        #expect(world.bumped == ["solo", "crowd-0", "crowd-1"])
        #expect(actual.applying(plan) == world.desired.state)
    }

    @Test("goes on when a rule is only called otherwise, and the new name is the one that is told")
    func renamed() throws {
        var world = World(size: 2)
        let plan = try world.edit("single") { $0[0] = Rule(id: "renamed", direction: .ingress, protocol: .tcp, ports: PortRange(1)) }
        #expect(plan.isEmpty && world.bumped.isEmpty)
        let comments = world.desired.state.entries.values.map(\.comment)
        #expect(comments.contains("renamed"))
    }
}
