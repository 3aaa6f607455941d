import HawserProtocol
import SwiftProtobuf

/// States as Alcor sends them, with what a test leaves unsaid.
enum AlcorSample {
    static func subnet(
        _ id: String = "subnet-1", vpc: String = "vpc-1", cidr: String = "10.1.0.0/24", gateway: String = "10.1.0.1", tunnel: UInt64 = 21,
        _ operation: Alcor_Schema_OperationType = .info
    ) -> Alcor_Schema_SubnetState {
        .with {
            $0.operationType = operation
            $0.configuration = .with {
                $0.revisionNumber = 1
                $0.id = id
                $0.vpcID = vpc
                $0.cidr = cidr
                $0.tunnelID = tunnel
                $0.gateway = .with { $0.ipAddress = gateway }
            }
        }
    }

    static func vpc(_ id: String = "vpc-1", _ operation: Alcor_Schema_OperationType = .info) -> Alcor_Schema_VpcState {
        .with {
            $0.operationType = operation
            $0.configuration = .with {
                $0.revisionNumber = 1
                $0.id = id
                $0.cidr = "10.0.0.0/8"
            }
        }
    }

    /// `number`: of its address, and of its MAC, which Alcor writes in several ways.
    static func port(
        _ id: String, _ number: Int, groups: [String] = [], subnet: String = "subnet-1", device: String = "",
        _ operation: Alcor_Schema_OperationType = .create
    ) -> Alcor_Schema_PortState {
        .with {
            $0.operationType = operation
            $0.configuration = .with {
                $0.revisionNumber = 1
                $0.updateType = .full
                $0.id = id
                $0.vpcID = "vpc-1"
                $0.deviceID = device
                $0.deviceOwner = device.isEmpty ? "" : "compute:nova"
                $0.macAddress = "2:0:0:1:0:\(String(number, radix: 16))"
                $0.adminStateUp = true
                $0.fixedIps = [.with { ($0.subnetID, $0.ipAddress) = (subnet, "10.1.0.\(number)") }]
                $0.securityGroupIds = groups.map { group in .with { $0.id = group } }
            }
        }
    }

    static func neighbor(
        _ id: String, _ address: String, groups: [String] = [], subnet: String = "subnet-1", _ operation: Alcor_Schema_OperationType = .info
    ) -> Alcor_Schema_NeighborState {
        .with {
            $0.operationType = operation
            $0.configuration = .with {
                $0.revisionNumber = 1
                $0.id = id
                $0.vpcID = "vpc-1"
                $0.macAddress = "AA-BB-CC-05-BA-E0"
                $0.hostIpAddress = "192.0.2.7"
                $0.fixedIps = [.with { ($0.subnetID, $0.ipAddress) = (subnet, address) }]
                $0.securityGroupIds = groups.map { group in .with { $0.id = group } }
            }
        }
    }

    static func group(
        _ id: String, _ rules: [Alcor_Schema_SecurityGroupConfiguration.SecurityGroupRule],
        _ operation: Alcor_Schema_OperationType = .create, _ update: Alcor_Schema_UpdateType = .delta
    ) -> Alcor_Schema_SecurityGroupState {
        .with {
            $0.operationType = operation
            $0.configuration = .with {
                $0.revisionNumber = 1
                $0.id = id
                $0.updateType = update
                $0.securityGroupRules = rules
            }
        }
    }

    static func rule(
        _ id: String, _ direction: Alcor_Schema_SecurityGroupConfiguration.Direction = .ingress,
        _ protocol: Alcor_Schema_Protocol = .tcp, _ first: UInt32 = 0, _ last: UInt32 = 0, prefix: String = "", group: String = "",
        _ operation: Alcor_Schema_OperationType = .info
    ) -> Alcor_Schema_SecurityGroupConfiguration.SecurityGroupRule {
        .with {
            $0.operationType = operation
            $0.id = id
            $0.direction = direction
            $0.protocol = `protocol`
            $0.portRangeMin = first
            $0.portRangeMax = last
            $0.remoteIpPrefix = prefix
            $0.remoteGroupID = group
        }
    }
}

extension Alcor_Schema_GoalState {
    /// The same states under keys, some of which aren't their ids.
    var second: Alcor_Schema_GoalStateV2 {
        func keyed<State>(_ states: [State], _ key: (Int, State) -> String) -> [String: State] {
            Dictionary(uniqueKeysWithValues: states.enumerated().map { (key($0, $1), $1) })
        }
        return .with {
            $0.formatVersion = formatVersion
            $0.vpcStates = keyed(vpcStates) { "\($1.configuration.id)/\($0 + 100)" }
            $0.subnetStates = keyed(subnetStates) { index, _ in "\(index + 100)" }
            $0.portStates = keyed(portStates) { index, _ in "\(index + 100)" }
            $0.neighborStates = keyed(neighborStates) { index, _ in "L2/\(index + 100)" }
            $0.securityGroupStates = keyed(securityGroupStates) { index, _ in "\(index + 100)" }
            $0.dhcpStates = keyed(dhcpStates) { index, _ in "\(index + 100)" }
            $0.routerStates = keyed(routerStates) { index, _ in "\(index + 100)" }
            $0.gatewayStates = keyed(gatewayStates) { index, _ in "\(index + 100)" }
        }
    }
}
