extension Network {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(known: ["id", "isolated", "subnets", "fabric", "tunnelID", "revision"])
        self.init(
            id: try fields.required("id", valid: IDText.valid).id(),
            isolated: try fields["isolated"]?.bool() ?? false,
            subnets: try fields["subnets"]?.each(Subnet.init) ?? [],
            fabric: try fields["fabric"]?.choice(Fabric.allCases.map { ($0.rawValue, $0) }),
            tunnelID: try fields["tunnelID"]?.tunnelID(),
            revision: try fields["revision"]?.revision() ?? 0)
        try distinct(at: fields["subnets"] ?? field)
        try carried(at: field)
        try judgeRoutes { subnet, route, part, reason, valid in
            let path = "subnets[\(subnet)].routes[\(route)]"
            let there = subnets[subnet].routes[route]
            let value =
                switch part {
                case "destination": "\(there.destination)"
                case "nextHop": "\(there.nextHop)"
                default: "\(there.priority)"
                }
            return Rejected(intent: field.intent, field: "\(path).\(part)", value: value, reason: reason, valid: valid)
        }
    }

    private func distinct(at field: Field) throws(Rejected) {
        func rejected(_ index: Int, _ part: String, _ value: String, _ reason: String) -> Rejected {
            Rejected(intent: field.intent, field: "subnets[\(index)].\(part)", value: value, reason: reason)
        }
        var seen: Set<String> = []
        for (index, subnet) in subnets.enumerated() where !seen.insert(subnet.id).inserted {
            throw rejected(index, "id", subnet.id, "given twice")
        }
        // Prefixes are apart or nested, so one that overlaps others overlaps the one before it or the one after it. There may be very many.
        let sorted = subnets.indices.sorted { subnets[$0].cidr < subnets[$1].cidr }
        let overlapping = zip(sorted, sorted.dropFirst()).filter { subnets[$0].cidr.overlaps(subnets[$1].cidr) }
        guard let pair = overlapping.min(by: { max($0.0, $0.1) < max($1.0, $1.1) }) else { return }
        let (earlier, later) = (subnets[min(pair.0, pair.1)], subnets[max(pair.0, pair.1)])
        throw rejected(max(pair.0, pair.1), "cidr", "\(later.cidr)", "overlaps \(earlier.cidr) of subnet \(earlier.id)")
    }

    /// What was asked for can be: every address has its tunnel, and none is routed that another network may have too.
    private func carried(at field: Field) throws(Rejected) {
        func rejected(_ part: String, _ value: String, _ reason: String, valid: String) -> Rejected {
            Rejected(intent: field.intent, field: part, value: value, reason: reason, valid: valid)
        }
        if fabric == .routed, isolated {
            throw rejected(
                "fabric", "routed", "addresses of an isolated network may be another network's too, so they can't be routed between hosts",
                valid: "vxlan or none, or isolated: false")
        }
        guard fabricInForce == .vxlan else { return }
        guard !tunnelIDs.isEmpty else {
            throw rejected("tunnelID", "", "missing: vxlan needs one, of the network or of each subnet", valid: TunnelID.words)
        }
        guard tunnelID == nil, let position = subnets.firstIndex(where: { $0.tunnelID == nil }) else { return }
        throw rejected(
            "subnets[\(position)].tunnelID", "", "missing: the network has none, and other subnets have theirs", valid: TunnelID.words)
    }

    var document: Document {
        .fields(
            ("id", .text(id)), ("isolated", .bool(isolated)), ("subnets", .list(subnets.map(\.document))),
            ("fabric", fabric.map { .string($0.rawValue) }), ("tunnelID", tunnelID.map { .int(Int($0.value)) }),
            ("revision", .revision(revision)))
    }
}

extension Subnet {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(known: ["id", "cidr", "gateway", "gatewayMAC", "tunnelID", "routes"])
        let cidr = try fields.required("cidr", valid: "a prefix such as 10.1.0.0/24")
        self.init(
            id: try fields.required("id", valid: IDText.valid).identifier(), cidr: try cidr.prefix(),
            gateway: try fields["gateway"]?.address(), tunnelID: try fields["tunnelID"]?.tunnelID(),
            gatewayMAC: try fields["gatewayMAC"]?.mac(), routes: try fields["routes"]?.each(SubnetRoute.init) ?? [])
        if let special = self.cidr.first.notAssignable ?? self.cidr.last.notAssignable {
            throw cidr.rejected("it includes \(special)", valid: "a prefix of unicast addresses")
        }
        if gateway == nil, let field = fields["gatewayMAC"] { throw field.rejected("the subnet has no gateway", valid: "a gateway, too") }
        guard let gateway, let field = fields["gateway"] else { return }
        guard self.cidr.contains(gateway) else { throw field.rejected("outside of the subnet", valid: "an address of \(self.cidr)") }
        if let reserved = reserved(gateway) { throw field.rejected(reserved, valid: "another address of \(self.cidr)") }
    }

    var document: Document {
        .fields(
            ("id", .string(id)), ("cidr", .text(cidr)), ("gateway", gateway.map { .text($0) }),
            ("tunnelID", tunnelID.map { .int(Int($0.value)) }), ("gatewayMAC", gatewayMAC.map { .text($0) }),
            ("routes", routes.isEmpty ? nil : .list(routes.map(\.document))))
    }
}

extension SubnetRoute {
    init(_ field: Field) throws(Rejected) {
        let fields = try field.fields(known: ["destination", "nextHop", "priority"])
        let destination = try fields.required("destination", valid: "a prefix such as 0.0.0.0/0")
        self.init(
            try destination.prefix(), through: try fields.required("nextHop", valid: "an address of the network").address(),
            priority: try fields["priority"].map { (field) throws(Rejected) in
                UInt32(try field.integer(in: 0...Int(UInt32.max)))
            } ?? 0)
        // Wider ones hold addresses that are none's and others, as 0.0.0.0/1 does.
        if self.destination.length >= 8, let special = self.destination.first.notAssignable {
            throw destination.rejected(special, valid: "a prefix of unicast addresses")
        }
    }

    var document: Document {
        .fields(
            ("destination", .text(destination)), ("nextHop", .text(nextHop)), ("priority", priority == 0 ? nil : .int(Int(priority))))
    }
}

extension TunnelID {
    fileprivate static var words: String { "\(range.lowerBound) to \(range.upperBound)" }
}

extension Field {
    fileprivate func tunnelID() throws(Rejected) -> TunnelID? { TunnelID(try integer(in: TunnelID.range)) }
}
