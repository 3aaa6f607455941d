import HawserProtocol

/// The states of one message, whatever its version, in the order in which they are taken: each type leans on those before it.
struct GoalStates: Sendable {
    let formatVersion: UInt32
    private(set) var states: [AlcorState] = []
    let settings: Settings.Alcor

    init(_ message: Alcor_Schema_GoalState, _ settings: Settings.Alcor) {
        self.init(message.formatVersion, settings)
        add(message.vpcStates)
        add(message.subnetStates)
        add(message.securityGroupStates)
        add(message.portStates)
        add(message.neighborStates)
        add(message.routerStates)
        add(message.dhcpStates)
        add(message.gatewayStates)
    }

    /// Which resources are for which host (`host_resources`) isn't looked at: all that comes is meant for this one.
    init(_ message: Alcor_Schema_GoalStateV2, _ settings: Settings.Alcor) {
        self.init(message.formatVersion, settings)
        add(message.vpcStates.sorted)
        add(message.subnetStates.sorted)
        add(message.securityGroupStates.sorted)
        add(message.portStates.sorted)
        add(message.neighborStates.sorted)
        add(message.routerStates.sorted)
        add(message.dhcpStates.sorted)
        add(message.gatewayStates.sorted)
    }

    init(_ message: Alcor_Schema_NeighborRulesRequest, _ settings: Settings.Alcor) {
        self.init(message.formatVersion, settings)
        add(message.neigborstates)
    }

    private init(_ formatVersion: UInt32, _ settings: Settings.Alcor) {
        self.formatVersion = formatVersion
        self.settings = settings
    }

    private mutating func add(_ states: [some AlcorResource]) {
        self.states += states.map { AlcorState($0, settings) }
    }
}

extension Dictionary where Key == String {
    /// A map of the wire has no order of its own.
    fileprivate var sorted: [Value] { sorted { $0.key < $1.key }.map(\.value) }
}
