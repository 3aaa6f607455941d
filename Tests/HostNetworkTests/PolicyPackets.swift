import HostNetwork
import PolicyModel

extension Seeded {
    private mutating func transport(_ family: Family) -> Packet.Transport {
        switch number(0...9) {
        case 0...5: .ports(pick(.tcp, .tcp, .udp, .sctp, .dccp, .udplite), source: nearPort(), destination: nearPort())
        case 6...8: .icmp(type: family == .v4 ? pick(8, 8, 13, 3, 0) : pick(128, 128, 1, 129, 134, 135), code: UInt8(number(0...1)))
        default: .other(UInt8(pick(47, 50, 51)))
        }
    }

    /// An address of the pod's, or one that it may or may not use, of this family.
    private mutating func source(_ pod: Pod, _ family: Family) -> IPAddress {
        let own = pod.addresses.filter { $0.family == family }
        let pairs = pod.allowedAddressPairs.map(\.address).filter { $0.family == family }
        switch number(0...9) {
        case 0: return Self.place(family, number(1...2), number(2...31))
        case 1, 2: return pairs.randomElement(using: &self)?.last ?? own.first ?? Self.place(family, 1, 9)
        default: return own.randomElement(using: &self) ?? Self.place(family, 1, number(2...31))
        }
    }

    /// A flow from what one pod sends from to another place, which may be a pod.
    mutating func flow(from pod: Pod, to other: Pod?) -> FlowCase {
        let families =
            other.map { other in Family.allCases.filter { family in other.addresses.contains { $0.family == family } } } ?? Family.allCases
        let family = families.randomElement(using: &self) ?? .v4
        let far = other.map { source($0, family) } ?? Self.place(family, number(1...2), number(1...40))
        return FlowCase(source: source(pod, family), destination: far, transport: transport(family))
    }

    /// The mark of a flow: of either pod's present epoch or another, good or tentative, or none at all.
    mutating func mark(_ scene: Scene, _ sender: Pod?, _ receiver: Pod?) -> UInt32 {
        let marks = scene.layout.marks
        var mark = UInt32(truncatingIfNeeded: next()) & ~marks.mask
        for (field, pod) in [(MarkLayout.Field.sender, sender), (.receiver, receiver)] {
            let epoch = pod.map { scene.epoch(of: $0.id) } ?? .first
            // No flow of a stateless pod, or one that shares addresses, is ever stamped, whatever its epoch.
            let isStamped = pod.map { Oracle(scene).isStamped($0) || !$0.portSecurity } ?? true
            switch number(isStamped ? 0...3 : 1...3) {
            case 0: mark |= marks.stamp(epoch, field)
            case 1: mark |= marks.stamp(epoch, field) | marks.tentative(field)
            case 2: mark |= marks.stamp(Epoch(epoch.value + 1), field)
            default: continue
            }
        }
        return mark
    }

    /// A packet of a flow that `sender` opens to `receiver`, either of them maybe not a pod of this host.
    mutating func packet(_ scene: Scene, _ flow: FlowCase, from sender: Pod?, to receiver: Pod?) -> PacketCase {
        let mark = mark(scene, sender, receiver)
        let reply = once(in: 2) ? flow.reply : nil
        let mine = reply == nil ? sender : receiver
        let mac = once(in: 10) ? MAC(2) : mine?.mac ?? MAC(3)
        if let reply { return PacketCase(flow: flow, packet: reply, tracking: .flow(.reply, mark: mark), mac: mac) }
        var tracking: Packet.Tracking = once(in: 5) ? pick(.none, .invalid) : .flow(.original, mark: once(in: 2) ? 0 : mark)
        // What is exempt from tracking has no flow, so no stamp either.
        if flow.transport.opening(flow.family) == .none { tracking = .none }
        return PacketCase(flow: flow, packet: flow, tracking: tracking, mac: mac)
    }
}
