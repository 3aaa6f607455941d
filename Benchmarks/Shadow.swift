import HostNetwork

/// The pure half of what the reconciler does, beside it: what a change amounts to, and how long that takes to find out.
struct Shadow {
    private(set) var desired: Desired
    private var believed = HostState()

    init(_ region: Region, marks: MarkLayout) throws {
        let layout = Layout(marks: marks)
        var intents = Intents()
        for result in intents.upsert(contentsOf: region.intents) { _ = try result.get() }
        desired = Desired(intents: intents, layout: layout, attachable: Set(intents.pods.keys), epochs: [:])
        let plan = desired.plan(from: believed)
        believed = believed.applying(plan)
    }

    /// Takes in a resource, or takes it away; adds the time of judging, deriving and planning.
    mutating func change(_ intent: Intent, removes: Bool = false, _ series: inout Series) throws -> Plan {
        let start = ContinuousClock.now
        var failure: Rejected?
        var touched = desired.change { intents in
            let before = intents[intent.id]
            do throws(Rejected) {
                if removes { _ = try intents.remove(intent.id) } else { _ = try intents.upsert(intent) }
            } catch { failure = error }
            return [(before, intents[intent.id])]
        }
        if let failure { throw failure }
        if case .pod(let pod) = intent { touched.formUnion(desired.attach(removes ? [] : [pod.id], detach: removes ? [pod.id] : [])) }
        let plan = desired.plan(from: believed, touching: touched)
        series.add(start.duration(to: .now))
        var applied = Applied()
        applied.done = plan.steps + plan.stamps
        believed.take(applied)
        return plan
    }

    func set(_ name: Named) -> NamedSet? { if case .set(let set)? = desired.state[.set(name)] { set } else { nil } }
}
