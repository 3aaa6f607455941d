import HostNetwork
import Lab
import PolicyModel
import Testing

/// One run of random changes while flows are alive, against what the intents say of each flow.
final class SequenceRun {
    /// What a run came to.
    struct Tally {
        var changes = 0
        var opened: [String: Int] = [:]
        /// Flows that were cut by a change, and that came back with one.
        var (cut, recovered): ([String: Int], [String: Int]) = ([:], [:])
        var (arrived, blocked) = (0, 0)
        /// Connections that were never cut and never had to say anything twice.
        var unbroken = 0

        mutating func add(_ other: Tally) {
            changes += other.changes
            opened.merge(other.opened, uniquingKeysWith: +)
            cut.merge(other.cut, uniquingKeysWith: +)
            recovered.merge(other.recovered, uniquingKeysWith: +)
            arrived += other.arrived
            blocked += other.blocked
            unbroken += other.unbroken
        }

        var text: String {
            func list(_ counts: [String: Int]) -> String {
                counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            }
            return """
                \(changes) changes, \(arrived + blocked) verdicts: \(arrived) packets arrived, \(blocked) were blocked
                    opened: \(list(opened))
                    cut: \(list(cut))
                    came back: \(list(recovered))
                    connections that were never cut and repeated nothing: \(unbroken)
                """
        }
    }

    private let seed: Int
    private var random: Seeded
    private let world: SequenceWorld
    private var flows: [SequenceFlow] = []
    private(set) var tally = Tally()
    private(set) var disagreements = 0
    /// What was asked for before the last change.
    private var previous: Intents?
    /// What was asked for, in words.
    private var history: [String] = []
    private var lastIdentifier: UInt16 = 100

    private static let flowsAtOnce = 14
    /// After so many changes a connection that lies dead is given up: its kernel repeats itself ever more rarely.
    private static let patience = 6

    init(seed: Int) async throws {
        self.seed = seed
        random = Seeded(seed)
        world = try SequenceWorld()
        var random = random
        try await world.lab.apply { try random.beginning(of: self.world, &$0) }
        self.random = random
        try world.connect()
    }

    func change(_ count: Int) async throws {
        for _ in 0..<count where disagreements == 0 {
            try openFlows()
            var words: [String] = []
            let before = world.intents
            let outcome = try world.lab.change(checked: false) { intents in
                // What is taken back brings permissions back, within the time in which connections try again.
                if self.random.once(in: 3), let previous = self.previous {
                    intents = previous
                    return words.append("what was before the last change")
                }
                for _ in 0..<self.random.number(1...2) { words.append(try self.random.change(&intents, in: self.world)) }
            }
            previous = before
            tally.changes += 1
            history.append(words.joined(separator: "; "))
            retire(outcome.plan)
            try judge("after the answer")
            // Several changes may come before the stamps of the first.
            guard !random.once(in: 3) else { continue }
            try await world.lab.settle()
            try judge("after the stamps")
        }
        for flow in flows { close(flow) }
        flows = []
    }

    // MARK: Flows

    private func openFlows() throws {
        let oracle = world.lab.oracle
        var tries = 0
        while flows.count < Self.flowsAtOnce, tries < 60 {
            tries += 1
            let ends = world.ends(random.pick(.v4, .v6))
            guard let client = ends.randomElement(using: &random), let server = ends.randomElement(using: &random),
                client.pod != server.pod
            else { continue }
            let kind: SequenceFlow.Kind = random.pick(.tcp, .tcp, .udp, .echo)
            let port = kind == .echo ? 0 : UInt16(random.number(7000...7003))
            let candidate = SequenceFlow(kind, from: client, 40000, to: server, port)
            guard candidate.isAllowed(isReply: false, by: oracle), candidate.isAllowed(isReply: true, by: oracle) else { continue }
            guard let flow = try open(candidate) else {
                return report("a flow that is allowed can't be opened", candidate, isAllowed: true)
            }
            flows.append(flow)
            tally.opened["\(kind)", default: 0] += 1
        }
    }

    private func open(_ candidate: SequenceFlow) throws -> SequenceFlow? {
        let (client, server, port) = (candidate.client, candidate.server, candidate.port)
        let flow: SequenceFlow
        switch candidate.kind {
        case .tcp:
            let listener = try world.listener(server, port)
            guard
                let near = try TCP.connect(
                    from: client.peer.namespace, at: client.address, to: server.address, port: port, within: .seconds(5)),
                let far = listener.accept(within: .seconds(5))
            else { return nil }
            flow = SequenceFlow(.tcp, from: client, near.port, to: server, port, connection: (near, far))
        case .udp:
            _ = try world.server(server, port)
            let socket = try UDP(in: client.peer.namespace, at: client.address)
            flow = SequenceFlow(.udp, from: client, socket.port, to: server, port, socket: socket)
        case .echo:
            lastIdentifier += 1
            flow = SequenceFlow(.echo, from: client, lastIdentifier, to: server, 0)
        }
        return try world.send([flow.packet(isReply: false), flow.packet(isReply: true)]) == [true, true] ? flow : nil
    }

    /// Flows that the host forgets go on only when their client speaks first; they are given up.
    private func retire(_ plan: Plan) {
        flows.removeAll { flow in
            let ends = [flow.client.address, flow.server.address].map { IPAddress($0) }
            return plan.forgotten.contains { range in ends.contains { range.contains($0) } }
        }
    }

    private func close(_ flow: SequenceFlow) {
        guard flow.kind == .tcp, flow.isUnbroken else { return }
        tally.unbroken += 1
        if flow.retransmissions > 0 { report("a connection that is always allowed had to repeat itself", flow, isAllowed: true) }
    }

    // MARK: Verdicts

    private func judge(_ phase: String) throws {
        let oracle = world.lab.oracle
        for flow in flows { try flow.talk("change \(tally.changes) \(phase)\n") }
        let packets = flows.flatMap { [$0.packet(isReply: false), $0.packet(isReply: true)] }
        let arrivals = try world.send(packets)
        for (index, flow) in flows.enumerated() {
            let allowed = [false, true].map { flow.isAllowed(isReply: $0, by: oracle) }
            for (isReply, (isAllowed, arrives)) in zip([false, true], zip(allowed, arrivals[(2 * index)...])) {
                if arrives { tally.arrived += 1 } else { tally.blocked += 1 }
                if isAllowed != arrives { report("\(phase), \(isReply ? "to the client" : "to the server")", flow, isAllowed: isAllowed) }
            }
            note(flow, allowed, phase)
        }
        flows.removeAll { !$0.isAlive && $0.idle >= Self.patience }
    }

    /// - Parameter allowed: to the server, and to the client.
    private func note(_ flow: SequenceFlow, _ allowed: [Bool], _ phase: String) {
        let wasAlive = flow.isAlive
        flow.isAlive = allowed == [true, true]
        if flow.isAlive {
            flow.idle = 0
            if !wasAlive { tally.recovered["\(flow.kind)", default: 0] += 1 }
            if !flow.isHeard() { report("\(phase), what is said on the connection isn't heard", flow, isAllowed: true) }
        } else {
            // A pod that may not send from an address any more is still talked to there, while the way there leads to it.
            flow.idle += allowed == [false, false] ? 1 : Self.patience
            flow.isUnbroken = false
            if wasAlive { tally.cut["\(flow.kind)", default: 0] += 1 }
            for (toClient, isAllowed) in zip([false, true], allowed) where !isAllowed && !flow.isSilent(toClient: toClient) {
                report("\(phase), what is said on the connection is heard", flow, isAllowed: false)
            }
        }
    }

    private func report(_ what: String, _ flow: SequenceFlow, isAllowed: Bool) {
        disagreements += 1
        guard disagreements <= 5 else { return }
        let intents = world.intents
        let groups = intents.securityGroups.values.sorted { $0.id < $1.id }.map { group in
            "group \(group.id):" + group.rules.map { "\n    \($0.text)" }.joined()
        }
        let pods = intents.pods.values.sorted { $0.id < $1.id }.map { pod in
            "pod \(pod.id): \(pod.addresses), \(pod.securityGroups), pairs \(pod.allowedAddressPairs.map(\.address)), port security \(pod.portSecurity)"
        }
        let others =
            intents.neighbors.values.map { "neighbor \($0.id): \($0.addresses), \($0.securityGroups)" }
            + intents.addressGroups.values.map { "address group \($0.id): \($0.cidrs)" }
        Issue.record(
            """
            seed \(seed), change \(tally.changes), \(flow): \(what)
            the intents: \(isAllowed ? "allowed" : "denied"); what was asked for last:
            \(history.suffix(4).joined(separator: "\n"))
            now:
            \((groups + pods + others).joined(separator: "\n"))
            """)
    }
}
