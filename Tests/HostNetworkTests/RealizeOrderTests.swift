import HostNetwork
import OwnThreads
import Testing

/// What a packet that no stamp lets through meets first.
@Suite("The order of a group's rules", .ownThreads) struct RealizeOrderTests {
    private func desired() -> Desired {
        var intents = Intents()
        let rules =
            (0..<20).map {
                Rule(id: "far-\($0)", direction: .ingress, protocol: .tcp, ports: PortRange(53), remote: .group(ID("far-\($0)")))
            }
            + [
                Rule(id: "ports", direction: .ingress, protocol: .tcp, ports: PortRange(80)),
                Rule(id: "sports", direction: .ingress, protocol: .udp, ports: PortRange(123), sourcePorts: PortRange(1024, 2000)),
            ]
        _ = intents.upsert(
            contentsOf: [
                .network(Network(id: "blue", subnets: [Subnet(id: "s", cidr: .everything(.v4))])),
                .securityGroup(SecurityGroup(id: "web", network: "blue", rules: rules)),
                .pod(Pod(id: "p", network: "blue", namespace: "/p", addresses: [.v4(0x0a02_000a)], securityGroups: ["web"])),
            ] + (0..<20).map { .securityGroup(SecurityGroup(id: ID("far-\($0)"))) })
        return Desired(intents: intents, layout: Layout(), attachable: ["p"], epochs: [:])
    }

    /// The rules of the group's chain, in the order in which the kernel gets them.
    private func rules(of plan: Plan) -> [String] {
        plan.steps.compactMap { step in
            guard case .rule(let rule) = step.object, rule.chain.name == "sg-in/web" else { return nil }
            return rule.statements.map(\.text).joined(separator: " ")
        }
    }

    @Test("is those about addresses, which one lookup decides, before those about the members of groups, which may be many")
    func addressesFirst() throws {
        let rules = rules(of: Plan(making: desired().state)).filter { $0.hasPrefix("ip saddr") }
        #expect(rules.count == 22)
        #expect(rules.prefix(2).allSatisfy { !$0.contains("@members") })
        #expect(rules.dropFirst(2).allSatisfy { $0.contains("@members") })
    }

    @Test("is always the same")
    func same() {
        let first = rules(of: Plan(making: desired().state))
        #expect(!first.isEmpty)
        for _ in 0..<5 { #expect(rules(of: Plan(making: desired().state)) == first) }
    }

    @Test("is, inside a lookup, what rules differ in before what nearly all have in common: the protocol comes last")
    func protocolLast() throws {
        let sets = desired().state.entries.values.compactMap { entry -> NamedSet? in
            if case .set(let set) = entry.object, set.counts, set.isInterval, set.key.contains(.inetService) { set } else { nil }
        }
        #expect(sets.contains { $0.key == [.ipv4Address, .inetService, .inetProtocol] })
        #expect(sets.contains { $0.key == [.ipv4Address, .inetService, .inetService, .inetProtocol] })
        #expect(sets.contains { $0.key == [.inetService, .inetProtocol] })
        #expect(sets.allSatisfy { $0.key.last == .inetProtocol })
    }
}
