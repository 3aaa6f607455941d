import Foundation
package import HawserAPI
package import HostNetwork

extension Reconciler {
    /// Answered in time whoever is stuck: by what was known last then, and not ready.
    nonisolated package func status() async -> StatusView {
        vitals.ask()
        return await withCheckedContinuation { continuation in
            let first = FirstAnswer(continuation)
            let deadline = Deadline(vitals.patience.answer)
            let isTaken = inbox.put(question: { view in
                deadline.cancel()
                first.give(view)
            })
            guard isTaken else { return first.give(unanswered()) }
            deadline.start { first.give(self.unanswered()) }
        }
    }

    nonisolated package func liveness() -> String? { vitals.death() }

    /// What can be said without the reconciler.
    private nonisolated func unanswered() -> StatusView {
        let none = StatusView.Pods(applied: 0, pending: 0, failed: 0)
        var view =
            vitals.last
            ?? StatusView(ready: false, pods: none, groups: 0, neighbors: 0, generation: 0, repairs: 0, uptimeSeconds: 0)
        view.ready = false
        view.reason = vitals.trouble() ?? "the reconciler doesn't answer: it is at something that takes long"
        return view
    }

    func answer(_ questions: [@Sendable (StatusView) -> Void]) {
        guard !questions.isEmpty else { return }
        var view = present()
        if view.ready, let hindrance = hindrance() { (view.ready, view.reason) = (false, hindrance) }
        vitals.answer(view)
        for question in questions { question(view) }
    }

    private func present() -> StatusView {
        let pods = intents.pods.keys.map { standings[$0.intent]?.status ?? .pending }
        let trouble = standings.trouble ?? missed?.keeping ?? unwritable ?? vitals.trouble()
        return StatusView(
            ready: trouble == nil, reason: trouble,
            pods: .init(
                applied: pods.count { $0 == .applied }, pending: pods.count { $0 == .pending }, failed: pods.count { $0 == .failed }),
            groups: intents.securityGroups.count, neighbors: intents.neighbors.count, generation: generation,
            repairs: repairs, uptimeSeconds: Int((ContinuousClock.now - started).components.seconds))
    }

    package func pods() async -> [PodView] {
        var indices: [LinkName: Int] = [:]
        for domain in domains.values { indices.merge(await domain.knownIndices(within: vitals.patience.answer)) { first, _ in first } }
        return intents.pods.values.sorted { $0.id < $1.id }.map { view($0, indices) }
    }

    package func view(of id: ID<Pod>) async -> PodView? {
        guard let pod = intents.pods[id] else { return nil }
        let indices =
            await domain(of: pod)?.knownIndices(of: [LinkName(of: id)], within: vitals.patience.answer) ?? [:]
        // It may have changed while its domain was asked.
        return intents.pods[id].map { view($0, indices) }
    }

    private func view(_ pod: Pod, _ indices: [LinkName: Int]) -> PodView {
        let standing = standings[pod.id.intent] ?? Standing(.pending)
        let link = LinkName(of: pod.id)
        return PodView(
            id: pod.id.value, network: pod.network.value, status: standing.status, reason: standing.reason,
            interface: .init(host: link.value, index: indices[link], pod: pod.interface, namespace: pod.namespace),
            mac: pod.mac.description, addresses: pod.addresses.map(\.description), securityGroups: pod.securityGroups.map(\.value),
            revision: pod.revision, since: standing.since)
    }

    package func groups() -> [GroupView] {
        let implicit = intents.networks.keys.map(\.defaultGroup).filter { intents.securityGroups[$0] == nil }.compactMap {
            intents.group($0)
        }
        return (Array(intents.securityGroups.values) + implicit).sorted { $0.id < $1.id }.map(view)
    }

    package func view(of id: ID<SecurityGroup>) -> GroupView? { intents.group(id).map(view) }

    private func view(_ group: SecurityGroup) -> GroupView {
        let standing = standings[group.id.intent] ?? Standing(.applied)
        let pods = (intents.index.podsByGroup[group.id] ?? []).sorted()
        let networks = group.network.map { [$0] } ?? Array(intents.networks.keys)
        let neighbors = networks.flatMap { intents.neighbors(in: group.id, of: $0) }.sorted { $0.id < $1.id }
        let members =
            pods.compactMap { intents.pods[$0] }.flatMap { pod in
                (pod.addresses.map(\.description)
                    + pod.allowedAddressPairs.map { $0.address.isHost ? "\($0.address.first)" : "\($0.address)" })
                    .map { GroupView.Member(address: $0, kind: .pod, id: pod.id.value) }
            }
            + neighbors.flatMap { neighbor in
                neighbor.addresses.map { GroupView.Member(address: $0.description, kind: .neighbor, id: neighbor.id.value) }
            }
        return GroupView(
            id: group.id.value, network: group.network?.value, stateful: group.stateful,
            rules: group.rules.map { .init(rule: $0.id, text: $0.text) }, members: members, boundBy: pods.map(\.value),
            status: standing.status, reason: standing.reason, revision: group.revision)
    }

    package func rules(of pod: String) async -> RulesView? {
        guard let pod = intents.pods[ID(pod)] else { return nil }
        return await (domain(of: pod) ?? makeDomain(map.domain(of: pod.network))).rules(of: pod.id)
    }
}
