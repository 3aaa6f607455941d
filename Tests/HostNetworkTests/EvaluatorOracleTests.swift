import HostNetwork
import PolicyModel
import OwnThreads
import Testing

@Suite("The rules that a policy becomes", .ownThreads) struct EvaluatorOracleTests {
    static let seeds = 0..<40

    @Test("judge every forwarded packet as the intents say, on its way out and in", arguments: seeds)
    func forwarded(seed: Int) throws {
        var random = Seeded(seed)
        let scene = random.scene()
        let oracle = Oracle(scene)
        let evaluator = Evaluator(scene.desired.state)
        let pods = scene.pods
        for _ in 0..<120 {
            let sender = random.once(in: 8) ? nil : pods.randomElement(using: &random)
            let receiver = random.once(in: 8) ? nil : pods.randomElement(using: &random)
            guard let opener = sender ?? receiver, sender != receiver else { continue }
            let flow = sender == nil ? random.outside(to: opener) : random.flow(from: opener, to: receiver)
            let packet = random.packet(scene, flow, from: sender, to: receiver)
            let (from, to) = packet.isReply ? (receiver, sender) : (sender, receiver)
            let judgement = evaluator.judge(packet.forwarded(from: from, to: to))
            let leaves = from.map { oracle.leaves(packet, $0) } ?? true
            let reaches = leaves && to.map { oracle.reaches(packet, $0) } ?? true
            let why = "seed \(seed): \(packet) of \(flow), from \(from?.id.value ?? "outside") to \(to?.id.value ?? "outside")"
            #expect(judgement.halves.first?.isAccepted == leaves, "\(why)")
            #expect(judgement.isAccepted == reaches, "\(why)")
            oracle.check(judgement, packet, sender: sender, receiver: receiver, why)
        }
    }

    @Test("judge what pods and the host say to each other by the host's policy too", arguments: seeds)
    func host(seed: Int) throws {
        var random = Seeded(seed)
        let scene = random.scene()
        let oracle = Oracle(scene)
        let evaluator = Evaluator(scene.desired.state)
        for _ in 0..<120 {
            guard let pod = scene.pods.randomElement(using: &random) else { return }
            let isOpenedByPod = random.once(in: 2)
            let flow = isOpenedByPod ? random.toHost(from: pod) : random.outside(to: pod)
            let packet = random.packet(scene, flow, from: isOpenedByPod ? pod : nil, to: isOpenedByPod ? nil : pod)
            let side = Packet.Interface(of: pod.id)
            let why = "seed \(seed): \(packet) of \(flow), pod \(pod.id), \(scene.layout.host)"
            if isOpenedByPod != packet.isReply {
                let judgement = evaluator.judge(Packet(.input, from: side, etherSource: packet.mac, packet.packet.content, packet.tracking))
                #expect(judgement.isAccepted == oracle.entersHost(packet, from: pod), "\(why)")
            } else {
                let judgement = evaluator.judge(Packet(.output, to: side, packet.packet.content, packet.tracking))
                #expect(judgement.isAccepted == oracle.leavesHost(packet, to: pod), "\(why)")
            }
        }
    }

    @Test("let ARP pass from who owns the address, and probes", arguments: 0..<20)
    func arp(seed: Int) {
        var random = Seeded(seed)
        let scene = random.scene()
        let oracle = Oracle(scene)
        let evaluator = Evaluator(scene.desired.state)
        for pod in scene.pods {
            for _ in 0..<20 {
                let mac = random.once(in: 4) ? MAC(2) : pod.mac
                let address: IPAddress = random.once(in: 6) ? .v4(0) : Seeded.place(.v4, 1, random.number(2...20))
                let judgement = evaluator.judge(Packet(.input, from: Packet.Interface(of: pod.id), .arp(sender: mac, address)))
                let mayProbe = mac == pod.mac && address == .v4(0)
                #expect(
                    judgement.isAccepted == (!pod.portSecurity || mayProbe || oracle.owns(pod, mac, address)),
                    "seed \(seed): \(pod.id) \(address)")
            }
        }
    }

    @Test("are put to the test by these packets from every side")
    func coverage() {
        var counts: [String: Int] = [:]
        for seed in Self.seeds {
            var random = Seeded(seed)
            let scene = random.scene()
            let oracle = Oracle(scene)
            for _ in 0..<80 {
                guard let sender = scene.pods.randomElement(using: &random), let receiver = scene.pods.randomElement(using: &random),
                    sender != receiver
                else { continue }
                let packet = random.packet(scene, random.flow(from: sender, to: receiver), from: sender, to: receiver)
                let (from, to) = packet.isReply ? (receiver, sender) : (sender, receiver)
                let kind = oracle.isStateless(from) ? "stateless" : from.portSecurity ? "stateful" : "unfiltered"
                let verdict = !oracle.leaves(packet, from) ? "stays" : oracle.reaches(packet, to) ? "arrives" : "is denied"
                counts["\(packet.isReply ? "reply" : "packet"), \(kind), \(verdict), \(packet.packet.family)", default: 0] += 1
            }
        }
        for way in ["reply", "packet"] {
            for (kind, verdicts) in [
                ("stateful", ["stays", "arrives", "is denied"]), ("stateless", ["stays", "arrives"]), ("unfiltered", ["arrives"]),
            ] {
                for verdict in verdicts {
                    for family in Family.allCases { #expect(counts["\(way), \(kind), \(verdict), \(family)", default: 0] > 3, "\(counts)") }
                }
            }
        }
    }
}

extension Seeded {
    /// A flow that comes from elsewhere: now and then from a gateway, or about what the host answers whatever the rules say.
    fileprivate mutating func outside(to pod: Pod) -> FlowCase {
        var flow = flow(from: pod, to: nil)
        if once(in: 4) { flow.destination = Self.place(flow.family, number(1...2), 1) }
        if once(in: 8) { flow.transport = .ports(.udp, source: pick(67, 547), destination: pick(68, 546)) }
        flow = FlowCase(source: flow.destination, destination: flow.source, transport: flow.transport)
        return flow
    }

    fileprivate mutating func toHost(from pod: Pod) -> FlowCase {
        var flow = flow(from: pod, to: nil)
        if once(in: 2) { flow.destination = Self.place(flow.family, number(1...2), 1) }
        if once(in: 8) { flow.transport = .ports(.udp, source: pick(68, 546), destination: pick(67, 547)) }
        return flow
    }
}

extension PacketCase {
    func forwarded(from: Pod?, to: Pod?) -> Packet {
        let uplink = Packet.Interface(name: LinkName(reported: "eth0"), group: 0)
        return Packet(
            .forward, from: from.map { Packet.Interface(of: $0.id) } ?? uplink, to: to.map { Packet.Interface(of: $0.id) } ?? uplink,
            etherSource: mac, packet.content, tracking)
    }
}

extension Oracle {
    /// Stamps are earned by what was allowed, and by nothing else.
    fileprivate func check(_ judgement: Judgement, _ packet: PacketCase, sender: Pod?, receiver: Pod?, _ why: String) {
        guard let before = packet.mark, let after = judgement.mark else {
            #expect(judgement.mark == packet.mark, "\(why)")
            return
        }
        let marks = scene.layout.marks
        #expect(before & ~marks.mask == after & ~marks.mask, "foreign bits, \(why)")
        for (field, pod, flow) in [(MarkLayout.Field.sender, sender, Flow.out), (.receiver, receiver, .in)] {
            guard let pod else { continue }
            let isGood = after & marks.mask(of: field) == marks.stamp(scene.epoch(of: pod.id), field)
            let wasGood = before & marks.mask(of: field) == marks.stamp(scene.epoch(of: pod.id), field)
            guard isStamped(pod) else {
                #expect(isGood == wasGood, "a stamp that the pod doesn't give, \(why)")
                continue
            }
            // On its way out it may have been allowed before it was denied on its way in.
            let isOut = (field == .sender) != packet.isReply
            guard isOut || pod.addresses.contains(packet.packet.destination) else {
                #expect(isGood == wasGood, "a stamp of a pod that is no end of the flow, \(why)")
                continue
            }
            if wasGood || isOut && !judgement.isAccepted && judgement.halves.count == 2 { continue }
            let allowed = judgement.isAccepted && packet.packet.mayStamp
            #expect(isGood == allowed, "the stamp of \(flow), \(why)")
        }
    }
}

extension FlowCase {
    /// Whether it speaks for its flow: an error speaks of another, and ports of these protocols may not be tracked.
    fileprivate var mayStamp: Bool {
        switch transport {
        case .icmp(let type, _): family == .v4 ? type != 3 : type >= 128
        case .ports(let number, _, _): number == .tcp || number == .udp
        case .other: true
        }
    }
}
