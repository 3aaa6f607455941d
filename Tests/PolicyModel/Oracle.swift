package import HostNetwork

/// A flow by the packet that opens it.
package struct FlowCase: Hashable, CustomStringConvertible {
    package var source: IPAddress
    package var destination: IPAddress
    package var transport: Packet.Transport

    package init(source: IPAddress, destination: IPAddress, transport: Packet.Transport) {
        self.source = source
        self.destination = destination
        self.transport = transport
    }

    package var family: Family { source.family }

    package var description: String { "\(source) to \(destination), \(transport)" }

    /// The packet that answers, where a flow has any.
    package var reply: FlowCase? {
        let answer: Packet.Transport
        switch transport {
        case .ports(let number, let from, let to): answer = .ports(number, source: to, destination: from)
        case .other: answer = transport
        case .icmp(let type, let code):
            let types: [UInt8: UInt8] = family == .v4 ? [8: 0, 13: 14, 15: 16, 17: 18] : [128: 129]
            guard let type = types[type] else { return nil }
            answer = .icmp(type: type, code: code)
        }
        return FlowCase(source: destination, destination: source, transport: answer)
    }

    package var content: Packet.Content { .ip(source: source, destination: destination, transport) }
}

/// What the intents say of flows, asked directly and slowly: nothing of rulesets is known here.
package struct Oracle {
    package var scene: Scene
    private var intents: Intents { scene.intents }

    package init(_ scene: Scene) { self.scene = scene }

    /// Whether a rule of the pod's groups allows a packet.
    package func allows(_ pod: Pod, _ direction: Rule.Direction, _ flow: FlowCase) -> Bool {
        let remote = direction == .egress ? flow.destination : flow.source
        return pod.securityGroups.compactMap { intents.group($0) }.filter { $0.network == nil || $0.network == pod.network }
            .flatMap(\.rules)
            .contains { rule in
                rule.direction == direction && (rule.family == nil || rule.family == flow.family) && matches(rule, flow)
                    && isRemote(remote, of: rule, in: pod.network)
            }
    }

    private func matches(_ rule: Rule, _ flow: FlowCase) -> Bool {
        switch flow.transport {
        case .ports(let number, let source, let destination):
            rule.icmp == nil && (rule.protocol == nil || rule.protocol == number) && rule.ports?.contains(destination) ?? true
                && rule.sourcePorts?.contains(source) ?? true
        case .icmp(let type, let code):
            (rule.protocol == nil || rule.protocol == (flow.family == .v4 ? .icmp : .icmpv6)) && rule.icmp?.type ?? type == type
                && rule.icmp?.code ?? code == code
        case .other(let number): rule.protocol == nil || rule.protocol?.number == number
        }
    }

    private func isRemote(_ address: IPAddress, of rule: Rule, in network: ID<Network>) -> Bool {
        switch rule.remote {
        case .anyone: return true
        case .cidr(let prefix): return prefix.contains(address)
        case .addressGroup(let id): return intents.addressGroups[id]?.cidrs.contains { $0.contains(address) } ?? false
        case .group(let id):
            guard let group = intents.group(id), group.network == nil || group.network == network else { return false }
            let pods = intents.pods.values.filter { $0.network == network && $0.securityGroups.contains(id) }
            let neighbors = intents.neighbors.values.filter { $0.network == network && $0.securityGroups.contains(id) }
            return pods.contains { $0.addresses.contains(address) || $0.allowedAddressPairs.contains { $0.address.contains(address) } }
                || neighbors.contains { $0.addresses.contains(address) }
        }
    }

    /// Whether its flows, once allowed, pass without being judged: not those of a pod that may share an address with another.
    package func isStamped(_ pod: Pod) -> Bool { pod.portSecurity && !isStateless(pod) && pod.allowedAddressPairs.isEmpty }

    package func isStateless(_ pod: Pod) -> Bool {
        let groups = intents.groups(of: pod)
        return !groups.isEmpty && groups.allSatisfy { !$0.stateful }
    }

    /// Whether the pod may send from here.
    package func owns(_ pod: Pod, _ mac: MAC, _ address: IPAddress) -> Bool {
        (mac == pod.mac && pod.addresses.contains(address))
            || pod.allowedAddressPairs.contains { ($0.mac ?? pod.mac) == mac && $0.address.contains(address) }
    }

    /// A DHCP server's words, or a router's.
    package static func isServing(_ packet: FlowCase) -> Bool {
        switch packet.transport {
        case .ports(.udp, 67, 68), .ports(.udp, 547, 546): true
        case .icmp(134, _), .icmp(137, _): packet.family == .v6
        case .icmp(5, _): packet.family == .v4
        default: false
        }
    }

    /// What every host must be able to say: DHCP as a client, neighbor discovery.
    package static func isDiscovery(_ packet: FlowCase) -> Bool {
        if case .icmp(let type, _) = packet.transport {
            packet.family == .v6 && [131, 132, 133, 135, 136, 143].contains(type)
        } else {
            false
        }
    }

    package static func isBootstrap(_ packet: FlowCase) -> Bool {
        switch packet.transport {
        case .ports(.udp, 68, 67), .ports(.udp, 546, 547): true
        default: isDiscovery(packet)
        }
    }
}
