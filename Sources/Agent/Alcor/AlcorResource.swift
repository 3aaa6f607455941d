import HawserProtocol
import HostNetwork
import SwiftProtobuf

/// One state of a goal state: what every type of resource has on Alcor's wire.
protocol AlcorResource: SwiftProtobuf.Message {
    static var type: Alcor_Schema_ResourceType { get }
    var operationType: Alcor_Schema_OperationType { get }
    /// As the sender has it, also where it isn't valid. The key of a map is no id: "L2/…".
    var id: String { get }
    var revision: UInt32 { get }

    /// What is asked by a state that is neither a question nor a deletion.
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked
}

extension Alcor_Schema_VpcState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .vpc }
    var id: String { configuration.id }
    var revision: UInt32 { configuration.revisionNumber }
}

extension Alcor_Schema_SubnetState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .subnet }
    var id: String { configuration.id }
    var revision: UInt32 { configuration.revisionNumber }
}

extension Alcor_Schema_SecurityGroupState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .securitygroup }
    var id: String { configuration.id }
    var revision: UInt32 { configuration.revisionNumber }
}

extension Alcor_Schema_PortState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .port }
    var id: String { configuration.id }
    var revision: UInt32 { configuration.revisionNumber }
}

extension Alcor_Schema_NeighborState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .neighbor }
    var id: String { configuration.id }
    var revision: UInt32 { configuration.revisionNumber }
}

extension Alcor_Schema_RouterState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .router }
    var id: String { configuration.id }
    var revision: UInt32 { configuration.revisionNumber }
}

extension Alcor_Schema_DHCPState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .dhcp }
    var id: String { configuration.id }
    var revision: UInt32 { configuration.revisionNumber }
}

extension Alcor_Schema_GatewayState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .gateway }
    var id: String { configuration.id }
    var revision: UInt32 { configuration.revisionNumber }
}
