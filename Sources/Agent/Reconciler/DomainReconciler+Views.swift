import HawserAPI
import HostNetwork

/// What a routing domain answers about itself.
extension DomainReconciler {
    /// The plan for work, on a copy of what is wanted.
    func rehearse(_ work: DomainWork) -> [String] {
        var desired = desired
        var touched: Set<Object.Key> = []
        if let intents = work.begin {
            desired = Desired(intents: intents, layout: desired.layout, attachable: Set(work.appeared), epochs: [:])
            touched = Set(desired.state.entries.keys)
        } else {
            touched = desired.change { intents in
                intents.mirror(work.changed)
                return work.changed
            }
            touched.formUnion(desired.attach(work.appeared, detach: work.gone))
        }
        let plan = desired.plan(from: believed, touching: touched)
        let steps = plan.steps.map(\.text) + plan.stamps.map { "\($0.text) (after a grace period)" }
        let place = domain == .host ? "" : " in the routing domain of \(domain)"
        return (work.begin == nil ? [] : ["make the routing domain of \(domain)"]) + steps.map { $0 + place }
            + (work.isLast ? ["remove the routing domain of \(domain)"] : [])
    }

    /// Returns what `indices` does, or nothing when the domain is stuck: a question about all pods needn't
    /// wait for one of them.
    nonisolated func knownIndices(of links: Set<LinkName>? = nil, within time: Duration) async -> [LinkName:
        Int]
    {
        await withCheckedContinuation { continuation in
            let first = FirstAnswer(continuation)
            let deadline = Deadline(time)
            questioner.yield { domain in
                deadline.cancel()
                first.give(domain.indices(of: links))
            }
            deadline.start { first.give([:]) }
        }
    }

    /// Returns the numbers of the pods' interfaces that are there; of these alone where some are named.
    func indices(of some: Set<LinkName>? = nil) -> [LinkName: Int] {
        let links = some?.filter { believed[.link($0)] != nil } ?? Set(believed.links.map(\.name))
        return (try? plane?.indices(of: links)) ?? [:]
    }

    func explain(_ question: Question) throws -> Explanation {
        var question = question
        guard let plane else { throw Unasked(question.remote, blindness ?? "\(domain) isn't open yet") }
        do { question.hostRoute = try plane.route(to: question.remote) } catch { throw Unasked(question.remote, "\(error)") }
        return try desired.explain(question)
    }

    func rules(of id: ID<Pod>) -> RulesView? {
        guard let pod = desired.intents.pods[id] else { return nil }
        var counted: [ID<SecurityGroup>: [String: Counter]] = [:]
        for instance in desired.groups(of: id) {
            let counting = desired.counting(instance)
            // Without the kernel's word there are no numbers, but the rules are still worth telling.
            guard let counters = try? plane?.counters(of: counting.map(\.object)) else { continue }
            counted[instance.group] = counting.reduce(into: [:]) { sum, entry in
                guard let counter = counters[entry.object.key] else { return }
                sum[entry.comment] = sum[entry.comment, default: Counter()] + counter
            }
        }
        let link = LinkName(of: id)
        let apart =
            Flow.allCases.flatMap { [Object.element(.denied(link, $0)), .element(.invalid(link, $0))] } + [.element(.deniedARP(link))]
        let drops = (try? plane?.counters(of: apart)) ?? [:]
        func denied(_ flow: Flow) -> Counter? {
            let ip = drops[Object.element(.denied(link, flow)).key]
            guard flow == .out, let arp = drops[Object.element(.deniedARP(link)).key] else { return ip }
            return (ip ?? Counter()) + arp
        }
        func direction(_ flow: Flow) -> RulesView.Direction {
            let rules = desired.intents.groups(of: pod).flatMap { group in
                group.rules.filter { $0.direction == flow.direction }.map { rule in
                    let counter = counted[group.id].map { $0[Entry.comment(rule.id)] ?? Counter() }
                    return RulesView.Rule(
                        group: group.id.value, rule: rule.id, text: rule.text, packets: counter?.packets, bytes: counter?.bytes)
                }
            }
            return RulesView.Direction(
                rules: rules, denied: .init(denied(flow)),
                invalid: .init(drops[Object.element(.invalid(link, flow)).key]))
        }
        return RulesView(pod: pod.id.value, ingress: direction(.in), egress: direction(.out))
    }
}

extension RulesView.Count {
    fileprivate init(_ counter: Counter?) { self.init(packets: counter?.packets, bytes: counter?.bytes) }
}
