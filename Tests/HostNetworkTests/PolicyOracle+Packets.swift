import HostNetwork

/// A packet on its way, with the flow that it belongs to.
struct PacketCase: CustomStringConvertible {
    /// The packet that opened the flow.
    var flow: FlowCase
    /// The packet itself.
    var packet: FlowCase
    var tracking: Packet.Tracking
    var mac: MAC

    var isReply: Bool { if case .flow(.reply, _) = tracking { true } else { false } }
    var mark: UInt32? { if case .flow(_, let mark) = tracking { mark } else { nil } }
    var description: String { "\(packet), from \(mac), \(tracking)" }
}

extension Oracle {
    /// Whether the flow's stamp is the one of the pod's binding in force.
    func isFresh(_ packet: PacketCase, _ field: MarkLayout.Field, _ pod: Pod) -> Bool {
        guard let mark = packet.mark, !isStateless(pod), pod.portSecurity else { return false }
        return mark & scene.layout.marks.mask(of: field) == scene.layout.marks.stamp(scene.epoch(of: pod.id), field)
    }

    /// Whether the pod's policy lets through what it sends, its source being its own.
    private func passesOut(_ packet: PacketCase, of pod: Pod) -> Bool {
        guard pod.portSecurity else { return true }
        guard packet.isReply, !isStateless(pod) else { return isFresh(packet, .sender, pod) || allows(pod, .egress, packet.packet) }
        return isFresh(packet, .receiver, pod) || allows(pod, .ingress, packet.flow)
    }

    /// Whether what a pod sends to elsewhere leaves it.
    func leaves(_ packet: PacketCase, _ pod: Pod) -> Bool {
        guard pod.portSecurity else { return true }
        return owns(pod, packet.mac, packet.packet.source) && !Self.isServing(packet.packet) && passesOut(packet, of: pod)
    }

    /// Whether what comes for a pod reaches it.
    func reaches(_ packet: PacketCase, _ pod: Pod) -> Bool {
        guard pod.portSecurity else { return true }
        guard packet.isReply, !isStateless(pod) else { return isFresh(packet, .receiver, pod) || allows(pod, .ingress, packet.packet) }
        return isFresh(packet, .sender, pod) || allows(pod, .egress, packet.flow)
    }

    /// Whether what a pod sends to the host itself gets there.
    func entersHost(_ packet: PacketCase, from pod: Pod) -> Bool {
        if pod.portSecurity, !owns(pod, packet.mac, packet.packet.source) {
            return packet.mac == pod.mac && Self.isNobody(packet.packet.source) && Self.isBootstrap(packet.packet)
        }
        if packet.isReply { return scene.layout.host.toPods == .allow || passesOut(packet, of: pod) }
        let gateways = scene.pods.flatMap { pod in
            pod.addresses.compactMap { scene.intents.networks[pod.network]?.subnet(of: $0)?.gateway }
        }
        if case .icmp(let type, _) = packet.packet.transport, type == (packet.packet.family == .v4 ? 8 : 128),
            gateways.contains(packet.packet.destination)
        {
            return true
        }
        if Self.isBootstrap(packet.packet) { return true }
        return switch scene.layout.host.fromPods {
        case .replies: false
        case .allow: true
        case .rules: !Self.isServing(packet.packet) && passesOut(packet, of: pod)
        }
    }

    /// Whether what the host itself sends to a pod gets there.
    func leavesHost(_ packet: PacketCase, to pod: Pod) -> Bool {
        scene.layout.host.toPods == .allow || packet.isReply || Self.isDiscovery(packet.packet) || reaches(packet, pod)
    }

    /// No particular pod's: unspecified, or in IPv6 of the link alone.
    private static func isNobody(_ address: IPAddress) -> Bool {
        switch address {
        case .v4(let number): number == 0
        case .v6(let number): number == 0 || number >> 118 == 0xfe80 >> 6
        }
    }
}
