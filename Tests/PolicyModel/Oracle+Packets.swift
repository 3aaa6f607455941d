package import HostNetwork

/// A packet on its way, with the flow that it belongs to.
package struct PacketCase: CustomStringConvertible {
    /// The packet that opened the flow.
    package var flow: FlowCase
    /// The packet itself.
    package var packet: FlowCase
    package var tracking: Packet.Tracking
    package var mac: MAC

    package init(flow: FlowCase, packet: FlowCase, tracking: Packet.Tracking, mac: MAC) {
        self.flow = flow
        self.packet = packet
        self.tracking = tracking
        self.mac = mac
    }

    package var isReply: Bool { if case .flow(.reply, _) = tracking { true } else { false } }
    package var mark: UInt32? { if case .flow(_, let mark) = tracking { mark } else { nil } }
    package var description: String { "\(packet), from \(mac), \(tracking)" }
}

extension Oracle {
    /// Whether the flow's stamp is the one of the pod's binding in force.
    package func isFresh(_ packet: PacketCase, _ field: MarkLayout.Field, _ pod: Pod) -> Bool {
        guard let mark = packet.mark, isStamped(pod) else { return false }
        return mark & scene.layout.marks.mask(of: field) == scene.layout.marks.stamp(scene.epoch(of: pod.id), field)
    }

    /// Whether the pod's policy lets through what it sends, its source being its own, or what comes for it.
    private func passes(_ packet: PacketCase, _ direction: Rule.Direction, of pod: Pod) -> Bool {
        guard pod.portSecurity else { return true }
        guard !isDroppedAsInvalid(packet, pod) else { return false }
        // Which end of the flow the pod is says whose rules opened it.
        let opened: Rule.Direction = packet.isReply && !isStateless(pod) ? (direction == .egress ? .ingress : .egress) : direction
        let field: MarkLayout.Field = opened == .egress ? .sender : .receiver
        if direction == .egress, isErrorOfNothing(packet) { return false }
        let isEnd = direction == .egress || pod.addresses.contains(packet.packet.destination)
        return isEnd && isFresh(packet, field, pod) || allows(pod, opened, opened == direction ? packet.packet : packet.flow)
    }

    /// Whether what a pod sends to elsewhere leaves it.
    package func leaves(_ packet: PacketCase, _ pod: Pod) -> Bool {
        guard pod.portSecurity else { return true }
        return owns(pod, packet.mac, packet.packet.source) && !Self.isServing(packet.packet) && passes(packet, .egress, of: pod)
    }

    /// Whether what comes for a pod reaches it.
    package func reaches(_ packet: PacketCase, _ pod: Pod) -> Bool {
        passes(packet, .ingress, of: pod)
    }

    /// Whether what a pod sends to the host itself gets there.
    package func entersHost(_ packet: PacketCase, from pod: Pod) -> Bool {
        if pod.portSecurity, !owns(pod, packet.mac, packet.packet.source) {
            return packet.mac == pod.mac && Self.isNobody(packet.packet.source) && Self.isBootstrap(packet.packet)
        }
        if Self.isServing(packet.packet) { return false }
        if packet.isReply { return scene.layout.host.toPods == .allow || passes(packet, .egress, of: pod) }
        if case .icmp(let type, _) = packet.packet.transport, type == (packet.packet.family == .v4 ? 8 : 128),
            gateways.contains(packet.packet.destination)
        {
            return true
        }
        if Self.isBootstrap(packet.packet) { return true }
        return switch scene.layout.host.fromPods {
        case .replies: false
        case .allow: !isDroppedAsInvalid(packet, pod) && !isErrorOfNothing(packet)
        case .rules: passes(packet, .egress, of: pod)
        }
    }

    /// Whether what the host itself sends to a pod gets there.
    package func leavesHost(_ packet: PacketCase, to pod: Pod) -> Bool {
        let host = scene.layout.host
        if case .icmp(4, _) = packet.packet.transport, packet.packet.family == .v6 { return false }
        if Self.isError(packet.packet) || isAlwaysAnswered(packet.packet) { return true }
        guard packet.isReply else { return host.toPods == .allow || Self.isDiscovery(packet.packet) || reaches(packet, pod) }
        return switch host.fromPods {
        case .allow: true
        case .replies: host.toPods == .allow
        case .rules: reaches(packet, pod)
        }
    }

    /// By the setting, whatever the rules say; where tracking means nothing, or can't judge a protocol, it says nothing.
    private func isDroppedAsInvalid(_ packet: PacketCase, _ pod: Pod) -> Bool {
        if case .ports(.udplite, _, _) = packet.packet.transport { return false }
        return packet.tracking == .invalid && scene.layout.invalid == .drop && pod.portSecurity && !isStateless(pod)
    }

    /// An ICMP error about no flow that this host knows: no end of one sends it, and no router on the way of one.
    private func isErrorOfNothing(_ packet: PacketCase) -> Bool {
        guard packet.tracking == .invalid, case .icmp(let type, _) = packet.packet.transport else { return false }
        return packet.packet.family == .v4 ? [3, 4, 5, 11, 12].contains(type) : type < 128
    }

    /// The answers to a DHCP client, and to a ping of the gateway.
    private func isAlwaysAnswered(_ packet: FlowCase) -> Bool {
        switch packet.transport {
        case .ports(.udp, 67, 68), .ports(.udp, 547, 546): true
        case .icmp(let type, _): type == (packet.family == .v4 ? 0 : 129) && gateways.contains(packet.source)
        default: false
        }
    }

    private var gateways: [IPAddress] {
        scene.pods.flatMap { pod in pod.addresses.compactMap { scene.intents.networks[pod.network]?.subnet(of: $0)?.gateway } }
    }

    /// What the host's stack tells of packets: unreachable, too big, time exceeded, a wrong parameter.
    private static func isError(_ packet: FlowCase) -> Bool {
        guard case .icmp(let type, _) = packet.transport else { return false }
        return packet.family == .v4 ? [3, 11, 12].contains(type) : (1...4).contains(type)
    }

    /// No particular pod's: unspecified, or in IPv6 of the link alone.
    private static func isNobody(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let number): number == 0
        case .v6(let number): number == 0 || number >> 118 == 0xfe80 >> 6
        }
    }
}
