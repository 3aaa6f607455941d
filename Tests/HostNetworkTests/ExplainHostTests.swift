import HostNetwork
import OwnThreads
import Testing

@Suite("An explanation of what a pod and its host may say", .ownThreads) struct ExplainHostTests {
    private static let policies = HostPolicy.ToPods.allCases.flatMap { toPods in
        HostPolicy.FromPods.allCases.map { HostPolicy(toPods: toPods, fromPods: $0) }
    }

    /// A pod that may ask for names and serve the web, and may say everything if it is called `open`.
    private func explain(
        _ policy: HostPolicy, of pod: ID<Pod> = "web", _ direction: Rule.Direction, _ content: Question.Content,
        remote: String = "10.1.0.1",
        portSecurity: Bool = true
    ) throws -> Explanation {
        var intents = Intents()
        let subnet = Subnet(id: "four", cidr: try Prefix(parsing: "10.1.0.0/24"), gateway: try IPAddress(parsing: "10.1.0.1"))
        _ = try intents.upsert(.network(Network(id: "blue", subnets: [subnet])))
        let rules = [
            Rule(id: "names", direction: .egress, protocol: .udp, ports: PortRange(53)),
            Rule(id: "http", direction: .ingress, protocol: .tcp, ports: PortRange(80)),
        ]
        _ = try intents.upsert(.securityGroup(SecurityGroup(id: "web", rules: rules)))
        let open = [Rule(id: "in", direction: .ingress), Rule(id: "out", direction: .egress)]
        _ = try intents.upsert(.securityGroup(SecurityGroup(id: "open", rules: open)))
        for (number, id) in ["web", "open"].enumerated() {
            let address = IPAddress.v4(0x0a01_000a + UInt32(number))
            _ = try intents.upsert(
                .pod(
                    Pod(
                        id: ID(id), network: "blue", namespace: "/run/netns/\(id)", addresses: [address], securityGroups: [ID(id)],
                        portSecurity: portSecurity)))
        }
        let desired = Desired(intents: intents, layout: Layout(host: policy), attachable: ["web", "open"], epochs: [:])
        let remote = try IPAddress(parsing: remote)
        return try desired.explain(Question(pod: pod, direction: direction, remote: remote, content: content))
    }

    private static let names = Question.Content.ports(.udp, source: nil, destination: 53)
    private static let ssh = Question.Content.ports(.tcp, source: nil, destination: 22)
    private static let http = Question.Content.ports(.tcp, source: nil, destination: 80)

    @Test("says what the setting says of what a pod begins, and names the rule that decides", arguments: policies)
    func fromPods(policy: HostPolicy) throws {
        let (names, ssh) = (try explain(policy, .egress, Self.names), try explain(policy, .egress, Self.ssh))
        #expect(names.isAllowed == (policy.fromPods != .replies))
        #expect(ssh.isAllowed == (policy.fromPods == .allow))
        #expect(try explain(policy, .egress, .icmp(type: 8, code: 0)).isAllowed)
        switch policy.fromPods {
        case .replies: #expect(names.deciding?.reason.contains("host.fromPods is replies") == true)
        case .rules:
            #expect(names.deciding?.rule == "names" && names.deciding?.group == "web")
            #expect(ssh.deciding?.reason.contains("closest is rule names of group web") == true)
        case .allow: #expect(ssh.deciding?.rule == nil)
        }
    }

    @Test("says the same of what a pod says to everybody on its link, which is its host alone", arguments: policies)
    func broadcast(policy: HostPolicy) throws {
        let everybody = "255.255.255.255"
        #expect(try explain(policy, .egress, Self.names, remote: everybody).isAllowed == (policy.fromPods != .replies))
        #expect(try explain(policy, .egress, Self.ssh, remote: everybody).isAllowed == (policy.fromPods == .allow))
    }

    @Test("says what the setting says of what the host begins, and names the rule that decides", arguments: policies)
    func toPods(policy: HostPolicy) throws {
        let (http, ssh) = (try explain(policy, .ingress, Self.http), try explain(policy, .ingress, Self.ssh))
        #expect(http.isAllowed)
        #expect(ssh.isAllowed == (policy.toPods == .allow))
        switch policy.toPods {
        case .allow: #expect(http.deciding?.reason.contains("host.toPods is allow") == true)
        case .rules:
            #expect(http.deciding?.rule == "http" && http.deciding?.group == "web")
            #expect(ssh.deciding?.reason.contains("it is for port 80 only") == true)
        }
    }

    @Test("says that no pod serves DHCP or routes, whatever its rules, and why", arguments: policies, [true, false])
    func servers(policy: HostPolicy, portSecurity: Bool) throws {
        let answer = try explain(
            policy, of: "open", .egress, .ports(.udp, source: 67, destination: 68), portSecurity: portSecurity)
        #expect(!answer.isAllowed)
        #expect(answer.deciding?.reason.contains("no pod may be a DHCP server") == true)
        #expect(answer.deciding?.rule == nil)
    }
}
