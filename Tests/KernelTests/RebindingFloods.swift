import HostNetwork
import Lab
import Testing

/// The ports of the floods, and the groups that allow them.
enum RebindingPolicy {
    static let always: UInt16 = 7000
    static let sometimes: UInt16 = 7100
    static let never: UInt16 = 7200

    /// Every group allows the first port, each in a way of its own; those with an odd number allow the second; none the third.
    static let groups: [ID<SecurityGroup>] = (0..<6).map { ID("g\($0)") }

    static func allowsSometimes(_ groups: [ID<SecurityGroup>]) -> Bool { groups.contains { ["g1", "g3", "g5"].contains($0) } }

    static func put(into intents: inout Intents) throws {
        try intents.put(AddressGroup(id: "here", cidrs: [Prefix("10.1.0.0/24"), Prefix("fd00:1::/64")]))
        try intents.put("open", Rule(id: "out", direction: .egress), Rule(id: "in", direction: .ingress))
        for (number, group) in groups.enumerated() {
            var rules = rules("always", remote(number), ports: number == 1 ? PortRange(6990, 7010) : PortRange(always, always + 1))
            if allowsSometimes([group]) { rules += self.rules("sometimes", .anyone, ports: PortRange(sometimes, sometimes + 1)) }
            try intents.put(SecurityGroup(id: group, network: "blue", rules: rules))
        }
    }

    private static func remote(_ number: Int) -> [Remote] {
        switch number {
        case 1: [.cidr(Prefix("10.1.0.0/24")), .cidr(Prefix("fd00:1::/64"))]
        case 2: [.group("open")]
        case 3: [.addressGroup("here")]
        default: [.anyone]
        }
    }

    private static func rules(_ name: String, _ remote: Remote, ports: PortRange?) -> [Rule] { rules(name, [remote], ports: ports) }

    private static func rules(_ name: String, _ remotes: [Remote], ports: PortRange?) -> [Rule] {
        var rules: [Rule] = []
        for remote in remotes {
            for direction in Rule.Direction.allCases {
                for number in [IPProtocol.udp, .tcp] {
                    rules.append(Rule(id: "\(name)-\(rules.count)", direction: direction, protocol: number, ports: ports, remote: remote))
                }
            }
        }
        return rules
    }
}

/// A flood of datagrams, and for each binding in force the numbers of those that were sent under it.
struct RebindingFlood {
    let name: String
    let flood: Flood
    /// Whether a binding to these groups allows it.
    let isAllowed: ([ID<SecurityGroup>]) -> Bool
    /// Sent wholly before the first number: under one binding; from the second on under the next.
    private var changes: [(before: Int, after: Int)] = []
    private var bindings: [Bool]
    private var groups: [ID<SecurityGroup>]
    /// Whether a change may have lost what was under way, though both bindings allow it (Docs/Operations.md, "Known limits").
    private var isTorn: [Bool] = []

    /// Datagrams that were on their way at the moment of a change: either binding may have judged them.
    private static let slack = 4

    init(
        _ name: String, from: LabPod, _ port: UInt16 = 0, to: LabPod, _ family: Family, port receiverPort: UInt16, opened: Bool = false,
        in groups: [ID<SecurityGroup>], isAllowed: @escaping ([ID<SecurityGroup>]) -> Bool
    ) throws {
        self.name = name
        self.isAllowed = isAllowed
        bindings = [isAllowed(groups)]
        self.groups = groups
        let sender = try UDP(in: from.namespace, at: from.address(family), port: port)
        let receiver = try UDP(in: to.namespace, at: to.address(family), port: receiverPort)
        // The receiver opened the flow, and says nothing any more.
        if opened { #expect(try receiver.reaches(sender, at: from.address(family), within: .seconds(5))) }
        flood = try Flood(from: sender, to: receiver, at: to.address(family), every: .milliseconds(1))
    }

    /// Carries out a change of the binding to `groups`, and takes note of what was sent before and after it.
    ///
    /// - Parameter isStamped: whether flows that are allowed pass by their stamps.
    static func across(
        _ floods: inout [RebindingFlood], to groups: [ID<SecurityGroup>], isStamped: Bool, _ change: () throws -> Void
    ) rethrows {
        let before = floods.map(\.flood.progress.sent)
        try change()
        for index in floods.indices {
            floods[index].changes.append((before[index], floods[index].flood.progress.sent))
            floods[index].isTorn.append(!isStamped && floods[index].isTorn(by: groups))
            floods[index].bindings.append(floods[index].isAllowed(groups))
            floods[index].groups = groups
        }
    }

    /// A packet that is judged by its rules asks slot by slot, and may meet the first ones as they were and the others as they are: then what
    /// allows it isn't met where that stands in earlier slots now than all that allowed it before.
    private func isTorn(by new: [ID<SecurityGroup>]) -> Bool {
        func slots(_ groups: [ID<SecurityGroup>]) -> [Int] { groups.sorted().enumerated().filter { isAllowed([$1]) }.map(\.offset) }
        guard let first = slots(groups).first, let last = slots(new).last else { return false }
        return last < first
    }

    /// What came of it: of those sent under a binding that allows it how many were lost, of those sent under another how many came.
    struct Result {
        var sent = 0
        var allowed = 0
        var lost: Numbers = []
        var leaked: Numbers = []
        var duplicated = 0
    }

    func stop(after least: Int) -> Result {
        let report = flood.stop(after: least)
        let missing = Set(report.lost)
        var result = Result(sent: report.sent, duplicated: report.duplicated)
        var start = 0
        for (index, isAllowed) in bindings.enumerated() {
            let change = index < changes.count ? changes[index] : (before: report.sent, after: report.sent)
            // Where both bindings say the same, it holds for what was sent in between, too.
            let stays = index + 1 >= bindings.count || bindings[index + 1] == isAllowed && !isTorn[index]
            let end = stays ? change.after : isAllowed ? change.before - Self.slack : change.before
            for number in start..<max(start, end) {
                if isAllowed {
                    result.allowed += 1
                    if missing.contains(number) { result.lost.append(number) }
                } else if !missing.contains(number) {
                    result.leaked.append(number)
                }
            }
            // The one that was being sent at the answer may have been judged before it.
            start = stays ? change.after : change.after + 1
        }
        return result
    }
}
