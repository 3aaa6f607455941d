import Lab

/// A pod that is bound to one of two groups, one that comes and goes, and two that nobody touches.
struct FaultPlace: Sendable {
    /// The ports that one of the two policies opens alone, the one that both open, and the one that neither does.
    static let (first, second, both, neither): (UInt16, UInt16, UInt16, UInt16) = (7000, 7100, 7001, 7200)
    /// Both open it, for what is sent all the time: a probe's socket would take what comes to another of the same port.
    static let steady: UInt16 = 7002

    let host: DaemonHost
    let web: DaemonPod
    let extra: DaemonPod
    let quiet: [DaemonPod]

    init() throws {
        host = try DaemonHost()
        web = try host.pod("web", 10)
        extra = try host.pod("extra", 11)
        quiet = try [host.pod("quiet-1", 20), host.pod("quiet-2", 21)]
    }

    static let groups: [String: [UInt16]] = ["a": [first, both, steady], "b": [second, both, steady]]

    func everything(_ group: String, isExtra: Bool) -> String {
        let groups = DaemonHost.groups(Self.groups)
        let pods = quiet.map { $0.yaml("open") }.joined() + web.yaml(group) + (isExtra ? extra.yaml("open", group) : "")
        return groups + "pods:\n" + pods
    }

    /// The same in a network that is a routing domain of its own.
    static func isolated(_ yaml: String) -> String { yaml.replacing("- id: blue\n", with: "- id: blue\n    isolated: true\n") }

    /// The group whose ports of the pod's are open; where those of none or of both are, or the one that neither opens, the open ports.
    func policy(_ family: Int) throws -> String {
        let open = try [Self.first, Self.second, Self.neither].filter { port in
            try web.isReached(at: port, from: quiet[0], family, witness: Self.both)
        }
        return switch open {
        case [Self.first]: "a"
        case [Self.second]: "b"
        default: open.map(String.init).joined(separator: ", ")
        }
    }

    /// A flood between the pods that nobody touches, and one to a port that is never open.
    func floods() throws -> FaultFloods {
        let (from, to) = (quiet[0], quiet[1])
        let untouched = try Flood(
            from: UDP(in: from.namespace, at: from.ipv6), to: UDP(in: to.namespace, at: to.ipv6, port: 7000), at: to.ipv6,
            every: .milliseconds(1))
        // Its own port: a probe's socket would take what comes to the other.
        let never = try Flood(
            from: UDP(in: from.namespace, at: from.ipv4), to: UDP(in: web.namespace, at: web.ipv4, port: Self.neither + 1),
            at: web.ipv4, every: .milliseconds(1))
        return FaultFloods(untouched: untouched, never: never)
    }
}
