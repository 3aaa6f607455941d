import HawserProtocol
import HostNetwork

/// One state of a goal state, translated by itself: what is asked, or why it can't be.
struct AlcorState: Sendable {
    enum Asked: Sendable {
        /// Something in it can't be valid.
        case refused(Rejected)
        /// Whether it is known; nothing changes.
        case question
        case deletion
        case vpc(ID<Network>)
        case subnet(Subnet, of: ID<Network>)
        case group(GroupEdit)
        case port(Pod, at: [Place], attachment: Attachment)
        case neighbor(Neighbor, at: [Place])
        /// As it came: its rules may be changes to what is in force.
        case router(Alcor_Schema_RouterState)
        /// To be remembered; `note` says what of it has no effect.
        case record(note: String?)
    }

    /// An address, and the subnet that it is said to be of.
    struct Place: Hashable, Sendable {
        var subnet: String
        var address: IPAddress
        /// Which of the fixed addresses it is.
        var position: Int

        /// Its field on the wire, for refusals.
        var field: String { "fixed_ips[\(position)].ip_address" }
    }

    /// What a port says about its pod's namespace.
    enum Attachment: Hashable, Sendable {
        /// It is named.
        case given
        /// Nothing: what is known of it stays.
        case unsaid
        /// There is none any more.
        case detached
    }

    let type: Alcor_Schema_ResourceType
    /// As the sender has it, also where it isn't valid.
    let id: String
    let operation: Alcor_Schema_OperationType
    let revision: UInt32
    var asked: Asked
    /// As it came, to be remembered.
    let wire: any AlcorResource

    init<State: AlcorResource>(_ wire: State, _ settings: Settings.Alcor) {
        let configuration = wire.configuration
        type = State.type
        id = configuration.id
        operation = wire.operationType
        revision = configuration.revisionNumber
        self.wire = wire
        do throws(Rejected) { asked = try Self.asked(of: wire, settings) } catch { asked = .refused(error) }
    }

    private static func asked<State: AlcorResource>(of wire: State, _ settings: Settings.Alcor) throws(Rejected) -> Asked {
        guard IDText.isValid(wire.id) else {
            throw Rejected(intent: nil, field: "id", value: wire.id, reason: wire.id.isEmpty ? "missing" : "not an id", valid: IDText.valid)
        }
        switch wire.operationType {
        case .get: return .question
        // For the resources of one host, Alcor's own agent takes INFO for a question, too.
        case .info where State.type == .port: return .question
        case .info, .create, .update: return try wire.upsert(settings)
        case .delete: return .deletion
        case .UNRECOGNIZED(let number):
            throw Rejected(intent: nil, field: "operation_type", value: "\(number)", reason: "unknown", valid: "0 to 4")
        }
    }

    /// Its name among the intents; nil for what is none by itself.
    var intent: IntentID? {
        switch type {
        case .vpc: IntentID(.network, id)
        case .securitygroup: IntentID(.securityGroup, id)
        case .port: IntentID(.pod, id)
        case .neighbor: IntentID(.neighbor, id)
        case .subnet, .router, .dhcp, .gateway, .UNRECOGNIZED: nil
        }
    }

    /// What its intent is to be, where it tells of a whole one.
    var wanted: Intent? {
        switch asked {
        case .group(let edit): .securityGroup(edit.group)
        case .port(let pod, _, _): .pod(pod)
        case .neighbor(let neighbor, _): .neighbor(neighbor)
        case .refused, .question, .deletion, .vpc, .subnet, .router, .record: nil
        }
    }
}
