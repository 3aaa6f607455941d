import HawserProtocol
import HostNetwork

extension Alcor_Schema_VpcState {
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked {
        _ = try Prefix.alcor(configuration.cidr, "cidr")
        // 0: its subnets say it.
        guard configuration.tunnelID <= AlcorTunnel.last else { throw AlcorTunnel.refused(UInt64(configuration.tunnelID), "tunnel_id") }
        return .vpc(ID(configuration.id))
    }
}

extension Alcor_Schema_SubnetState {
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked {
        let gateway = configuration.gateway
        let mac = gateway.ipAddress.isEmpty ? nil : try MAC.alcor(ofInterface: gateway.macAddress, "gateway.mac_address")
        _ = try MAC.alcor(gateway.macAddress, "gateway.mac_address")
        guard let tunnel = Int(exactly: configuration.tunnelID).flatMap({ TunnelID($0) }) else {
            throw AlcorTunnel.refused(configuration.tunnelID, "tunnel_id")
        }
        do throws(Rejected) {
            let intent = try Document.validated(
                .network,
                [
                    ("id", .string(configuration.vpcID)),
                    (
                        "subnets",
                        [
                            [
                                "id": .string(configuration.id), "cidr": .string(configuration.cidr),
                                "gateway": .optional(gateway.ipAddress), "tunnelID": .int(Int(tunnel.value)),
                            ]
                        ]
                    ),
                ])
            guard case .network(let network) = intent, var subnet = network.subnets.first else {
                throw Rejected(intent: nil, field: "cidr", reason: "missing")
            }
            subnet.gatewayMAC = mac
            return .subnet(subnet, of: network.id)
        } catch {
            throw error.ofSubnet
        }
    }
}

/// What is said of identifiers of tunnels that are none.
enum AlcorTunnel {
    static let last = UInt32(TunnelID.range.upperBound)

    static func refused(_ value: UInt64, _ field: String) -> Rejected {
        .alcor(field, value, value == 0 ? "missing" : "more than 24 bits", valid: "1 to \(last)")
    }
}

extension Rejected {
    /// A subnet is a resource of its own on the wire, and part of a network among the intents.
    fileprivate var ofSubnet: Rejected {
        var rejected = self
        if field.hasPrefix("networks[0].id") {
            rejected.field = "vpc_id"
        } else if let part = field.wholeMatch(of: /subnets\[0\]\.(.*)/)?.1 {
            rejected.field = part == "gateway" ? "gateway.ip_address" : String(part)
        }
        return rejected
    }
}
