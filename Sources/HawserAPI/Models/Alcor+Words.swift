package import HawserProtocol

// Names as Alcor's schema has them, for people; a number where it has none.

extension Alcor_Schema_ResourceType {
    package var word: String {
        switch self {
        case .vpc: "VPC"
        case .subnet: "SUBNET"
        case .port: "PORT"
        case .neighbor: "NEIGHBOR"
        case .securitygroup: "SECURITYGROUP"
        case .dhcp: "DHCP"
        case .router: "ROUTER"
        case .gateway: "GATEWAY"
        case .UNRECOGNIZED(let number): "\(number)"
        }
    }
}

extension Alcor_Schema_OperationType {
    package var word: String {
        switch self {
        case .info: "INFO"
        case .create: "CREATE"
        case .update: "UPDATE"
        case .get: "GET"
        case .delete: "DELETE"
        case .UNRECOGNIZED(let number): "\(number)"
        }
    }
}

extension Alcor_Schema_OperationStatus {
    package var word: String {
        switch self {
        case .success: "SUCCESS"
        case .failure: "FAILURE"
        case .invalidArg: "INVALID_ARG"
        case .pending: "PENDING"
        case .outOfOrder: "OUT_OF_ORDER"
        case .UNRECOGNIZED(let number): "\(number)"
        }
    }
}
