import HawserProtocol
import HostNetwork

extension Alcor_Schema_PortState {
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked {
        let configuration = configuration
        guard configuration.updateType == .full else {
            let value = configuration.updateType == .delta ? "DELTA" : "\(configuration.updateType.rawValue)"
            throw .alcor("update_type", value, "a port is told as a whole", valid: "FULL")
        }
        guard !configuration.fixedIps.isEmpty else {
            throw Rejected(intent: nil, field: "fixed_ips", reason: "missing", valid: "one address at least")
        }
        _ = try IPAddress.alcor(configuration.hostInfo.ipAddress, "host_info.ip_address")
        _ = try MAC.alcor(configuration.hostInfo.macAddress, "host_info.mac_address")
        let intent = try Document.validated(
            .pod,
            [
                ("id", .string(configuration.id)), ("network", .optional(configuration.vpcID)), ("namespace", try namespace()),
                ("mac", .string(configuration.macAddress)), ("addresses", .list(configuration.fixedIps.map { .string($0.ipAddress) })),
                ("securityGroups", .list(configuration.securityGroupIds.map { .string($0.id) })),
                (
                    "allowedAddressPairs",
                    .list(configuration.allowAddressPairs.map { ["address": .string($0.ipAddress), "mac": .optional($0.macAddress)] })
                ),
                ("adminUp", .bool(configuration.adminStateUp)), ("revision", .int(Int(configuration.revisionNumber))),
            ])
        guard case .pod(let pod) = intent else { throw Rejected(intent: nil, field: "", reason: "no pod") }
        var places: [AlcorState.Place] = []
        for (position, (address, fixed)) in zip(pod.addresses, configuration.fixedIps).enumerated() {
            guard !fixed.subnetID.isEmpty else {
                throw Rejected(intent: nil, field: "fixed_ips[\(position)].subnet_id", reason: "missing")
            }
            places.append(AlcorState.Place(subnet: fixed.subnetID, address: address, position: position))
        }
        return .port(pod, at: places, attachment: attachment)
    }

    /// The namespace is told by its name in the folder where `ip netns` and the runtimes put them.
    private func namespace() throws(Rejected) -> Document {
        let name = configuration.deviceID
        guard !name.isEmpty else { return .null }
        guard name.utf8.count <= 255, !name.utf8.contains(UInt8(ascii: "/")), ![".", ".."].contains(name) else {
            throw .alcor("device_id", name, "not the name of a network namespace", valid: "the name of a file in /run/netns")
        }
        return .string("/run/netns/" + name)
    }

    private var attachment: AlcorState.Attachment {
        if !configuration.deviceID.isEmpty { return .given }
        return operationType == .update && configuration.deviceOwner.isEmpty ? .detached : .unsaid
    }
}
