import HawserProtocol
import HostNetwork

extension Alcor_Schema_VpcState {
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked {
        _ = try Prefix.alcor(configuration.cidr, "cidr")
        // 0: its subnets say it.
        guard configuration.tunnelID <= TunnelID.last else { throw TunnelID.refused(UInt64(configuration.tunnelID), "tunnel_id") }
        return .vpc(ID(configuration.id))
    }
}

extension Alcor_Schema_SubnetState {
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked {
        let gateway = configuration.gateway
        _ = try MAC.alcor(gateway.macAddress, "gateway.mac_address")
        guard (1...UInt64(TunnelID.last)).contains(configuration.tunnelID) else {
            throw TunnelID.refused(configuration.tunnelID, "tunnel_id")
        }
        do throws(Rejected) {
            let intent = try Document.validated(
                .network,
                [
                    ("id", .string(configuration.vpcID)),
                    (
                        "subnets",
                        [["id": .string(configuration.id), "cidr": .string(configuration.cidr), "gateway": .optional(gateway.ipAddress)]]
                    ),
                ])
            guard case .network(let network) = intent, let subnet = network.subnets.first else {
                throw Rejected(intent: nil, field: "cidr", reason: "missing")
            }
            return .subnet(subnet, of: network.id)
        } catch {
            throw error.ofSubnet
        }
    }
}

/// An identifier of a network on the underlay: 24 bits (RFC 7348, section 5).
enum TunnelID {
    static let last: UInt32 = 1 << 24 - 1

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
