import Foundation
import Glibc
import HawserAPI
import HostNetwork
package import Kernel
import Logging
import ServiceLifecycle

extension Daemon {
    /// Starts what names the namespaces of isolated networks: before anything else is opened, for the helper
    /// would have it, too.
    package static func names(_ settings: Settings) -> NamespaceNames {
        NamespaceNames(in: settings.host.namespaces)
    }

    /// A reconciler with the kernel of the namespace that the daemon runs in.
    package static func linux(_ parts: Parts, _ names: NamespaceNames) async throws -> Running {
        let settings = parts.settings
        var layout = try Layout(settings)
        layout.underlay = try underlay(parts)
        // What networks that share the host's routing may not take.
        let places = try HostPlacesWatch.begin(in: NetworkNamespace.current())
        if places.now == nil { parts.logger.warning("the host's own addresses can't be read yet: subnets aren't held against them") }
        if let problem = names.problem {
            parts.logger.warning("host.namespaces: isolated networks can't be made: \(problem)")
        }
        let unforwarded = try forward(parts)
        confine(parts)
        let reconciler = try await Reconciler(
            host: try LinuxDomains(
                names: names, marks: layout.marks, isOwner: settings.host.protectTables,
                kept: DescriptorStore(environment: ProcessInfo.processInfo.environment, process: getpid())), layout: layout,
            alcor: settings.alcor, store: parts.store, journal: parts.journal, logger: parts.logger,
            mostValues: settings.intents.maxValues, places: places.now ?? HostPlaces(),
            tenants: PushClients(settings.push.clients)?.tenants ?? [], hindrance: { unforwarded.reason },
            follow: { parts.namespaces.follow($0) })
        return Running(
            reconciler,
            services: [
                reconciler, HostPlacesService(changes: places.changes, reconciler: reconciler),
                NamesService(names: names, journal: parts.journal, logger: parts.logger),
            ])
    }

    /// Removes all that is Hawser's from the namespace that the process is in; what was removed, as lines for people.
    package static func sweep(_ settings: Settings) throws -> [String] {
        let plane = try LinuxDataplane(marks: try Layout(settings).marks)
        let there = try plane.observe(expecting: HostState())
        let plan = Plan(from: there, to: HostState())
        let applied = plane.apply(plan)
        if let refusal = applied.refusals.first { throw refusal }
        let domains = try LinuxDomains(names: names(settings), marks: try Layout(settings).marks)
        return applied.done.map(\.text) + domains.sweep(keeping: []).map { "remove \($0)" }
    }

    /// The host's own place among other hosts; nil where it isn't known, and then no tunnel leads to pods of others.
    private static func underlay(_ parts: Parts) throws -> Underlay? {
        let address = try? IPAddress(parsing: parts.settings.host.address)
        var links = try LinkTable()
        let underlay = try links.underlay(at: address)
        if underlay == nil, let address {
            parts.logger.warning("host.address: no interface has \(address): no tunnel leads to other hosts")
        }
        return underlay
    }

    private static func confine(_ parts: Parts) {
        do { try Confinement.begin() } catch {
            parts.logger.warning("the kernel doesn't let the daemon confine itself: \(error)")
        }
    }

    private static func forward(_ parts: Parts) throws -> Unforwarded {
        switch parts.settings.host.forwarding {
        case .enable:
            let result = Forwarding.enableOnHost()
            for setting in result.kept {
                parts.logger.notice(
                    "routers' advertisements are taken as before: net/\(setting) was 1 and is 2 now"
                )
            }
            for forwarding in result.enabled {
                parts.logger.notice("forwarding was off and is on now: net/\(forwarding.setting)")
            }
            for error in result.refused {
                parts.logger.error("forwarding stays off: \(error)")
                parts.journal.record(
                    EventView(
                        kind: "daemon", id: "hawserd", event: "refused",
                        reason: "forwarding stays off: \(error)"))
            }
            return Unforwarded(refused: result.refused)
        case .check:
            for forwarding in try Forwarding.missing() {
                parts.logger.warning("forwarding is off, so pods are reached from nowhere else: net/\(forwarding.setting)")
            }
            return Unforwarded()
        }
    }
}

/// Kinds of forwarding that the daemon was to turn on and couldn't, each until somebody else has.
private struct Unforwarded: Sendable {
    var refused: [ForwardingError] = []

    /// Why pods aren't reached from elsewhere; nil: they are.
    var reason: String? {
        guard !refused.isEmpty, let missing = try? Forwarding.missing() else {
            return refused.first.map(Self.words)
        }
        return refused.first { missing.contains($0.forwarding) }.map(Self.words)
    }

    private static func words(_ error: ForwardingError) -> String {
        "forwarding is off, so pods are reached from nowhere else: \(error)"
    }
}

extension Layout {
    fileprivate init(_ settings: Settings) throws {
        let host = HostPolicy(toPods: settings.host.toPods, fromPods: settings.host.fromPods)
        let (podFlows, podFragments) = (settings.conntrack.podFlows, settings.conntrack.podFragments)
        self.init(
            marks: try MarkLayout(mask: settings.conntrack.mark), host: host, invalid: settings.conntrack.invalid,
            podFlows: podFlows == 0 ? nil : podFlows,
            podFragments: podFragments == 0 ? nil : PacketLimit(fragments: podFragments))
    }
}
