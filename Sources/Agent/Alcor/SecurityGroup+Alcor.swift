import HawserProtocol
import HostNetwork

/// What a state says about a security group: the whole of its content, or changes to it.
struct GroupEdit: Hashable, Sendable {
    /// With the rules that are given, valid by themselves.
    var group: SecurityGroup
    /// Whether these are all of its rules.
    var isWhole: Bool
    /// The ids of rules that go.
    var removed: Set<String>

    /// The group as it is to be, where `present` is in force. A rule keeps its place; the group keeps its network when none is given.
    func applied(to present: SecurityGroup?) -> SecurityGroup {
        var result = group
        if let present {
            result.network = group.network ?? present.network
            result.stateful = present.stateful
        }
        guard !isWhole, let present else { return result }
        let given = Dictionary(group.rules.map { ($0.id, $0) }) { $1 }
        let known = Set(present.rules.map(\.id))
        result.rules = present.rules.filter { !removed.contains($0.id) }.map { given[$0.id] ?? $0 }
        result.rules += group.rules.filter { !known.contains($0.id) }
        return result
    }
}

extension Alcor_Schema_SecurityGroupState {
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked {
        let rules = configuration.securityGroupRules
        switch configuration.updateType {
        case .full, .delta: break
        case .UNRECOGNIZED(let number): throw .alcor("update_type", number, "unknown", valid: "0 or 1")
        }
        let isWhole = configuration.updateType == .full || rules.allSatisfy { $0.operationType == .info }
        var documents: [Document] = []
        /// Where each of those stands on the wire.
        var positions: [Int] = []
        var removed: Set<String> = []
        for (position, rule) in rules.enumerated() {
            let field = "security_group_rules[\(position)]"
            guard rule.securityGroupID.isEmpty || rule.securityGroupID == configuration.id else {
                throw .alcor(field + ".security_group_id", rule.securityGroupID, "the rule is in another group", valid: configuration.id)
            }
            switch rule.operationType {
            case .get: continue
            case .delete: removed.insert(rule.id)
            case .info, .create, .update:
                if let document = try rule.document(settings, field) {
                    documents.append(document)
                    positions.append(position)
                } else {
                    // It allows nothing, so what had this id allows nothing any more.
                    removed.insert(rule.id)
                }
            case .UNRECOGNIZED(let number): throw .alcor(field + ".operation_type", number, "unknown", valid: "0 to 4")
            }
        }
        do throws(Rejected) {
            let intent = try Document.validated(
                .securityGroup,
                [
                    ("id", .string(configuration.id)), ("network", .optional(configuration.vpcID)), ("rules", .list(documents)),
                    ("revision", .int(Int(configuration.revisionNumber))),
                ])
            guard case .securityGroup(let group) = intent else { throw Rejected(intent: nil, field: "", reason: "no security group") }
            removed.subtract(group.rules.map(\.id))
            return .group(GroupEdit(group: group, isWhole: isWhole, removed: removed))
        } catch {
            throw error.moved(to: positions)
        }
    }
}

extension Alcor_Schema_SecurityGroupConfiguration.SecurityGroupRule {
    /// The rule as files have it; nil for one about ARP, which needs no permission.
    fileprivate func document(_ settings: Settings.Alcor, _ field: String) throws(Rejected) -> Document? {
        var fields: [(String, Document)] = [("id", .optional(id))]
        switch direction {
        case .egress: fields.append(("direction", "egress"))
        case .ingress: fields.append(("direction", "ingress"))
        case .UNRECOGNIZED(let number): throw .alcor(field + ".direction", number, "unknown", valid: "0 or 1")
        }
        switch ethertype {
        case .ipv4: fields.append(("ethertype", "ipv4"))
        case .ipv6: fields.append(("ethertype", "ipv6"))
        case .UNRECOGNIZED(let number): throw .alcor(field + ".ethertype", number, "unknown", valid: "0 or 1")
        }
        var remote: [(String, Document)] = []
        if !remoteIpPrefix.isEmpty { remote.append(("cidr", .string(remoteIpPrefix))) }
        if !remoteGroupID.isEmpty { remote.append(("group", .string(remoteGroupID))) }
        if !remote.isEmpty { fields.append(("remote", .map(remote))) }
        let hasPorts = portRangeMin != 0 || portRangeMax != 0
        switch self.protocol {
        // On this wire TCP is what a rule without protocol says, too.
        case .tcp where !hasPorts && settings.unsetProtocol == .any: break
        case .tcp: fields += [("protocol", "tcp"), ("ports", try ports(field))]
        case .udp: fields += [("protocol", "udp"), ("ports", try ports(field))]
        case .http: fields += [("protocol", "tcp"), ("ports", try hasPorts ? ports(field) : 80)]
        case .icmp: fields += [("protocol", "icmp"), ("icmp", icmp)]
        case .arp: return nil
        case .UNRECOGNIZED(let number): throw .alcor(field + ".protocol", number, "unknown", valid: "0 to 4")
        }
        return .map(fields)
    }

    /// Returns the range of ports, nothing for all of them. Where the lower end alone is 0, nobody can tell
    /// whether it was meant to be port 0 or was left out, so such a range is refused; Neutron, which Alcor
    /// follows, knows no port 0 either.
    private func ports(_ field: String) throws(Rejected) -> Document {
        guard portRangeMax != 0 || portRangeMin != 0 else { return .null }
        guard portRangeMin != 0 else {
            throw .alcor(
                field + ".port_range_min", 0,
                "the range ends at \(portRangeMax) and begins at 0, which is the same as unset here",
                valid: "1 to \(min(portRangeMax, 65535)); 0 only where both ends are")
        }
        return .string("\(portRangeMin)-\(portRangeMax)")
    }

    /// Nothing for any message. A code of 0 looks the same as none, so it is any of the type.
    private var icmp: Document {
        if portRangeMin == 0, portRangeMax == 0 { return .null }
        return ["type": .int(Int(portRangeMin)), "code": portRangeMax == 0 ? .null : .int(Int(portRangeMax))]
    }
}

extension Rejected {
    /// The same, its rule counted as on the wire.
    fileprivate func moved(to positions: [Int]) -> Rejected {
        guard let match = field.prefixMatch(of: /security_group_rules\[(\d+)\]/), let index = Int(match.1),
            positions.indices.contains(index)
        else { return self }
        var rejected = self
        rejected.field = "security_group_rules[\(positions[index])]" + field[match.range.upperBound...]
        return rejected
    }
}
