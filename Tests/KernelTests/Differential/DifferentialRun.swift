import HostNetwork
import Lab
import PolicyModel
import Testing

/// One run of random packets against the kernel, the program's own evaluation, and the intents.
final class DifferentialRun {
    /// How packets are judged by those who say what should become of them.
    private struct Opinion {
        /// The evaluator's, of the state that is believed to be in the kernel.
        var judgement: Judgement
        /// The oracle's, of the intents alone: a tracked flow passes while it is allowed, and not longer.
        var isAllowed: Bool
        /// What `hawser explain` answers, where it can be asked that.
        var explanation: Explanation?
    }

    let seed: Int
    private var random: Seeded
    private let world: DifferentialWorld
    private var flows = DifferentialFlows()
    private(set) var tally = DifferentialTally()
    private(set) var disagreements = 0
    private var phase = ""

    init(seed: Int, _ layout: Layout) async throws {
        self.seed = seed
        random = Seeded(seed)
        world = try await DifferentialWorld(layout, &random)
    }

    /// Random packets until there are so many verdicts, with other intents every few hundred.
    func judge(_ count: Int) async throws {
        let goal = tally.count + count
        while tally.count < goal, disagreements == 0 {
            try world.forgetFlows()
            flows = DifferentialFlows()
            try open(240)
            try follow(120)
            try change()
            try follow(120)
            try open(40)
            try await world.lab.settle()
            phase = "after the stamps"
            try follow(120)
            try await world.lab.apply { try self.change(&$0, 6) }
        }
    }

    /// Something else is asked for while flows are alive. What follows is judged before the stamps are given.
    private func change() throws {
        let outcome = try world.lab.change(checked: false) { try self.change(&$0, self.random.number(1...3)) }
        flows.take(outcome.plan, world.lab.desired.layout.marks)
        phase = "after the answer"
    }

    private func change(_ intents: inout Intents, _ count: Int) throws {
        for _ in 0..<count { _ = try intents.upsert(random.version(in: world.paths)) }
    }

    // MARK: Packets

    private func open(_ count: Int) throws {
        if flows.order.isEmpty { phase = "at first" }
        var probes: [Probe] = []
        for _ in 0..<(4 * count) where probes.count < count {
            if let probe = random.probe(in: world), flows.claim(probe) { probes.append(probe) }
        }
        try judge(probes.map { ($0, nil) }, "opens")
    }

    /// Packets of flows that there are: answers, more of the same, and what others say in their name.
    private func follow(_ count: Int) throws {
        var probes: [(probe: Probe, opener: DifferentialFlows.Tuple?)] = []
        for tuple in flows.order.shuffled(using: &random).prefix(count) {
            guard let flow = flows.flows[tuple] else { continue }
            let isReply = !random.once(in: 3)
            guard let probe = isReply ? answer(to: flow) : more(of: flow), world.canBeSent(probe) else { continue }
            probes.append((probe, isReply ? tuple : nil))
        }
        try judge(probes, "goes on")
    }

    private func answer(to flow: DifferentialFlows.Tracked) -> Probe? {
        guard let packet = flow.opener.packet.reply else { return nil }
        var probe = flow.opener
        probe.packet = packet
        probe.sender = world.place(of: packet.source)
        // In the name of somebody whose flow it is not.
        if random.once(in: 12), let other = world.pods.randomElement(using: &random) { probe.sender = .pod(other.id) }
        probe.receiver = world.place(of: packet.destination)
        probe.mac = world.pod(at: probe.sender)?.mac ?? Marks.hostMAC
        probe.flags = flow.isAnswered ? 0x10 : 0x12
        // Nobody but pods is judged, and the host ends connections that it knows nothing of.
        let involvesHost = probe.sender == .host || probe.receiver == .host
        if involvesHost, case .ports(.tcp, _, _) = packet.transport { return nil }
        return probe
    }

    private func more(of flow: DifferentialFlows.Tracked) -> Probe? {
        var probe = flow.opener
        // Who has these addresses now.
        if case .pod = probe.sender {} else { probe.sender = probe.sender == .host ? .host : .world }
        probe.receiver = world.place(of: probe.packet.destination)
        if flow.isAnswered { probe.flags = 0x10 }
        if random.once(in: 12), let other = world.pods.randomElement(using: &random) {
            probe.sender = .pod(other.id)
            probe.mac = other.mac
        }
        let involvesHost = probe.sender == .host || probe.receiver == .host
        if involvesHost, case .ports(.tcp, _, _) = probe.packet.transport { return nil }
        return probe
    }

    // MARK: Verdicts

    private func judge(_ probes: [(probe: Probe, opener: DifferentialFlows.Tuple?)], _ part: String) throws {
        let evaluator = Evaluator(world.lab.believed)
        let oracle = world.lab.oracle
        // In the order of sending, for each packet leaves its flow to the next.
        let opinions = probes.map { probe, opener in
            let tracking = flows.tracking(of: probe, answering: opener)
            let opinion = opinion(of: probe, tracking, flow: opener.flatMap { flows.flows[$0]?.opener.packet }, evaluator, oracle)
            flows.note(probe, answering: opener, opinion.judgement)
            return opinion
        }
        for ((probe, opinion), outcome) in zip(zip(probes.map(\.probe), opinions), try world.send(probes.map(\.probe))) {
            tally.note(probe, part, phase, isAllowed: opinion.isAllowed)
            let verdicts = [opinion.judgement.isAccepted, opinion.isAllowed, opinion.explanation?.isAllowed ?? outcome.arrives]
            guard verdicts.contains(!outcome.arrives) || !outcome.strays.isEmpty else { continue }
            report(probe, opinion, outcome.arrives, outcome.strays)
        }
    }

    private func opinion(
        of probe: Probe, _ tracking: Packet.Tracking, flow: FlowCase?, _ evaluator: Evaluator, _ oracle: Oracle
    ) -> Opinion {
        let (sender, receiver) = (world.pod(at: probe.sender), world.pod(at: probe.receiver))
        let judgement = evaluator.judge(packet(probe, tracking))
        var untrusted = tracking
        if case .flow(let way, _) = tracking { untrusted = .flow(way, mark: 0) }
        let tried = PacketCase(flow: flow ?? probe.packet, packet: probe.packet, tracking: untrusted, mac: probe.mac)
        let isAllowed =
            switch (probe.sender, probe.receiver) {
            case (.host, _): receiver.map { oracle.leavesHost(tried, to: $0) } ?? true
            case (_, .host): sender.map { oracle.entersHost(tried, from: $0) } ?? true
            default: (sender.map { oracle.leaves(tried, $0) } ?? true) && (receiver.map { oracle.reaches(tried, $0) } ?? true)
            }
        let explanation = flow == nil && !probe.isFollowing(tracking) ? explain(probe, evaluator) : nil
        return Opinion(judgement: judgement, isAllowed: isAllowed, explanation: explanation)
    }

    private func packet(_ probe: Probe, _ tracking: Packet.Tracking) -> Packet {
        func interface(_ place: DifferentialWorld.Place) -> Packet.Interface? {
            switch place {
            case .pod(let id): Packet.Interface(of: id)
            case .world: Packet.Interface(name: LinkName(reported: "uplink"), group: 0)
            case .host: nil
            }
        }
        let hook: Chain.Hook = probe.sender == .host ? .output : probe.receiver == .host ? .input : .forward
        return Packet(
            hook, from: interface(probe.sender), to: interface(probe.receiver), etherSource: probe.sender == .host ? nil : probe.mac,
            probe.packet.content, tracking)
    }

    /// A question is about a pod's first address of a family, and from the pod's own MAC.
    private func explain(_ probe: Probe, _ evaluator: Evaluator) -> Explanation? {
        // Of a connection it speaks as of one that begins.
        if case .ports(.tcp, _, _) = probe.packet.transport, probe.flags != 2 { return nil }
        let (source, destination) = (probe.packet.source, probe.packet.destination)
        func isFirst(_ pod: Pod, _ address: IPAddress) -> Bool { pod.addresses.first { $0.family == address.family } == address }
        var question: Question
        if let sender = world.pod(at: probe.sender) {
            guard isFirst(sender, source), probe.mac == sender.mac else { return nil }
            question = Question(pod: sender.id, direction: .egress, remote: destination, content: probe.packet.question)
        } else if let receiver = world.pod(at: probe.receiver) {
            guard isFirst(receiver, destination) else { return nil }
            question = Question(pod: receiver.id, direction: .ingress, remote: source, content: probe.packet.question)
        } else {
            return nil
        }
        question.hostRoute = world.hostAddresses.contains(question.remote) ? .local : .unknown
        tally.noteExplained()
        return try? world.lab.desired.explain(question, by: evaluator)
    }

    private func report(_ probe: Probe, _ opinion: Opinion, _ arrives: Bool, _ strays: [DifferentialWorld.Place]) {
        disagreements += 1
        guard disagreements <= 5 else { return }
        let reason = opinion.judgement.decision.map { "\($0.chain): \($0.reason.comment)" } ?? "no rule decides"
        let pods = [probe.sender, probe.receiver].compactMap { world.pod(at: $0) }
        var groups: [ID<SecurityGroup>] = []
        for pod in pods { groups += pod.securityGroups }
        Issue.record(
            """
            seed \(seed), \(phase), \(world.lab.desired.layout.host), invalid packets: \(world.lab.desired.layout.invalid): \(probe)
            the kernel: \(arrives ? "arrives" : "doesn't arrive")\(strays.isEmpty ? "" : ", but at \(strays)")
            the evaluator: \(opinion.judgement.isAccepted ? "allowed" : "denied") (\(reason)), \(opinion.judgement.packet.tracking)
            the intents: \(opinion.isAllowed ? "allowed" : "denied")
            hawser explain: \(opinion.explanation.map { "\($0.isAllowed ? "allowed" : "denied"): \($0.halves.map(\.reason))" } ?? "can't be asked")
            \(world.describe(pods, groups.unique))
            """)
    }
}

extension Probe {
    /// Whether it belongs to a flow that is known already.
    fileprivate func isFollowing(_ tracking: Packet.Tracking) -> Bool {
        if case .flow(_, let mark) = tracking { mark != 0 } else { false }
    }
}

extension FlowCase {
    fileprivate var question: Question.Content {
        switch transport {
        case .ports(let number, let source, let destination): .ports(number, source: source, destination: destination)
        case .icmp(let type, let code): .icmp(type: type, code: code)
        case .other(let number): IPProtocol(number).map { .other($0) } ?? .anyProtocol
        }
    }
}

extension DifferentialWorld {
    /// What is asked for of these, as far as packets between them are concerned.
    fileprivate func describe(_ pods: [Pod], _ groups: [ID<SecurityGroup>]) -> String {
        let about = groups.map { id in
            guard let group = intents.group(id) else { return "group \(id) isn't known" }
            return "group \(id), \(group.stateful ? "stateful" : "stateless"), of network \(group.network?.value ?? "any"):"
                + group.rules.map { "\n    \($0.id): \($0.text)" }.joined()
        }
        let members = intents.pods.values.sorted { $0.id < $1.id }.map { pod in
            "pod \(pod.id): \(pod.addresses), groups \(pod.securityGroups), pairs \(pod.allowedAddressPairs), port security \(pod.portSecurity)"
        }
        let far = intents.neighbors.values.sorted { $0.id < $1.id }.map {
            "neighbor \($0.id): \($0.addresses), groups \($0.securityGroups)"
        }
        let lists = intents.addressGroups.values.sorted { $0.id < $1.id }.map { "address group \($0.id): \($0.cidrs)" }
        return (about + members + far + lists).joined(separator: "\n")
    }
}
