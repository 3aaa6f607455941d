import HostNetwork
import PolicyModel

/// The flows that the host tracks, as a model of nf_conntrack: enough of it for the packets that are sent here.
struct DifferentialFlows {
    /// What tells flows apart, of the packet that opens one.
    struct Tuple: Hashable {
        var source: IPAddress
        var destination: IPAddress
        var number: UInt8
        var sourcePort: UInt16
        var destinationPort: UInt16
    }

    struct Tracked {
        var opener: Probe
        var mark: UInt32
        /// Of TCP: whether the other side has answered.
        var isAnswered = false
    }

    private(set) var flows: [Tuple: Tracked] = [:]
    /// In the order in which they were opened.
    private(set) var order: [Tuple] = []
    /// Taken by packets of which it isn't certain what tracking makes of them.
    private var spent: Set<Tuple> = []

    /// Whether neither it nor its answer would belong to anything that was sent before.
    mutating func claim(_ probe: Probe) -> Bool {
        let tuples = probe.tuples
        guard tuples.allSatisfy({ flows[$0] == nil && !spent.contains($0) }) else { return false }
        spent.formUnion(tuples)
        return true
    }

    /// What tracking knows of a packet.
    func tracking(of probe: Probe, answering opener: Tuple?) -> Packet.Tracking {
        if let opener, let flow = flows[opener] { return .flow(.reply, mark: flow.mark) }
        if let flow = flows[probe.tuple] { return .flow(.original, mark: flow.mark) }
        return probe.opening
    }

    /// After a packet: a flow that was opened is kept when its first packet came through, and its mark is what the rules left.
    mutating func note(_ probe: Probe, answering opener: Tuple?, _ judgement: Judgement) {
        // Tracking never sees what is dropped when it arrives.
        if judgement.halves.last.map({ $0.base == Named(.inet, "arrival") && !$0.isAccepted }) ?? false { return }
        let tuple = opener ?? probe.tuple
        if flows[tuple] != nil {
            flows[tuple]?.mark = judgement.mark ?? 0
            if opener != nil { flows[tuple]?.isAnswered = true }
        } else if opener == nil, probe.mayBeFollowed, judgement.isAccepted, let mark = judgement.mark {
            flows[tuple] = Tracked(opener: probe, mark: mark)
            order.append(tuple)
        }
    }

    /// The plan deletes the flows of these addresses, and wipes the marks of those.
    mutating func take(_ plan: Plan, _ marks: MarkLayout) {
        for (tuple, flow) in flows {
            let ends = [tuple.source, tuple.destination]
            if plan.rewound.contains(where: { range in ends.contains { range.contains($0) } }) {
                flows[tuple]?.mark = flow.mark & ~marks.mask
            }
            if plan.forgotten.contains(where: { range in ends.contains { range.contains($0) } }) { flows[tuple] = nil }
        }
        order.removeAll { flows[$0] == nil }
    }
}

extension Probe {
    var tuple: DifferentialFlows.Tuple { Self.tuple(packet, identifier) }

    /// Its own, and those of its answer; and the same in which tracking doesn't look at ports.
    fileprivate var tuples: [DifferentialFlows.Tuple] {
        let back = FlowCase(source: packet.destination, destination: packet.source, transport: packet.transport)
        return [tuple, Self.tuple(packet.reply ?? back, identifier)]
    }

    private static func tuple(_ packet: FlowCase, _ identifier: UInt16) -> DifferentialFlows.Tuple {
        var tuple = DifferentialFlows.Tuple(
            source: packet.source, destination: packet.destination, number: 0, sourcePort: 0, destinationPort: 0)
        switch packet.transport {
        case .ports(let number, let source, let destination):
            tuple.number = number.number
            if number == .tcp || number == .udp { (tuple.sourcePort, tuple.destinationPort) = (source, destination) }
        case .icmp(let type, let code):
            tuple.number = packet.family == .v4 ? 1 : 58
            (tuple.sourcePort, tuple.destinationPort) = (identifier, UInt16(type) << 8 | UInt16(code))
        case .other(let number): tuple.number = number
        }
        return tuple
    }

    /// What tracking makes of it, for it belongs to no flow. A connection may be taken up in its midst, but not begin with its end (the table of
    /// TCP's states, net/netfilter/nf_conntrack_proto_tcp.c).
    fileprivate var opening: Packet.Tracking {
        if case .ports(.tcp, _, _) = packet.transport, flags != 2, flags != 0x10 { return .invalid }
        return packet.transport.opening(packet.family)
    }

    /// Whether it is certain what tracking makes of the packets that come after it.
    fileprivate var mayBeFollowed: Bool {
        switch packet.transport {
        case .ports(.tcp, _, _): flags == 2
        case .ports(let number, _, _): number == .udp
        case .icmp: packet.reply != nil
        case .other: opening != .invalid
        }
    }
}
