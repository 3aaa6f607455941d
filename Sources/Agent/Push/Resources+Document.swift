import HawserProtocol
import HostNetwork
import SwiftProtobuf

/// Protobuf → Document: the same tree that a file's text becomes, so that both end in the same validation. Nothing is judged here.
extension Hawser_V1_Resources {
    /// A section for each kind that has resources.
    var document: Document {
        let sections: [(String, [Document])] = [
            ("networks", networks.map(\.document)), ("securityGroups", securityGroups.map(\.document)),
            ("addressGroups", addressGroups.map(\.document)), ("pods", pods.map(\.document)), ("neighbors", neighbors.map(\.document)),
        ]
        return .map(sections.filter { !$0.1.isEmpty }.map { ($0.0, .list($0.1)) } + unknownFields.documents)
    }

    var count: Int { networks.count + securityGroups.count + addressGroups.count + pods.count + neighbors.count }
}

extension Hawser_V1_Network {
    fileprivate var document: Document {
        .message(
            unknownFields, ("id", .given(id)), ("isolated", .bool(isolated)), ("subnets", .list(subnets.map(\.document))),
            ("fabric", fabric.document), ("tunnelID", hasTunnelID ? .int(Int(tunnelID)) : nil), ("revision", .revision(revision)))
    }
}

extension Hawser_V1_Network.Fabric {
    fileprivate var document: Document? {
        switch self {
        case .unspecified: nil
        case .none: "none"
        case .routed: "routed"
        case .vxlan: "vxlan"
        case .UNRECOGNIZED(let number): .string("\(number)")
        }
    }
}

extension Hawser_V1_Subnet {
    fileprivate var document: Document {
        .message(
            unknownFields, ("id", .given(id)), ("cidr", .given(cidr)), ("gateway", hasGateway ? .string(gateway) : nil),
            ("tunnelID", hasTunnelID ? .int(Int(tunnelID)) : nil), ("gatewayMAC", hasGatewayMac ? .string(gatewayMac) : nil),
            ("routes", routes.isEmpty ? nil : .list(routes.map(\.document))))
    }
}

extension Hawser_V1_SubnetRoute {
    fileprivate var document: Document {
        .message(
            unknownFields, ("destination", .given(destination)), ("nextHop", .given(nextHop)),
            ("priority", priority == 0 ? nil : .int(Int(priority))))
    }
}

extension Hawser_V1_SecurityGroup {
    fileprivate var document: Document {
        .message(
            unknownFields, ("id", .given(id)), ("network", hasNetwork ? .string(network) : nil),
            ("stateful", hasStateful ? .bool(stateful) : nil), ("rules", .list(rules.map(\.document))), ("revision", .revision(revision)))
    }
}

extension Hawser_V1_Rule {
    fileprivate var document: Document {
        .message(
            unknownFields, ("id", .given(id)), ("direction", direction.document), ("ethertype", ethertype.document),
            ("protocol", hasProtocol ? .string(`protocol`) : nil), ("ports", hasPorts ? ports.document : nil),
            ("sourcePorts", hasSourcePorts ? sourcePorts.document : nil), ("icmp", hasIcmp ? icmp.document : nil),
            ("remote", remote?.document))
    }
}

extension Hawser_V1_Rule.Direction {
    fileprivate var document: Document? {
        switch self {
        case .unspecified: nil
        case .ingress: "ingress"
        case .egress: "egress"
        case .UNRECOGNIZED(let number): .string("\(number)")
        }
    }
}

extension Hawser_V1_Rule.Ethertype {
    fileprivate var document: Document? {
        switch self {
        case .unspecified: nil
        case .ipv4: "ipv4"
        case .ipv6: "ipv6"
        case .UNRECOGNIZED(let number): .string("\(number)")
        }
    }
}

extension Hawser_V1_Rule.OneOf_Remote {
    fileprivate var document: Document {
        switch self {
        case .cidr(let cidr): ["cidr": .string(cidr)]
        case .group(let id): ["group": .string(id)]
        case .addressGroup(let id): ["addressGroup": .string(id)]
        }
    }
}

extension Hawser_V1_PortRange {
    fileprivate var document: Document {
        // A range is text, so what isn't known of it has no place there: a map is refused where a range belongs.
        guard unknownFields.data.isEmpty else { return .message(unknownFields) }
        return .string(hasLast ? "\(first)-\(last)" : "\(first)")
    }
}

extension Hawser_V1_Icmp {
    fileprivate var document: Document {
        .message(unknownFields, ("type", hasType ? .int(Int(type)) : nil), ("code", hasCode ? .int(Int(code)) : nil))
    }
}

extension Hawser_V1_AddressGroup {
    fileprivate var document: Document {
        .message(unknownFields, ("id", .given(id)), ("cidrs", .texts(cidrs)), ("revision", .revision(revision)))
    }
}

extension Hawser_V1_Pod {
    fileprivate var document: Document {
        .message(
            unknownFields, ("id", .given(id)), ("network", .given(network)), ("namespace", hasNamespace ? .string(namespace) : nil),
            ("interface", hasInterface ? .string(interface) : nil), ("mac", hasMac ? .string(mac) : nil), ("addresses", .texts(addresses)),
            ("securityGroups", .texts(securityGroups)), ("allowedAddressPairs", .list(allowedAddressPairs.map(\.document))),
            ("portSecurity", hasPortSecurity ? .bool(portSecurity) : nil), ("adminUp", hasAdminUp ? .bool(adminUp) : nil),
            ("mtu", hasMtu ? .int(Int(mtu)) : nil), ("revision", .revision(revision)))
    }
}

extension Hawser_V1_AddressPair {
    fileprivate var document: Document {
        .message(unknownFields, ("address", .given(address)), ("mac", hasMac ? .string(mac) : nil))
    }
}

extension Hawser_V1_Neighbor {
    fileprivate var document: Document {
        .message(
            unknownFields, ("id", .given(id)), ("network", .given(network)), ("addresses", .texts(addresses)),
            ("mac", hasMac ? .string(mac) : nil), ("host", hasHost ? .string(host) : nil), ("securityGroups", .texts(securityGroups)),
            ("revision", .revision(revision)))
    }
}
