import HostNetwork
import Lab
import Testing

/// Packets of one way between two, and what is to become of each.
struct Trial {
    var sender: LabPeer
    var receiver: LabPeer
    var families: [Family]
    var pass: [Segment]
    var block: [Segment]

    /// ICMP and ICMPv6 are sent in their own family alone.
    static func from(
        _ sender: LabPeer, to receiver: LabPeer, _ families: [Family] = Family.allCases, pass: [Segment] = [], block: [Segment] = []
    ) -> Trial {
        Trial(sender: sender, receiver: receiver, families: families, pass: pass, block: block)
    }

    static func from(
        _ sender: LabPod, to receiver: LabPod, _ families: [Family] = Family.allCases, pass: [Segment] = [], block: [Segment] = []
    ) -> Trial {
        Trial(sender: sender.peer, receiver: receiver.peer, families: families, pass: pass, block: block)
    }
}

/// Sends all of these as frames, and looks for each at the interface of its receiver, before that one's own stack.
///
/// Those that are to pass are waited for; what hasn't come a while after the last of them never will, for they share their ways.
func expect(_ trials: Trial..., here: SourceLocation = #_sourceLocation) throws { try expect(trials, here: here) }

func expect(_ trials: [Trial], here: SourceLocation = #_sourceLocation) throws {
    var traffic = Traffic()
    for trial in trials {
        for family in trial.families {
            for segment in trial.pass where segment.isSpoken(in: family) { try traffic.add(segment, family, of: trial, passes: true) }
            for segment in trial.block where segment.isSpoken(in: family) { try traffic.add(segment, family, of: trial, passes: false) }
        }
    }
    try traffic.send()
    for failure in traffic.wrong() { Issue.record("\(failure)", sourceLocation: here) }
}

extension Segment {
    /// ICMP is IPv4's, ICMPv6 the other's; all else is both's.
    fileprivate func isSpoken(in family: Family) -> Bool {
        switch number {
        case 1: family == .v4
        case 58: family == .v6
        default: true
        }
    }
}

/// The packets that are under way, told apart by a text that each carries.
private struct Traffic {
    struct Packet {
        var text: String
        var frame: Frame
        var sender: String
        var receiver: String
        var passes: Bool
        var description: String
    }

    private var ends: [String: RawLink] = [:]
    private var packets: [Packet] = []
    /// What came where.
    private var seen: [String: Set<String>] = [:]
    private static let opening = "~packet~"
    private static let digits = 16

    mutating func add(_ segment: Segment, _ family: Family, of trial: Trial, passes: Bool) throws {
        let text = Self.opening + (0..<Self.digits).map { _ in String(Int.random(in: 0..<10)) }.joined()
        let (sender, receiver) = (trial.sender, trial.receiver)
        for end in [sender, receiver] where ends[end.place] == nil {
            ends[end.place] = try RawLink(in: end.namespace, interface: end.interface)
        }
        let frame = try Frame.of(
            segment, carrying: text, mac: sender.mac, to: sender.router, from: sender.address(family), to: receiver.address(family))
        packets.append(
            Packet(
                text: text, frame: frame, sender: sender.place, receiver: receiver.place, passes: passes,
                description: "\(segment) from \(sender.address(family)) to \(receiver.address(family))"))
    }

    mutating func send() throws {
        for packet in packets { try ends[packet.sender]?.send(packet.frame) }
        let deadline = ContinuousClock.now + .seconds(2)
        for packet in packets where packet.passes { look(for: packet, until: deadline) }
        let quiet = ContinuousClock.now + .milliseconds(60)
        for packet in packets where !packet.passes { look(for: packet, until: quiet) }
    }

    func wrong() -> [String] {
        packets.filter { has(arrived: $0) != $0.passes }.map { $0.description + ($0.passes ? " doesn't pass" : " isn't blocked") }
    }

    private func has(arrived packet: Packet) -> Bool { seen[packet.receiver]?.contains(packet.text) ?? false }

    private mutating func look(for packet: Packet, until deadline: ContinuousClock.Instant) {
        guard let end = ends[packet.receiver] else { return }
        var found = seen[packet.receiver] ?? []
        while !found.contains(packet.text), let frame = end.receive(within: ContinuousClock.now.duration(to: deadline)) {
            if let text = Self.text(in: frame) { found.insert(text) }
        }
        seen[packet.receiver] = found
    }

    private static func text(in frame: Frame) -> String? {
        let wanted = Array(opening.utf8)
        guard let start = frame.bytes.indices.first(where: { frame.bytes[$0...].starts(with: wanted) }) else { return nil }
        return String(decoding: frame.bytes[start...].prefix(wanted.count + digits), as: UTF8.self)
    }
}
