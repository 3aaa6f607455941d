import HostNetwork
import Kernel
import Lab
import OwnThreads
import Testing

@Suite("A big program of the firewall", .ownThreads) struct TransactionsTests {
    private static let pods = 120

    /// As many groups as wanted, of fifty rules each, some about the next group's members; each pod has two.
    private static func intents(groups: Int, port: UInt16 = 1000) throws -> [Intent] {
        let network = Network(
            id: "blue", subnets: [Subnet(id: "blue-4", cidr: try Prefix(parsing: "10.0.0.0/8"), gateway: .v4(0x0a00_0001))])
        let all = (0..<groups).map { number in
            var rules = (0..<48).map { index in
                Rule(
                    id: "r-\(index)", direction: .ingress, protocol: .tcp, ports: PortRange(port + UInt16(index)),
                    remote: .cidr(Prefix(.v4(0xc612_0000 + UInt32(number) << 8 + UInt32(index)))))
            }
            rules.append(Rule(id: "next", direction: .ingress, protocol: .udp, remote: .group(ID("g-\((number + 1) % groups)"))))
            rules.append(Rule(id: "out"))
            return SecurityGroup(id: ID("g-\(number)"), network: "blue", rules: rules)
        }
        let bound = (0..<pods).map { number in
            Pod(
                id: ID("pod-\(number)"), network: "blue", namespace: "/run/netns/pod-\(number)",
                addresses: [.v4(0x0a00_0010 + UInt32(number))],
                securityGroups: [ID("g-\(number % groups)"), ID("g-\((number + 1) % groups)")])
        }
        return [.network(network)] + all.map(Intent.securityGroup) + bound.map(Intent.pod)
    }

    private static func desired(groups: Int) throws -> Desired {
        let intents = Intents(restoring: try intents(groups: groups))
        return Desired(intents: intents, layout: Layout(), attachable: Set(intents.pods.keys), epochs: [:])
    }

    private static func pieces(of operations: [HostNetwork.Operation], eachTaking time: (Int) -> Duration) -> [[HostNetwork.Operation]] {
        var transactions = Transactions(operations)
        var pieces: [[HostNetwork.Operation]] = []
        while let piece = transactions.next() {
            pieces.append(piece)
            transactions.took(time(piece.count), for: piece.count)
        }
        return pieces
    }

    @Test("comes in pieces, each operation once, no pod in two of them, nothing before what it names", arguments: [1, 20, 500])
    func divides(microseconds: Int) throws {
        let plan = Plan(making: try Self.desired(groups: 40).state)
        let firewall = plan.parts.firewall
        let pieces = Self.pieces(of: firewall) { .microseconds(microseconds * $0) }
        #expect(pieces.count > 2)
        #expect(Set(pieces.joined()) == Set(firewall) && pieces.joined().count == firewall.count)
        var homes: [LinkName: Int] = [:]
        var there: Set<Named> = []
        for (number, piece) in pieces.enumerated() {
            for operation in piece {
                if let link = operation.object.element?.link { #expect(homes.updateValue(number, forKey: link) ?? number == number) }
                if let holder = operation.object.holder { there.insert(holder) }
            }
            #expect(piece.allSatisfy { $0.names.isSubset(of: there) })
        }
    }

    @Test("comes in smaller pieces when they take long, and in larger ones when they don't")
    func adapts() throws {
        let firewall = Plan(making: try Self.desired(groups: 120).state).parts.firewall
        let slow = Self.pieces(of: firewall) { .milliseconds($0) }
        let quick = Self.pieces(of: firewall) { .microseconds($0) }
        // The fixed part and a pod aren't divided, whatever they take; of each kind the first piece is a guess.
        #expect(slow.dropFirst().allSatisfy { $0.count <= 50 })
        #expect(quick.contains { $0.count > 1000 })
    }

    @Test("changes the rules of a group at once, however large the change is")
    func changesTogether() throws {
        var desired = try Self.desired(groups: 40)
        let before = desired.state
        let changed = try Self.intents(groups: 40, port: 5000)
        var old: [Intent?] = []
        for intent in changed { old.append(desired.intents[intent.id]) }
        _ = desired.realize(Intents(restoring: changed), changed: zip(old, changed).map { (before: $0, after: $1) })
        let firewall = desired.plan(from: before).parts.firewall
        let pieces = Self.pieces(of: firewall) { .milliseconds($0) }
        #expect(pieces.count > 20)
        for number in 0..<40 {
            let group = IntentID(.securityGroup, "g-\(number)")
            #expect(pieces.count { $0.contains { $0.because == group && $0.object.holder == nil } } == 1)
        }
    }

    @Test("is in force, whole, when the last of its pieces is")
    func isInForce() throws {
        let lab = try Lab()
        let plane = try lab.namespace("host").inside { try LinuxDataplane(marks: .standard) }
        let desired = try Self.desired(groups: 60)
        let plan = Plan(making: HostState(desired.state.entries.values.filter(\.object.isRuleset)))
        let applied = plane.apply(plan)
        #expect(applied.refusals.isEmpty, "\(applied.refusals.first?.description ?? "")")
        let there = try plane.observe(expecting: desired.state)
        let missing = desired.state.entries.values.filter { $0.object.isRuleset && !there.contains($0.object) }
        #expect(missing.isEmpty)
    }
}

extension HostNetwork.Operation {
    /// The sets and chains that must be there for it.
    fileprivate var names: Set<Named> {
        switch object {
        case .element(let element):
            Set([element.set] + [element.verdict?.chain].compactMap(\.self).map { Named(element.set.family, $0) })
        case .rule(let rule):
            Set([rule.chain] + rule.statements.compactMap(\.set).map { Named(rule.chain.family, $0) })
        default: []
        }
    }
}
