/// A question of the operator's: may this pod open, or be opened, such a flow?
package struct Question: Hashable, Sendable {
    package var pod: ID<Pod>
    package var direction: Rule.Direction
    package var remote: IPAddress
    package var content: Content
    /// Where the host's own routing sends what is for the remote, as only the kernel knows.
    package var hostRoute = HostRoute.unknown

    /// What of a packet the rules look at. What is left out is taken to be something that no rule names in particular, so only
    /// rules that leave it open, too, allow it.
    package enum Content: Hashable, Sendable {
        case anyProtocol
        case other(IPProtocol)
        case ports(IPProtocol, source: UInt16?, destination: UInt16?)
        case icmp(type: UInt8?, code: UInt8?)
    }

    package init(pod: ID<Pod>, direction: Rule.Direction, remote: IPAddress, content: Content = .anyProtocol) {
        self.pod = pod
        self.direction = direction
        self.remote = remote
        self.content = content
    }

    /// "egress tcp 5432 to 10.1.0.20"
    package var text: String {
        let what =
            switch content {
            case .anyProtocol: "any protocol"
            case .other(let number): "protocol \(number)"
            case .ports(let number, let source, let destination):
                "\(number)\(destination.map { " \($0)" } ?? "")\(source.map { " source port \($0)" } ?? "")"
            case .icmp(let type, let code):
                "\(remote.family == .v4 ? "icmp" : "icmpv6")\(type.map { " type \($0)" } ?? "")\(code.map { " code \($0)" } ?? "")"
            }
        return "\(direction.rawValue) \(what) \(direction == .egress ? "to" : "from") \(remote)"
    }

    /// Of the first packet. A message that isn't said which is taken for one that can begin a flow.
    var tracking: Packet.Tracking {
        if case .icmp(nil, _) = content { return .flow(.original, mark: 0) }
        return transport.opening(remote.family)
    }

    var transport: Packet.Transport {
        switch content {
        // RFC 3692: numbers that nobody uses but to experiment.
        case .anyProtocol: .other(253)
        case .other(let number): .other(number.number)
        case .ports(let number, let source, let destination): .ports(number, source: source ?? 0, destination: destination ?? 0)
        case .icmp(let type, let code): .icmp(type: type ?? 255, code: code ?? 255)
        }
    }
}

/// Why a question has no answer.
package enum Unanswerable: Error, Hashable, Sendable, CustomStringConvertible {
    case unknown(ID<Pod>)
    case withoutAddress(ID<Pod>, Family)
    case itself(IPAddress, ID<Pod>)

    package var description: String {
        switch self {
        case .unknown(let pod): "there is no pod \(pod)"
        case .withoutAddress(let pod, let family):
            "pod \(pod) has no \(family) address, so nothing of that family goes there or comes from it"
        case .itself(let address, let pod): "\(address) is pod \(pod)'s own address: what it says to itself never leaves it"
        }
    }
}

/// The answer, with the reasons.
package struct Explanation: Hashable, Sendable {
    /// What one pod's policy says: of the sender's egress, or of the receiver's ingress.
    package struct Half: Hashable, Sendable {
        package var pod: ID<Pod>
        package var direction: Rule.Direction
        package var isAllowed: Bool
        /// What decides; nil where nothing allows it, or where policy has no say.
        package var group: ID<SecurityGroup>?
        package var rule: String?
        /// A sentence.
        package var reason: String
    }

    /// The network of the pod that was asked about.
    package var network: ID<Network>
    /// In the order in which a packet meets them.
    package var halves: [Half]
    /// Where what is for the remote goes, if its sender's policy lets it.
    package var route: TakenRoute

    package var isAllowed: Bool { halves.allSatisfy(\.isAllowed) }
    /// The half that decides: the first that denies, or else the one that was asked about.
    package var deciding: Half? { halves.first { !$0.isAllowed } ?? asked }
    fileprivate var asked: Half?
}

extension Desired {
    /// What the rules that this state programs say to the first packet of a flow.
    package func explain(_ question: Question) throws(Unanswerable) -> Explanation { try explain(question, by: Evaluator(state)) }

    /// The same of many questions, for which the state is read once.
    package func explain(_ question: Question, by evaluator: Evaluator) throws(Unanswerable) -> Explanation {
        guard let pod = intents.pods[question.pod] else { throw .unknown(question.pod) }
        if pod.addresses.contains(question.remote) { throw .itself(question.remote, pod.id) }
        guard let own = pod.addresses.first(where: { $0.family == question.remote.family }) else {
            throw .withoutAddress(pod.id, question.remote.family)
        }
        let mine = half(of: pod, at: own, question, isAsked: true, evaluator)
        var halves = [mine]
        if let other = intents.pod(at: question.remote, seenFrom: pod.network) {
            var mirrored = question
            mirrored.pod = other.id
            mirrored.direction = question.direction == .egress ? .ingress : .egress
            mirrored.remote = own
            let theirs = half(of: other, at: question.remote, mirrored, isAsked: false, evaluator)
            if question.direction == .egress { halves.append(theirs) } else { halves.insert(theirs, at: 0) }
        }
        let route = route(for: question, of: pod, at: own)
        // What goes to somebody by way of a pod here is judged as what that one receives, too.
        if question.direction == .egress, route.nextHop != nil, case .pod(let id) = route.end, let hop = intents.pods[id] {
            var passing = question
            (passing.pod, passing.direction, passing.remote) = (id, .ingress, own)
            halves.append(half(of: hop, at: question.remote, passing, isAsked: false, evaluator))
        }
        return Explanation(network: pod.network, halves: halves, route: route, asked: mine)
    }

    private func half(of pod: Pod, at own: IPAddress, _ question: Question, isAsked: Bool, _ evaluator: Evaluator) -> Explanation.Half {
        var half = Explanation.Half(pod: pod.id, direction: question.direction, isAllowed: false, reason: "")
        guard state[.link(LinkName(of: pod.id))] != nil else {
            half.reason = "pod \(pod.id) isn't attached, so nothing reaches it or leaves it"
            return half
        }
        let judgement = evaluator.judge(packet(of: pod, at: own, question))
        half.isAllowed = judgement.isAccepted
        guard let reason = judgement.decision?.reason else {
            half.reason = "the host may reach its pods (host.toPods is allow)"
            return half
        }
        if judgement.isAccepted, reason.because.kind == .securityGroup {
            half.group = ID(reason.because.id)
            let rule = intents.group(ID(reason.because.id))?.rules.first { Entry.comment($0.id) == reason.comment }
            half.rule = rule?.id ?? reason.comment
            half.reason = "rule \(reason.comment) of group \(reason.because.id)\(rule.map { " (\($0.text))" } ?? "") allows it"
        } else if judgement.isAccepted {
            half.reason =
                pod.portSecurity
                ? "this passes for every pod, whatever its rules say" : "pod \(pod.id) has no port security, so nothing is filtered"
        } else if judgement.decision.map({ Layout.serving.contains($0.chain) }) ?? false {
            half.reason = "no pod may be a DHCP server or a router to others, whatever its rules say"
        } else if judgement.decision?.chain == Layout.tunnelling {
            half.reason = "no pod may send VXLAN packets (UDP port \(Tunnel.port)) to anything but pods, whatever its rules say"
        } else if question.direction == .egress, judgement.decision?.chain == Layout.invalid(.out) {
            half.reason = "an ICMP error passes only about a flow that the pod is an end of, or forwards"
        } else if isHost(question), question.direction == .egress, layout.host.fromPods == .replies {
            half.reason =
                "the host takes only replies, DHCP, neighbor discovery and ping of the gateway from its pods (host.fromPods is replies)"
        } else {
            half.reason = denial(of: pod, question)
        }
        return half
    }

    private func packet(of pod: Pod, at own: IPAddress, _ question: Question) -> Packet {
        let link = Packet.Interface(of: pod.id)
        let isEgress = question.direction == .egress
        let content = Packet.Content.ip(
            source: isEgress ? own : question.remote, destination: isEgress ? question.remote : own, question.transport)
        let hook: Chain.Hook = isHost(question) ? (isEgress ? .input : .output) : .forward
        return Packet(
            hook, from: isEgress ? link : nil, to: isEgress ? nil : link, etherSource: isEgress ? pod.mac : nil, content,
            question.tracking)
    }

    /// Whether the remote is the host itself: it is said to be, or it is a gateway, of whatever network that has pods here. What a pod says
    /// to everybody on its link ends at the host, too: nobody forwards it (RFC 1812, 5.3.5.1).
    func isHost(_ question: Question) -> Bool {
        if question.remote == .v4(.max) { return true }
        let key = KeyBytes.of { $0.address(question.remote) }
        return question.hostRoute == .local || state.contains(.element(Element(Layout.gateways(question.remote.family).id, key)))
    }

    // MARK: Why not

    private func denial(of pod: Pod, _ question: Question) -> String {
        let groups = intents.groups(of: pod)
        let names = groups.map(\.id.value).joined(separator: ", ")
        let misses = groups.flatMap { group in
            group.rules.filter { $0.direction == question.direction }.map { rule in
                (rule: rule, group: group, misses: intents.misses(of: rule, question, in: pod.network))
            }
        }
        let nothing =
            groups.isEmpty
            ? "pod \(pod.id) is bound to no group that is known" : "no rule of pod \(pod.id)'s groups (\(names)) allows \(question.text)"
        guard let fewest = misses.map(\.misses.count).min(), fewest > 0 else { return nothing }
        let closest = misses.filter { $0.misses.count == fewest }.prefix(2).map { miss in
            "rule \(miss.rule.id) of group \(miss.group.id) (\(miss.rule.text)): \(miss.misses.joined(separator: ", "))"
        }
        return "\(nothing); closest is \(closest.joined(separator: "; or "))"
    }
}

extension Intents {
    /// What would have to be otherwise for a rule to allow what is asked about.
    fileprivate func misses(of rule: Rule, _ question: Question, in network: ID<Network>) -> [String] {
        var misses: [String] = []
        if let family = rule.family, family != question.remote.family { misses.append("it is for \(family) only") }
        misses += numbers(of: rule, question.content, question.remote.family)
        switch rule.remote {
        case .anyone: break
        case .cidr(let cidr): if !cidr.contains(question.remote) { misses.append("\(question.remote) isn't in \(cidr)") }
        case .group(let id):
            if !isMember(question.remote, of: id, in: network) { misses.append("\(question.remote) isn't a member of group \(id)") }
        case .addressGroup(let id):
            let cidrs = addressGroups[id]?.cidrs ?? []
            if !cidrs.contains(where: { $0.contains(question.remote) }) { misses.append("\(question.remote) isn't in address group \(id)") }
        }
        return misses
    }

    private func numbers(of rule: Rule, _ content: Question.Content, _ family: Family) -> [String] {
        guard let wanted = rule.protocol else { return [] }
        let asked: IPProtocol? =
            switch content {
            case .anyProtocol: nil
            case .other(let number), .ports(let number, _, _): number
            case .icmp: family == .v4 ? .icmp : .icmpv6
            }
        guard wanted == asked else { return ["it is for \(wanted) only"] }
        var misses: [String] = []
        if case .ports(_, let source, let destination) = content {
            if let ports = rule.ports, !(destination.map(ports.contains) ?? false) { misses.append("it is for port \(ports) only") }
            if let ports = rule.sourcePorts, !(source.map(ports.contains) ?? false) { misses.append("it is for source port \(ports) only") }
        }
        if case .icmp(let type, let code) = content, let icmp = rule.icmp {
            if type != icmp.type { misses.append("it is for type \(icmp.type) only") }
            if let wanted = icmp.code, wanted != code { misses.append("it is for code \(wanted) only") }
        }
        return misses
    }

    private func isMember(_ address: IPAddress, of group: ID<SecurityGroup>, in network: ID<Network>) -> Bool {
        members(of: group, in: network).contains { id in
            guard let membership = membership(of: id) else { return false }
            return membership.singles.contains(address) || membership.ranges.contains { $0.contains(address) }
        }
    }
}
