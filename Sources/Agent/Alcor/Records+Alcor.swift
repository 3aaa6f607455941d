import HawserProtocol
import HostNetwork

// What this version remembers and doesn't act on.

extension Alcor_Schema_DHCPState {
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked {
        _ = try MAC.alcor(configuration.macAddress, "mac_address")
        _ = try IPAddress.alcor(configuration.ipv4Address, "ipv4_address")
        _ = try IPAddress.alcor(configuration.ipv6Address, "ipv6_address")
        return .record(note: nil)
    }
}

extension Alcor_Schema_GatewayState {
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked {
        for (position, destination) in configuration.destinations.enumerated() {
            _ = try IPAddress.alcor(destination.ipAddress, "destinations[\(position)].ip_address")
            _ = try MAC.alcor(destination.macAddress, "destinations[\(position)].mac_address")
        }
        return .record(note: "remembered; this version doesn't act on gateways")
    }
}
