import HostNetwork
import PolicyModel
import OwnThreads
import Testing

@Suite("A plan", .ownThreads) struct PlanLawTests {
    static let seeds = 0..<30

    /// Where a host may be, and where it is to be: near each other, or not at all.
    private func pair(_ random: inout Seeded) -> (actual: HostState, desired: HostState) {
        let desired = random.hostState()
        let actual = random.once(in: 2) ? random.damaged(desired) : random.damaged(random.hostState())
        return (actual, desired)
    }

    @Test("reaches its goal, whatever it finds there", arguments: seeds)
    func goal(seed: Int) {
        var random = Seeded(seed)
        let (actual, desired) = pair(&random)
        let plan = Plan(from: actual, to: desired)
        let reached = actual.applying(plan)
        #expect(reached == desired, "seed \(seed): \(difference(reached, desired))")
        #expect(Plan(from: desired, to: desired).isEmpty)
        #expect(plan.isEmpty == (actual == desired))
    }

    @Test("reaches its goal also when the one before it was cut short", arguments: seeds)
    func cutShort(seed: Int) {
        var random = Seeded(seed)
        let (actual, desired) = pair(&random)
        let plan = Plan(from: actual, to: desired)
        var kernel = StrictKernel(actual)
        kernel.run(Array(plan.steps.prefix(random.number(0...plan.steps.count))))
        kernel = StrictKernel(kernel.state)
        let second = Plan(from: kernel.state, to: desired)
        let reached = kernel.state.applying(second)
        #expect(reached == desired, "seed \(seed): \(difference(reached, desired))")
        kernel.run(second.steps + second.stamps)
        #expect(kernel.complaints.isEmpty, "seed \(seed): \(kernel.complaints.prefix(5))")
    }

    @Test("asks for nothing that the kernel would refuse at that point", arguments: seeds)
    func order(seed: Int) {
        var random = Seeded(seed)
        let (actual, desired) = pair(&random)
        let plan = Plan(from: actual, to: desired)
        var kernel = StrictKernel(actual)
        kernel.run(plan.steps + plan.stamps)
        #expect(kernel.complaints.isEmpty, "seed \(seed): \(kernel.complaints.prefix(5))")
        #expect(kernel.state == desired, "seed \(seed)")
    }

    @Test("goes phase by phase, but for tables that are made anew", arguments: seeds)
    func phases(seed: Int) {
        var random = Seeded(seed)
        let (actual, desired) = pair(&random)
        let plan = Plan(from: actual, to: desired)
        let made = Set(plan.steps.filter { $0.action == .add }.map(\.object.key))
        let phases = plan.steps.filter { !($0.action == .remove && $0.object.isTable && made.contains($0.object.key)) }.map { Phase.of($0) }
        #expect(phases == phases.sorted(), "seed \(seed)")
        #expect(plan.stamps.allSatisfy { Phase.of($0) == .stamp }, "seed \(seed)")
        let touched = plan.steps + plan.stamps
        #expect(touched.allSatisfy { $0.action != .change(from: $0.object) }, "seed \(seed)")
    }

    @Test("unbinds, then binds, then attaches, and takes a link down before and up after all of it", arguments: 0..<20)
    func rebinding(seed: Int) throws {
        var random = Seeded(seed)
        var scene = random.scene(pods: 4)
        let before = scene.desired.state
        for number in 0..<4 { _ = try? scene.intents.upsert(.pod(random.nearPod(number))) }
        let steps = Plan(from: before, to: scene.desired.state).steps
        func places(_ isMeant: (HostNetwork.Operation) -> Bool) -> [Int] { steps.indices.filter { isMeant(steps[$0]) } }
        let unbind = places { $0.isBinding && $0.action == .remove }
        let bind = places { $0.isBinding && $0.action == .add }
        let attach = places { $0.isAdmission && $0.action == .add }
        #expect((unbind.max() ?? -1) < (bind.min() ?? steps.count), "seed \(seed)")
        #expect((bind.max() ?? -1) < (attach.min() ?? steps.count), "seed \(seed)")
        let firewall = places { $0.object.isRuleset && Phase.of($0) != .stamp }
        let down = places { [.linkDown, .linkGone, .linkMade].contains(Phase.of($0)) }
        let up = places { Phase.of($0) == .linkUp }
        #expect((down.max() ?? -1) < (firewall.min() ?? steps.count), "seed \(seed)")
        #expect((firewall.max() ?? -1) < (up.min() ?? steps.count), "seed \(seed)")
        #expect(firewall.count == (firewall.max() ?? -1) - (firewall.min() ?? 0) + 1, "one transaction, seed \(seed)")
    }
}

/// What two states don't have in common, for a message.
func difference(_ one: HostState, _ other: HostState) -> String {
    let keys = Set(one.entries.keys).union(other.entries.keys).filter { one[$0] != other[$0] }
    return keys.prefix(4).map { "\($0): \(one[$0].map { "\($0)" } ?? "nothing") instead of \(other[$0].map { "\($0)" } ?? "nothing")" }
        .joined(separator: "; ")
}

extension Object {
    fileprivate var isTable: Bool { if case .table = self { true } else { false } }
}

extension HostNetwork.Operation {
    fileprivate var isBinding: Bool { if let element = object.element, case .slot? = BaseSet(element.set) { true } else { false } }

    fileprivate var isAdmission: Bool {
        guard let element = object.element else { return false }
        return switch BaseSet(element.set) {
        case .own, .unfiltered, .fresh: true
        default: false
        }
    }
}
