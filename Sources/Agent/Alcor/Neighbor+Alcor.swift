import HawserProtocol
import HostNetwork

extension Alcor_Schema_NeighborState {
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked {
        let configuration = configuration
        _ = try MAC.alcor(configuration.hostMacAddress, "host_mac_address")
        for (position, pair) in configuration.allowAddressPairs.enumerated() {
            _ = try Prefix.alcor(pair.ipAddress, "allow_address_pairs[\(position)].ip_address")
            _ = try MAC.alcor(pair.macAddress, "allow_address_pairs[\(position)].mac_address")
        }
        let intent = try Document.validated(
            .neighbor,
            [
                ("id", .string(configuration.id)), ("network", .optional(configuration.vpcID)),
                ("mac", .optional(configuration.macAddress)), ("host", .optional(configuration.hostIpAddress)),
                ("addresses", .list(configuration.fixedIps.map { .string($0.ipAddress) })),
                ("securityGroups", .list(configuration.securityGroupIds.map { .string($0.id) })),
                ("revision", .int(Int(configuration.revisionNumber))),
            ])
        guard case .neighbor(let neighbor) = intent else { throw Rejected(intent: nil, field: "", reason: "no neighbor") }
        var places: [AlcorState.Place] = []
        for (position, (address, fixed)) in zip(neighbor.addresses, configuration.fixedIps).enumerated() {
            var field: String { "fixed_ips[\(position)]" }
            guard fixed.tunnelID <= AlcorTunnel.last else { throw AlcorTunnel.refused(UInt64(fixed.tunnelID), field + ".tunnel_id") }
            guard !fixed.subnetID.isEmpty else { throw Rejected(intent: nil, field: field + ".subnet_id", reason: "missing") }
            places.append(AlcorState.Place(subnet: fixed.subnetID, address: address, position: position))
        }
        return .neighbor(neighbor, at: places)
    }
}
