/// One thing that was looked for on this host, and what was found.
package struct Check: Hashable, Sendable {
    package enum Status: String, Hashable, Sendable, Comparable {
        case ok, warning
        /// A promise doesn't hold.
        case fault

        private var rank: Int {
            switch self {
            case .ok: 0
            case .warning: 1
            case .fault: 2
            }
        }

        package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }

    package let id: String
    package private(set) var status = Status.ok
    /// Sentences without a full stop, in the order in which they were found.
    package private(set) var found: [String] = []
    private var remedies: [String] = []

    package init(_ id: String) { self.id = id }

    /// What to do about it; nil where nothing was found.
    package var remedy: String? { remedies.isEmpty ? nil : remedies.joined(separator: "; ") }

    package mutating func find(_ status: Status, _ text: String, remedy: String) {
        self.status = max(self.status, status)
        found.append(text)
        if !remedies.contains(remedy) { remedies.append(remedy) }
    }
}

/// The network namespaces that were looked at, each with what is there of others.
package typealias Neighborhood = [(domain: RoutingDomain, strangers: Strangers)]

extension Check {
    /// Whether somebody else writes the bits of flows' marks that stamps are in.
    package static func marks(_ neighborhood: Neighborhood, _ layout: MarkLayout) -> Check {
        var check = Check("marks")
        let mask = hex(layout.mask)
        let remedy =
            "let these rules keep \(mask), as in `ct mark set ct mark and \(mask) or 0x1`, or choose other bits "
            + "with conntrack.mark while no pod runs"
        for (domain, strangers) in neighborhood {
            for rule in strangers.markers.some {
                let bits = hex(rule.changes & layout.mask)
                check.find(
                    .fault,
                    "\(rule.place)\(domain.place) changes \(bits) of flows' marks: what it writes there counts as "
                        + "a stamp, so a flow that isn't allowed may pass", remedy: remedy)
            }
            check.note(strangers.markers, "rules", domain, remedy: remedy)
            check.note(strangers, domain)
        }
        return check
    }

    /// Whether flows go past the hook where they are judged.
    package static func flowtables(_ neighborhood: Neighborhood) -> Check {
        var check = Check("flowtables")
        let remedy = "keep pods' interfaces, and those that lead to pods, out of flowtables"
        for (domain, strangers) in neighborhood {
            for rule in strangers.offloaders.some {
                check.find(
                    .fault,
                    "\(rule.place)\(domain.place) adds flows to flowtable \(rule.flowtable): they go past the "
                        + "chains that judge them, and a revocation doesn't reach them", remedy: remedy)
            }
            check.note(strangers.offloaders, "rules", domain, remedy: remedy)
            for table in strangers.flowtables.some {
                let devices = table.devices.isEmpty ? "no device" : table.devices.joined(separator: ", ")
                check.find(
                    .warning,
                    "table \(table.family) \(table.table)\(domain.place) has flowtable \(table.name) on \(devices)",
                    remedy: remedy)
            }
            check.note(strangers.flowtables, "flowtables", domain, remedy: remedy)
            check.note(strangers, domain)
        }
        return check
    }

    /// Whether IPVS hands connections to pods past their ingress rules, because what it sends comes from the
    /// host itself.
    package static func ipvs(_ neighborhood: Neighborhood, _ toPods: HostPolicy.ToPods, pods: [Prefix]) -> Check {
        var check = Check("ipvs")
        let remedy = "set host.toPods to rules, so that what comes by the host itself is judged, too"
        guard toPods == .allow else { return check }
        for (domain, strangers) in neighborhood {
            guard let services = strangers.services, services.count > 0 || services.unknown > 0 else { continue }
            let servers = services.servers.filter { server in pods.contains { $0.contains(server) } }.sorted()
            if let first = servers.first {
                let others =
                    servers.count > 1
                    ? " and \(servers.count - 1) more addresses of subnets" : ", an address of a subnet"
                check.find(
                    .fault,
                    "IPVS\(domain.place) hands services on to \(first)\(others): with host.toPods allow what comes "
                        + "to pods that way isn't judged by their ingress rules", remedy: remedy)
            } else {
                check.find(
                    .warning,
                    "IPVS\(domain.place) has \(services.count) services: none is handed on to a subnet now",
                    remedy: remedy)
            }
        }
        return check
    }

    /// What wasn't read may be what is looked for.
    private mutating func note(_ strangers: Strangers, _ domain: RoutingDomain) {
        guard let unread = strangers.unread else { return }
        find(
            .warning, "not all of others' tables\(domain.place) was read: \(unread)",
            remedy: "look at the rest with `nft list ruleset`")
    }

    private mutating func note<Element>(
        _ sample: Sample<Element>, _ what: String, _ domain: RoutingDomain, remedy: String
    ) {
        let more = sample.count - sample.some.count
        guard more > 0 else { return }
        find(.warning, "and \(more) more \(what)\(domain.place) that aren't shown", remedy: remedy)
    }
}

extension RoutingDomain {
    fileprivate var place: String { self == .host ? "" : " in the routing domain of \(self)" }
}
