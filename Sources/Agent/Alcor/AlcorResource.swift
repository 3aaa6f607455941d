import HawserProtocol
import HostNetwork
import SwiftProtobuf

/// What a state says of its resource: every type's has these two.
protocol AlcorConfiguration {
    var id: String { get }
    var revisionNumber: UInt32 { get }
}

/// One state of a goal state: what every type of resource has on Alcor's wire.
protocol AlcorResource: SwiftProtobuf.Message {
    associatedtype Configuration: AlcorConfiguration

    static var type: Alcor_Schema_ResourceType { get }
    var operationType: Alcor_Schema_OperationType { get }
    var configuration: Configuration { get }

    /// What is asked by a state that is neither a question nor a deletion.
    func upsert(_ settings: Settings.Alcor) throws(Rejected) -> AlcorState.Asked
}

extension AlcorResource {
    /// As the sender has it, also where it isn't valid. The key of a map is no id: "L2/…".
    var id: String { configuration.id }
    var revision: UInt32 { configuration.revisionNumber }
}

extension Alcor_Schema_VpcState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .vpc }
}

extension Alcor_Schema_SubnetState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .subnet }
}

extension Alcor_Schema_SecurityGroupState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .securitygroup }
}

extension Alcor_Schema_PortState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .port }
}

extension Alcor_Schema_NeighborState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .neighbor }
}

extension Alcor_Schema_RouterState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .router }
}

extension Alcor_Schema_DHCPState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .dhcp }
}

extension Alcor_Schema_GatewayState: AlcorResource {
    static var type: Alcor_Schema_ResourceType { .gateway }
}

extension Alcor_Schema_VpcConfiguration: AlcorConfiguration {}
extension Alcor_Schema_SubnetConfiguration: AlcorConfiguration {}
extension Alcor_Schema_SecurityGroupConfiguration: AlcorConfiguration {}
extension Alcor_Schema_PortConfiguration: AlcorConfiguration {}
extension Alcor_Schema_NeighborConfiguration: AlcorConfiguration {}
extension Alcor_Schema_RouterConfiguration: AlcorConfiguration {}
extension Alcor_Schema_DHCPConfiguration: AlcorConfiguration {}
extension Alcor_Schema_GatewayConfiguration: AlcorConfiguration {}
