import HostNetwork
import Testing

@Suite("A plan for an interface") struct PlanInterfaceTests {
    private static let name = LinkName(of: "web-0")
    private let pod = End(name, .pod)
    private let gateway = IPAddress.v4(0x0a01_0001)

    private func state(mac: UInt64 = 0x0200_0000_0001, address: UInt32 = 0x0a01_000a) -> HostState {
        let link = Link(
            name: Self.name, pod: "web-0", hostMAC: Marks.hostMAC, namespace: "/run/netns/web-0", interface: "eth0", mac: MAC(mac),
            mtu: 1500,
            isUp: true, reversePath: .strict)
        let objects: [Object] = [
            .link(link), .address(InterfaceAddress(pod, .v4(address))), .neighbor(NeighborEntry(pod, gateway, at: Marks.hostMAC)),
            .route(Route(pod, to: .everything(.v4), through: gateway)),
        ]
        return HostState(objects.map { Entry($0, because: IntentID(.pod, "web-0")) })
    }

    @Test("tells an end its neighbors again when its MAC changes, for the kernel forgets them then")
    func readdresses() {
        let (before, after) = (state(), state(mac: 0x0200_0000_0002))
        let key = Object.Key.link(Self.name)
        for plan in [Plan(from: before, to: after), Plan(from: before, to: after, touching: [key])] {
            #expect(before.applying(plan) == after)
            #expect(plan.steps.map(\.object) == [after[key], .neighbor(NeighborEntry(pod, gateway, at: Marks.hostMAC))])
            #expect(plan.steps.last?.action == .add)
        }
    }

    @Test("gives a new address before it takes the last one away, for the kernel takes routes and neighbors with that")
    func replacesAddresses() {
        let (before, after) = (state(), state(address: 0x0a01_000b))
        let plan = Plan(from: before, to: after)
        #expect(before.applying(plan) == after)
        #expect(plan.steps.map(\.action) == [.add, .remove])
    }
}
