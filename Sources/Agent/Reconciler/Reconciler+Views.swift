import CLinux
import Foundation
package import HawserAPI
import HostNetwork

extension Reconciler {
    package func status() -> StatusView {
        let pods = desired.intents.pods.keys.map { standings[$0.intent]?.status ?? .pending }
        let refusal = standings.firstRefusal
        return StatusView(
            ready: refusal == nil && !mustObserve,
            reason: refusal.map { "\($0.because): \($0)" } ?? (mustObserve ? "the host must be read again" : nil),
            pods: .init(
                applied: pods.count { $0 == .applied }, pending: pods.count { $0 == .pending }, failed: pods.count { $0 == .failed }),
            groups: desired.intents.securityGroups.count, neighbors: desired.intents.neighbors.count, generation: generation,
            repairs: repairs, uptimeSeconds: Int((ContinuousClock.now - started).components.seconds))
    }

    package func pods() -> [PodView] { desired.intents.pods.values.sorted { $0.id < $1.id }.map(view) }

    private func view(_ pod: Pod) -> PodView {
        let standing = standings[pod.id.intent] ?? Standing(.pending)
        let link = LinkName(of: pod.id)
        let isThere = believed[.link(link)] != nil
        let index = isThere ? unsafe Int(if_nametoindex(link.value)) : 0
        return PodView(
            id: pod.id.value, network: pod.network.value, status: standing.status, reason: standing.reason,
            interface: .init(host: link.value, index: index > 0 ? index : nil, pod: pod.interface, namespace: pod.namespace),
            mac: pod.mac.description, addresses: pod.addresses.map(\.description), securityGroups: pod.securityGroups.map(\.value),
            revision: pod.revision, since: standing.since)
    }

    package func groups() -> [GroupView] {
        let intents = desired.intents
        let implicit = intents.networks.keys.map(\.defaultGroup).filter { intents.securityGroups[$0] == nil }.compactMap {
            intents.group($0)
        }
        return (Array(intents.securityGroups.values) + implicit).sorted { $0.id < $1.id }.map(view)
    }

    private func view(_ group: SecurityGroup) -> GroupView {
        let intents = desired.intents
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

    package func rules(of pod: String) -> RulesView? {
        let id = ID<Pod>(pod)
        guard let pod = desired.intents.pods[id] else { return nil }
        var counted: [ID<SecurityGroup>: [String: Counter]] = [:]
        for instance in desired.groups(of: id) {
            let counting = desired.counting(instance)
            // Without the kernel's word there are no numbers, but the rules are still worth telling.
            guard let counters = try? plane.counters(of: counting.map(\.object)) else { continue }
            counted[instance.group] = counting.reduce(into: [:]) { sum, entry in
                guard let counter = counters[entry.object.key] else { return }
                sum[entry.comment] = sum[entry.comment, default: Counter()] + counter
            }
        }
        let link = LinkName(of: id)
        let apart = Flow.allCases.flatMap { [Object.element(.denied(link, $0)), .element(.invalid(link, $0))] }
        let drops = (try? plane.counters(of: apart)) ?? [:]
        func direction(_ flow: Flow) -> RulesView.Direction {
            let rules = desired.intents.groups(of: pod).flatMap { group in
                group.rules.filter { $0.direction == flow.direction }.map { rule in
                    let counter = counted[group.id].map { $0[Entry.comment(rule.id)] ?? Counter() }
                    return RulesView.Rule(
                        group: group.id.value, rule: rule.id, text: rule.text, packets: counter?.packets, bytes: counter?.bytes)
                }
            }
            return RulesView.Direction(
                rules: rules, denied: .init(drops[Object.element(.denied(link, flow)).key]),
                invalid: .init(drops[Object.element(.invalid(link, flow)).key]))
        }
        return RulesView(pod: pod.id.value, ingress: direction(.in), egress: direction(.out))
    }
}

extension RulesView.Count {
    fileprivate init(_ counter: Counter?) { self.init(packets: counter?.packets, bytes: counter?.bytes) }
}
