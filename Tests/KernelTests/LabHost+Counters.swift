import HostNetwork
import Kernel

/// What the kernel has counted, as `hawser rules` tells it.
extension LabHost {
    /// By the rules of a pod's groups, by their ids.
    func counted(for pod: LabPod) throws -> [String: Counter] {
        let counting = desired.groups(of: pod.id).flatMap { desired.counting($0) }
        let counters = try plane.counters(of: counting.map(\.object))
        return counting.reduce(into: [:]) { sum, entry in
            sum[entry.comment] = sum[entry.comment, default: Counter()] + counters[entry.object.key, default: Counter()]
        }
    }

    /// What a pod was denied: of what it sent, or of what was for it.
    func denied(to pod: LabPod, _ flow: HostNetwork.Flow) throws -> Counter {
        try plane.counters(of: [.element(.denied(pod.link, flow))]).values.first ?? Counter()
    }

    /// What of it tracking could place in no flow; nil where that isn't counted.
    func invalid(of pod: LabPod, _ flow: HostNetwork.Flow) throws -> Counter? {
        try plane.counters(of: [.element(.invalid(pod.link, flow))]).values.first
    }
}
