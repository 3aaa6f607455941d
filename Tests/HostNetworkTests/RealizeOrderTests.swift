import HostNetwork
import OwnThreads
import Testing

/// What a packet that no stamp lets through meets first.
@Suite("The order of a group's rules", .ownThreads) struct RealizeOrderTests {
    /// With a rule for each of 20 remote groups, and so many more of each other kind.
    private func desired(_ count: UInt16 = 5) -> Desired {
        var intents = Intents()
        func rule(_ id: String, _ number: IPProtocol, _ port: UInt16, from: PortRange? = nil, _ remote: Remote = .anyone) -> Rule {
            Rule(id: id, direction: .ingress, protocol: number, ports: PortRange(port), sourcePorts: from, remote: remote)
        }
        var rules = (0..<20).map { rule("far-\($0)", .tcp, 53, .group(ID("far-\($0)"))) }
        for port in 1...count {
            rules.append(rule("near-\(port)", .udp, 2 * port, .group("far-0")))
            rules.append(rule("ports-\(port)", .tcp, 2 * port))
            rules.append(rule("sports-\(port)", .udp, 2 * port, from: PortRange(1024, 2000)))
        }
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

    @Test(
        "is those about addresses, which are quickly told, before those about the members of groups, which may be many", arguments: [3, 5])
    func addressesFirst(count: UInt16) throws {
        let rules = rules(of: Plan(making: desired(count).state)).filter { $0.contains("ip saddr") || $0.contains("ipv4") }
        let addresses = rules.prefix { !$0.contains("@members") }
        #expect(addresses.count == (count > 4 ? 2 : 2 * Int(count)), "\(rules)")
        #expect(rules.dropFirst(addresses.count).allSatisfy { $0.contains("@members") })
        #expect(rules.count - addresses.count >= 20)
    }

    @Test("is few of a kind one after the other, without a set, and more of them in one lookup")
    func few() {
        for (count, isSet) in [(3, false), (4, false), (5, true)] {
            let rules = rules(of: Plan(making: desired(UInt16(count)).state)).filter { !$0.contains("@members") }
            #expect(rules.allSatisfy { $0.contains("@in-") == isSet }, "\(rules)")
            #expect(rules.allSatisfy { $0.contains("counter") != isSet }, "\(rules)")
        }
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
