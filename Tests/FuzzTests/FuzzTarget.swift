/// What reads bytes that others wrote. Whatever they are: nothing traps, nothing takes long, nothing grows without bound, and what is read is
/// consistent.
enum FuzzTarget: String, CaseIterable, Sendable {
    /// Netlink datagrams: links, addresses, routes, neighbors, tunnels' tables, answers and refusals.
    case links
    /// The same, as what happened meanwhile.
    case events
    /// Netlink datagrams of nf_tables: chains, sets, elements, rules.
    case nftables
    /// Netlink datagrams of connection tracking.
    case flows
    /// JSON: stored intents, and those of files.
    case json
    /// YAML: intents of files.
    case yaml
    /// Protobuf: a push.
    case push
    /// Protobuf, behind a byte that says which message: Alcor's goal states.
    case alcor
    /// Frames of HTTP/2, behind the client's first words.
    case frames
    /// A path and query of the debug socket.
    case query
    /// What the service manager says, a variable on each line.
    case environment

    /// Throws when what was read contradicts itself.
    func read(_ bytes: [UInt8]) throws {
        switch self {
        case .links: readLinks(bytes)
        case .events: readEvents(bytes)
        case .nftables: try readRuleset(bytes)
        case .flows: readFlows(bytes)
        case .json: try readJSON(bytes)
        case .yaml: try readYAML(bytes)
        case .push: try readPush(bytes)
        case .alcor: try readGoalState(bytes)
        case .frames: try readFrames(bytes)
        case .query: try readQuery(bytes)
        case .environment: readEnvironment(bytes)
        }
    }

    /// A law doesn't hold.
    struct Contradiction: Error, CustomStringConvertible {
        var description: String

        init(_ description: String) { self.description = description }
    }
}
