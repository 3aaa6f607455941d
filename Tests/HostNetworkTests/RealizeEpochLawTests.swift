import HostNetwork
import PolicyModel
import OwnThreads
import Testing

@Suite("Whatever is taken away from a binding", .ownThreads) struct RealizeEpochLawTests {
    @Test("begins its next epoch, whichever change takes it", arguments: 0..<30)
    func revocation(seed: Int) {
        var random = Seeded(seed)
        var scene = random.scene()
        var desired = scene.desired
        var believed = desired.state
        for step in 0..<8 {
            let (before, oracle, flows) = (desired, Oracle(scene), random.flows(of: scene))
            for _ in 0..<random.number(1...2) { random.change(&scene.intents) }
            let touched = desired.realize(scene.intents, changed: changes(from: desired.intents, to: scene.intents))
            let plan = desired.plan(from: believed, touching: touched)
            for pod in before.intents.pods.values.sorted(by: { $0.id < $1.id }) {
                guard let now = scene.intents.pods[pod.id], desired.isStamping(pod.id), before.isStamping(pod.id) else { continue }
                let lost = flows.first { flow in
                    Rule.Direction.allCases.contains { oracle.allows(pod, $0, flow) && !Oracle(scene).allows(now, $0, flow) }
                }
                guard let lost else { continue }
                let why = "seed \(seed), step \(step): \(pod.id) may not have \(lost) any more"
                #expect(before.epoch(pod.id) != desired.epoch(pod.id), "\(why)")
                // Who shares addresses has no stamps to give.
                if pod.allowedAddressPairs.isEmpty, now.allowedAddressPairs.isEmpty { #expect(plan.renews(pod.id), "\(why)") }
            }
            believed = believed.applying(plan)
            for pod in desired.intents.pods.values where desired.isStamping(pod.id) {
                let stamps = believed.stamps(at: pod, in: scene.layout.marks)
                #expect(stamps == 2 * pod.addresses.count, "seed \(seed), step \(step): \(pod.id)")
            }
            #expect(believed == desired.state, "seed \(seed), step \(step): \(difference(believed, desired.state))")
            scene.epochs = desired.epochs
        }
    }

    @Test("judges flows of what is left again and keeps out the rest, from the first packet on", arguments: 0..<20)
    func flows(seed: Int) {
        var random = Seeded(seed)
        var scene = random.scene()
        var desired = scene.desired
        var tracked: [(FlowCase, Pod, Pod, UInt32)] = []
        let first = Evaluator(desired.state)
        for sender in scene.pods {
            for receiver in scene.pods where receiver.id != sender.id {
                let flow = random.flow(from: sender, to: receiver)
                let packet = PacketCase(flow: flow, packet: flow, tracking: .flow(.original, mark: 0), mac: sender.mac)
                let judgement = first.judge(packet.forwarded(from: sender, to: receiver))
                if judgement.isAccepted, let mark = judgement.mark { tracked.append((flow, sender, receiver, mark)) }
            }
        }
        for _ in 0..<4 { random.change(&scene.intents) }
        let believed = desired.state
        let touched = desired.realize(scene.intents, changed: changes(from: desired.intents, to: scene.intents))
        let plan = desired.plan(from: believed, touching: touched)
        scene.epochs = desired.epochs
        let oracle = Oracle(scene)
        // Before the new stamps are there, and after.
        for plan in [plan.withoutStamps, plan] {
            let evaluator = Evaluator(believed.applying(plan))
            for (flow, sender, receiver, mark) in tracked {
                guard let from = scene.intents.pods[sender.id], let to = scene.intents.pods[receiver.id] else { continue }
                let packet = PacketCase(flow: flow, packet: flow, tracking: .flow(.original, mark: mark), mac: sender.mac)
                let isAllowed = oracle.leaves(packet.unmarked, from) && oracle.reaches(packet.unmarked, to)
                let judgement = evaluator.judge(packet.forwarded(from: from, to: to))
                #expect(judgement.isAccepted == isAllowed, "seed \(seed): \(flow) of \(sender.id) to \(receiver.id)")
                guard let answer = flow.reply, !oracle.isStateless(from), !oracle.isStateless(to) else { continue }
                let reply = PacketCase(flow: flow, packet: answer, tracking: .flow(.reply, mark: mark), mac: to.mac)
                let mayReply = oracle.leaves(reply.unmarked, to) && oracle.reaches(reply.unmarked, from)
                #expect(evaluator.judge(reply.forwarded(from: to, to: from)).isAccepted == mayReply, "seed \(seed): reply of \(flow)")
            }
        }
    }
}

extension Seeded {
    fileprivate mutating func change(_ intents: inout Intents) {
        if once(in: 5), let id = intents.all.randomElement(using: &self)?.id {
            _ = try? intents.remove(id)
        } else {
            _ = try? intents.upsert(nearIntent())
        }
    }

    fileprivate mutating func flows(of scene: Scene) -> [FlowCase] {
        let pods = scene.pods
        return (0..<60).compactMap { _ in
            guard let sender = pods.randomElement(using: &self), let receiver = pods.randomElement(using: &self) else { return nil }
            return flow(from: sender, to: once(in: 3) ? nil : receiver)
        }
    }
}

extension PacketCase {
    /// As if its flow had never been judged.
    fileprivate var unmarked: PacketCase {
        var copy = self
        if case .flow(let way, _) = tracking { copy.tracking = .flow(way, mark: 0) }
        return copy
    }
}

extension Desired {
    func epoch(_ pod: ID<Pod>) -> Epoch { epochs[pod] ?? .first }

    /// Whether flows of the pod are stamped.
    fileprivate func isStamping(_ pod: ID<Pod>) -> Bool {
        let link = LinkName(of: pod)
        return state.entries.values.contains { entry in
            guard let element = entry.object.element, element.set == BaseSet.stamp(.out).id else { return false }
            return element.link == link
        }
    }
}

extension HostState {
    /// At how many of a pod's addresses its link goes by stamps, of both directions; all of one epoch, that of the link
    /// itself. Nil: they differ.
    fileprivate func stamps(at pod: Pod, in marks: MarkLayout) -> Int? {
        let link = LinkName(of: pod.id)
        guard let epoch = epochs(of: [pod.id], in: marks)[pod.id] else { return nil }
        let elements = entries.values.compactMap(\.object.element).filter { element in
            guard case .freshAt = BaseSet(element.set) else { return false }
            return element.link == link
        }
        let areOfOne = elements.allSatisfy { element in
            guard case .freshAt(let flow, let family) = BaseSet(element.set) else { return false }
            let stamp = KeyBytes.of { $0.mark(marks.stamp(epoch, flow.field)) }
            return pod.addresses.contains { $0.family == family && element.key == KeyBytes.of { $0.name(link) } + $0.bytes + stamp }
        }
        return areOfOne ? elements.count : nil
    }
}

extension Plan {
    fileprivate var withoutStamps: Plan {
        var copy = self
        copy.stamps = []
        return copy
    }

    /// Whether a pod's epoch is another in both directions: the old one goes with the rules, the new stamps come later.
    func renews(_ pod: ID<Pod>) -> Bool {
        let link = LinkName(of: pod)
        func has(_ operations: [HostNetwork.Operation], _ set: BaseSet, _ action: HostNetwork.Operation.Action) -> Bool {
            operations.contains { $0.action == action && $0.object.element?.set == set.id && $0.object.element?.link == link }
        }
        return Flow.allCases.allSatisfy { flow in
            has(steps, .fresh(flow), .remove) && has(steps, .fresh(flow), .add) && has(steps, .stamp(flow), .remove)
                && !has(steps, .stamp(flow), .add) && has(stamps, .stamp(flow), .add)
        }
    }
}
