import HostNetwork
import OwnThreads
import Testing

@Suite("What a change of names and of port security takes away", .ownThreads) struct RealizeNamesTests {
    @Test("is nothing when a rule gets another id: not in the kernel, and nobody's flows are judged again")
    func renamed() throws {
        var world = World(size: 3)
        let plan = try world.edit("single") { rules in for index in rules.indices { rules[index].id += "-renamed" } }
        #expect(plan.isEmpty && world.bumped.isEmpty)
        #expect(Set(world.counted("single")).isSuperset(of: ["port-0-renamed", "port-2-renamed", "far-renamed", "out-renamed"]))
        #expect(!world.counted("single").contains("out"))
    }

    @Test("is nothing when one of two spellings of the same rule goes, whichever it is", arguments: [0, 1])
    func twoSpellings(position: Int) throws {
        var world = World(size: 1)
        let spellings = [
            Rule(id: "a", direction: .ingress, family: .v4, protocol: .icmp, remote: .cidr(.everything(.v4))),
            Rule(id: "b", direction: .ingress, protocol: .icmp),
        ]
        #expect(spellings[0].meaning == spellings[1].meaning)
        _ = try world.edit("single") { $0 += spellings }
        let counted = world.counted("single").filter { ["a", "b"].contains($0) }
        let plan = try world.edit("single") { rules in rules.removeAll { $0.id == spellings[position].id } }
        #expect(plan.isEmpty && world.bumped.isEmpty)
        #expect(Set(counted).count == 1, "one rule, told by one name")
        #expect(Set(world.counted("single").filter { ["a", "b"].contains($0) }) == [spellings[1 - position].id])
        let last = try world.edit("single") { rules in rules.removeAll { ["a", "b"].contains($0.id) } }
        #expect(!last.isEmpty && world.bumped == ["solo"])
    }

    @Test("is the tracked flows of a pod without port security when it goes, and none when port security comes or goes")
    func forgotten() throws {
        var world = World(size: 1)
        let solo = World.pod("solo", 10, ["single"])
        func put(portSecurity: Bool) throws -> Plan {
            try world.change { intents in
                var pod = solo
                pod.portSecurity = portSecurity
                _ = try intents.upsert(.pod(pod))
            }
        }
        #expect(try put(portSecurity: false).forgotten == [])
        #expect(try put(portSecurity: true).forgotten == [])
        #expect(try put(portSecurity: false).forgotten == [])
        let plan = try world.change { _ = try $0.remove(solo.id.intent) }
        #expect(plan.forgotten == [AddressRange(Prefix(solo.addresses[0]))])
    }
}

extension World {
    /// The names by which what a bound group counts is told.
    fileprivate func counted(_ group: ID<SecurityGroup>) -> [String] {
        desired.groups(of: "solo").filter { $0.group == group }.flatMap { desired.counting($0) }.map(\.comment)
    }
}
