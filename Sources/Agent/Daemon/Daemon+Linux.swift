import HawserAPI
import HostNetwork
import Kernel
import Logging
import ServiceLifecycle

extension Daemon {
    /// A reconciler with the kernel of the namespace that the daemon runs in.
    package static func linux(_ parts: Parts) async throws -> Running {
        let settings = parts.settings
        let layout = try Layout(settings)
        try forward(parts)
        let plane = try LinuxDataplane(marks: layout.marks)
        let ours = plane.linkPort
        let reconciler = try await Reconciler(
            plane: plane, layout: layout, store: parts.store, journal: parts.journal, logger: parts.logger,
            follow: { parts.namespaces.follow($0) })
        return Running(reconciler, services: [reconciler, LinkWatch(ours: ours, reconciler: reconciler, logger: parts.logger)])
    }

    /// Removes all that is Hawser's from the namespace that the process is in; what was removed, as lines for people.
    package static func sweep(_ settings: Settings) throws -> [String] {
        let plane = try LinuxDataplane(marks: try Layout(settings).marks)
        let there = try plane.observe(expecting: HostState())
        let plan = Plan(from: there, to: HostState())
        let applied = plane.apply(plan)
        if let refusal = applied.refusals.first { throw refusal }
        return applied.done.map(\.text)
    }

    private static func forward(_ parts: Parts) throws {
        switch parts.settings.host.forwarding {
        case .enable:
            for forwarding in try Forwarding.enable() { parts.logger.notice("forwarding was off and is on now: net/\(forwarding.setting)") }
        case .check:
            for forwarding in try Forwarding.missing() {
                parts.logger.warning("forwarding is off, so pods are reached from nowhere else: net/\(forwarding.setting)")
            }
        }
    }
}

extension Layout {
    fileprivate init(_ settings: Settings) throws {
        let host = HostPolicy(toPods: settings.host.toPods, fromPods: settings.host.fromPods)
        self.init(marks: try MarkLayout(mask: settings.conntrack.mark), host: host, invalid: settings.conntrack.invalid)
    }
}
