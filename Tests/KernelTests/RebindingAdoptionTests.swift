import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("What another process left behind, halfway to something else", .ownThreads) struct RebindingAdoptionTests {
    /// Intents that differ in groups, slots, rules about remotes, ranges and pods.
    enum Wanted: CaseIterable {
        case few, many, narrowed, none

        func put(into intents: inout Intents, _ pods: [LabPod]) throws {
            try intents.put(LabHost.network)
            guard self != .none else { return }
            let isNarrowed = self == .narrowed
            try intents.put(AddressGroup(id: "office", cidrs: [Prefix(isNarrowed ? "198.51.100.0/25" : "198.51.100.0/24")]))
            try intents.put(
                SecurityGroup(
                    id: "a", network: "blue",
                    rules: [
                        Rule(id: "in", direction: .ingress, protocol: .tcp, ports: PortRange(80, isNarrowed ? 81 : 99)),
                        Rule(id: "any", direction: .ingress, remote: .addressGroup("office")),
                    ] + (self == .few ? [] : [Rule(id: "friends", direction: .ingress, protocol: .sctp, remote: .group("b"))])))
            try intents.put("b", Rule(id: "out", direction: .egress, remote: .cidr(Prefix(isNarrowed ? "10.1.0.0/25" : "10.1.0.0/24"))))
            try intents.put("c", Rule(id: "out", direction: .egress, protocol: .udp, remote: .group(isNarrowed ? "a" : "c")))
            let groups: [ID<SecurityGroup>] = self == .few ? ["a"] : ["a", "b", "c"]
            for pod in self == .few ? pods.prefix(1) : pods[...] {
                try intents.put(
                    pod.intent(groups) { intent in
                        guard self == .many else { return }
                        intent.allowedAddressPairs = [AddressPair(address: Prefix("10.1.0.192/28"))]
                    })
            }
        }
    }

    @Test("becomes what is wanted, whatever it was", arguments: Wanted.allCases, Wanted.allCases)
    func adopts(left: Wanted, wanted: Wanted) async throws {
        let host = try LabHost()
        let pods = try [host.pod("web", 10), host.pod("other", 11)]
        try await host.apply { try left.put(into: &$0, pods) }

        var intents = Intents()
        try wanted.put(into: &intents, pods)
        let epochs = HostState(try host.plane.stamps()).epochs(of: intents.pods.keys, in: .standard)
        var desired = Desired(intents: intents, layout: Layout(), attachable: Set(intents.pods.keys), epochs: epochs)
        let there = try host.plane.observe(expecting: desired.state)
        let plan = desired.plan(from: there)
        #expect(plan.isEmpty == (left == wanted))
        #expect(host.plane.apply(plan).refusals.map(\.description) == [])
        await GracePeriod.wait()
        #expect(host.plane.settle(plan.stamps).refusals.map(\.description) == [])
        let rest = Plan(from: try host.plane.observe(expecting: desired.state), to: desired.state)
        #expect((rest.steps + rest.stamps).map(\.text) == [])
    }
}
