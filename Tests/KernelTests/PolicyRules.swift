import HostNetwork

/// Rules as short as they can be written.
extension Rule {
    /// From anyone.
    static func `in`(_ id: String, _ protocol: IPProtocol? = nil, _ ports: ClosedRange<UInt16>? = nil, _ remote: Remote = .anyone) -> Rule {
        Rule(
            id: id, direction: .ingress, protocol: `protocol`, ports: ports.flatMap { PortRange($0.lowerBound, $0.upperBound) },
            remote: remote)
    }

    /// To anyone.
    static func out(_ id: String, _ protocol: IPProtocol? = nil, _ ports: ClosedRange<UInt16>? = nil, _ remote: Remote = .anyone) -> Rule {
        Rule(
            id: id, direction: .egress, protocol: `protocol`, ports: ports.flatMap { PortRange($0.lowerBound, $0.upperBound) },
            remote: remote)
    }

    /// From a prefix.
    static func from(_ id: String, _ prefix: String, _ protocol: IPProtocol? = nil, _ ports: ClosedRange<UInt16>? = nil) -> Rule {
        .in(id, `protocol`, ports, .cidr(Prefix(prefix)))
    }

    /// A message of ICMP that may come in.
    static func icmp(_ type: UInt8, _ protocol: IPProtocol = .icmp) -> Rule {
        Rule(id: "\(`protocol`)-\(type)", direction: .ingress, protocol: `protocol`, icmp: ICMPMatch(type: type))
    }
}
