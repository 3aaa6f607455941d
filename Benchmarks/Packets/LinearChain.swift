import HostNetwork

/// A policy as people write it for iptables: tracked flows first, then a rule for each rule, one after the other.
///
/// It does less than Hawser does: what a pod sends on a flow that is known isn't held against the pod's addresses, only IPv4 is filtered, and
/// nothing is said of the host itself.
struct LinearChain {
    var policy: PacketPolicy

    /// A file for `iptables-restore`. Only the client's and the server's rules are in it; of the other pods, what sends their packets elsewhere.
    var text: String {
        let (client, server) = (policy.client, policy.server)
        var lines = ["*filter", ":FORWARD ACCEPT", ":others -", ":members -"]
        for pod in [client, server] { lines += [":from-\(link(pod)) -", ":to-\(link(pod)) -"] }
        lines.append("-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
        for pod in 0..<policy.pods {
            lines.append("-A FORWARD -i \(link(pod)) -j \(pod == client || pod == server ? "from-\(link(pod))" : "others")")
        }
        for pod in 0..<policy.pods {
            lines.append("-A FORWARD -o \(link(pod)) -j \(pod == client || pod == server ? "to-\(link(pod))" : "others")")
        }
        lines += ["-A others -j DROP"] + policy.firstMembers.map { "-A members -s \($0) -j ACCEPT" }
        for pod in [client, server] { lines += own(pod) + rules(pod, .egress) + rules(pod, .ingress) }
        return (lines + ["COMMIT", ""]).joined(separator: "\n")
    }

    private func link(_ pod: Int) -> LinkName { LinkName(of: ID("pod-\(pod)")) }

    private func own(_ number: Int) -> [String] {
        let pod = policy.pod(number, "")
        return [
            "-A from-\(link(number)) ! -s \(policy.address(number)) -j DROP",
            "-A from-\(link(number)) -m mac ! --mac-source \(pod.mac) -j DROP",
        ]
    }

    /// What leaves a pod goes on to who gets it; what is allowed there passes.
    private func rules(_ pod: Int, _ direction: Rule.Direction) -> [String] {
        let chain = direction == .egress ? "from-\(link(pod))" : "to-\(link(pod))"
        let rules = policy.groups(of: pod).flatMap(\.rules).filter { $0.direction == direction && $0.family != .v6 }
        return rules.map { "-A \(chain)\(text($0)) -j \(verdict($0))" } + ["-A \(chain) -j DROP"]
    }

    private func text(_ rule: Rule) -> String {
        var words = ""
        if case .cidr(let cidr) = rule.remote { words += " -s \(cidr)" }
        if let number = rule.protocol { words += " -p \(number.number)" }
        if let ports = rule.ports { words += " -m \(rule.protocol?.number == 6 ? "tcp" : "udp") --dport \(ports.first)" }
        if let icmp = rule.icmp { words += " -m icmp --icmp-type \(icmp.type)" }
        // The members of the others are far away: one each.
        if case .group(let id) = rule.remote, !isFirst(id) { words += " -s 10.112.0.\(id.value.dropFirst(5))" }
        return words
    }

    private func verdict(_ rule: Rule) -> String {
        if case .group(let id) = rule.remote, isFirst(id) { return "members" }
        return rule.direction == .egress ? "RETURN" : "ACCEPT"
    }

    private func isFirst(_ id: ID<SecurityGroup>) -> Bool { id == policy.groups(of: policy.client)[1].id }
}
