import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

/// What an earlier version has left in the kernel.
@Suite("A ruleset of an earlier version", .ownThreads) struct PolicyUpgradeTests {
    @Test("goes at once, whichever of its chains lead to which")
    func chains() async throws {
        let host = try LabHost(owned: false)
        try await host.apply { try $0.put("open", .in("in"), .out("out")) }
        let pods = try await host.pods("a", "b", groups: ["open"])
        // Fails on 7673dba: chains were emptied one by one, so the first was still led to by the second.
        try host.host.run(
            ["nft", "-f", "-"],
            input: """
                table inet hawser {
                    chain a-target {
                        counter
                    }
                    chain b-caller {
                        jump a-target
                        counter
                    }
                    chain c-caller {
                        meta l4proto vmap { tcp : jump a-target, udp : goto b-caller }
                    }
                }
                """)
        var desired = host.desired
        let plan = desired.plan(from: try host.plane.observe(expecting: desired.state))
        let applied = host.plane.apply(plan)
        #expect(applied.refusals.map(\.description) == [])
        let left = try host.plane.observe(expecting: desired.state)
        #expect(Plan(from: left, to: desired.state).steps.map(\.text) == [])
        try expect(.from(pods[0], to: pods[1], pass: [.tcp(80), .udp(53)]))
    }

    @Test("has its stamps wiped, if they may be others' than the ends' of a flow")
    func stamps() async throws {
        let host = try LabHost()
        try await host.apply { try $0.put("open", .in("in"), .out("out")) }
        _ = try await host.pods("a", groups: ["open"])
        var desired = host.desired
        let now = try host.plane.observe(expecting: desired.state)
        #expect(desired.plan(from: now).rewound == [])
        let party = BaseSet.party(.v4).id
        let before = HostState(
            now.entries.values.filter { entry in (entry.object.holder ?? entry.object.container) != party })
        #expect(desired.plan(from: before).rewound == Family.allCases.map { AddressRange(Prefix.everything($0)) })
    }
}
