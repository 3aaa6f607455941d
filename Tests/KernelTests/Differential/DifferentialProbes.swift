import HostNetwork
import PolicyModel

/// Random packets for a `DifferentialWorld`: about half of them aimed at a rule, at the ends of its ranges or just beside them.
extension Seeded {
    /// One that opens a flow; nil where this turn gives none that can be sent.
    mutating func probe(in world: DifferentialWorld) -> Probe? {
        let family: Family = pick(.v4, .v6)
        let pods = world.pods
        guard let one = pods.randomElement(using: &self), let other = pods.randomElement(using: &self) else { return nil }
        let probe: Probe?
        switch number(0...19) {
        case 0...9: probe = one.id == other.id ? nil : between(one, other, family, world)
        case 10...12: probe = out(from: one, family, world)
        case 13...15: probe = `in`(to: one, family, world)
        case 16...17: probe = fromHost(to: one, family)
        default: probe = toHost(from: one, family, world)
        }
        guard var probe else { return nil }
        if case .ports(.tcp, _, _) = probe.packet.transport, once(in: 8) { probe.flags = pick(0x10, 0x04, 0x11, 0x12) }
        if case .icmp = probe.packet.transport { probe.identifier = UInt16(truncatingIfNeeded: next()) }
        return world.canBeSent(probe) ? probe : nil
    }

    // MARK: Who to whom

    private mutating func between(_ sender: Pod, _ receiver: Pod, _ family: Family, _ world: DifferentialWorld) -> Probe? {
        guard let far = address(of: receiver, family), let source = source(sender, family, world) else { return nil }
        let aim = once(in: 2) ? rule(of: sender, .egress, family, world) : rule(of: receiver, .ingress, family, world)
        let flow = FlowCase(source: source.address, destination: far, transport: transport(aim, family))
        return Probe(sender: .pod(sender.id), receiver: world.place(of: far), mac: source.mac, packet: flow)
    }

    private mutating func out(from sender: Pod, _ family: Family, _ world: DifferentialWorld) -> Probe? {
        guard let source = source(sender, family, world) else { return nil }
        let aim = rule(of: sender, .egress, family, world)
        let far = remote(aim, family, world)
        let flow = FlowCase(source: source.address, destination: far, transport: transport(aim, family))
        return Probe(sender: .pod(sender.id), receiver: world.place(of: far), mac: source.mac, packet: flow)
    }

    private mutating func `in`(to receiver: Pod, _ family: Family, _ world: DifferentialWorld) -> Probe? {
        guard let near = address(of: receiver, family) else { return nil }
        let aim = rule(of: receiver, .ingress, family, world)
        let flow = FlowCase(source: remote(aim, family, world), destination: near, transport: transport(aim, family))
        return Probe(sender: .world, receiver: .pod(receiver.id), mac: MAC(0x0200_c000_0202), packet: flow)
    }

    private mutating func fromHost(to receiver: Pod, _ family: Family) -> Probe? {
        guard let near = address(of: receiver, family) else { return nil }
        let uplink = IPAddress(family == .v4 ? "192.0.2.1" : "2001:db8:ff::1")
        let gateway = Self.address(receiver.network, 1, family)
        let flow = FlowCase(source: once(in: 2) ? gateway : uplink, destination: near, transport: transport(nil, family))
        return Probe(sender: .host, receiver: .pod(receiver.id), mac: Marks.hostMAC, packet: flow)
    }

    private mutating func toHost(from sender: Pod, _ family: Family, _ world: DifferentialWorld) -> Probe? {
        guard var source = source(sender, family, world) else { return nil }
        let hosts = world.hostAddresses.filter { $0.family == family }
        guard var far = hosts.randomElement(using: &self) else { return nil }
        var content = transport(rule(of: sender, .egress, family, world), family)
        switch number(0...5) {
        case 0: content = .icmp(type: family == .v4 ? 8 : 128, code: 0)
        case 1, 2:
            // What a host of any network says to get along, and what is nearly that.
            content =
                once(in: 2)
                ? .ports(.udp, source: pick(68, 546, 67), destination: pick(67, 547, 66))
                : .icmp(type: pick(133, 135, 136, 131, 132, 143, 134, 130), code: 0)
            if once(in: 2) {
                source.address = family == .v4 ? .v4(0) : .v6(once(in: 2) ? 0 : 0xfe80 << 112 + 5)
                far = DifferentialWorld.everybody[family == .v4 ? 0 : 1]
            }
        default: break
        }
        let flow = FlowCase(source: source.address, destination: far, transport: content)
        return Probe(sender: .pod(sender.id), receiver: .host, mac: source.mac, packet: flow)
    }

    // MARK: Addresses

    private mutating func address(of pod: Pod, _ family: Family) -> IPAddress? {
        pod.addresses.filter { $0.family == family }.randomElement(using: &self)
    }

    /// What the pod sends from: mostly its own, sometimes a pair or just beside one, sometimes another's.
    private mutating func source(_ pod: Pod, _ family: Family, _ world: DifferentialWorld) -> (address: IPAddress, mac: MAC)? {
        guard let own = address(of: pod, family) else { return nil }
        let pairs = pod.allowedAddressPairs.filter { $0.address.family == family }
        switch number(0...19) {
        case 0: return (landmark(family), pod.mac)
        case 1: return (world.pods.randomElement(using: &self).flatMap { address(of: $0, family) } ?? own, pod.mac)
        case 2: return (own, pick(Self.virtual, MAC(2)))
        case 3: return (Self.address(pod.network, 1, family), pod.mac)
        case 4...7:
            guard let pair = pairs.randomElement(using: &self) else { return (own, pod.mac) }
            let ends = [pair.address.first, pair.address.last, pair.address.first.predecessor, pair.address.last.successor]
            let address = once(in: 2) ? ends[number(0...1)] : ends[number(0...3)]
            return (address ?? own, once(in: 4) ? pod.mac : pair.mac ?? pod.mac)
        default: return (own, pod.mac)
        }
    }

    /// Somebody out in the world: whom the rule is about, or just beside.
    private mutating func remote(_ rule: Rule?, _ family: Family, _ world: DifferentialWorld) -> IPAddress {
        let prefixes: [Prefix] =
            switch rule?.remote {
            case .cidr(let prefix)?: [prefix]
            case .addressGroup(let id)?: world.intents.addressGroups[id]?.cidrs ?? []
            case .group(let id)?:
                world.intents.neighbors.values.filter { $0.securityGroups.contains(id) }.flatMap(\.addresses).sorted().map { Prefix($0) }
                    + world.pods.filter { $0.securityGroups.contains(id) }.flatMap(\.allowedAddressPairs).map(\.address)
            case .anyone?, nil: []
            }
        guard let prefix = prefixes.filter({ $0.family == family }).randomElement(using: &self) else {
            return once(in: 3) ? Self.address("blue", number(68...75), family) : landmark(family)
        }
        let ends = [prefix.first, prefix.last, prefix.first.predecessor, prefix.last.successor]
        return ends[number(0...3)] ?? prefix.first
    }

    // MARK: Content

    private mutating func rule(of pod: Pod, _ direction: Rule.Direction, _ family: Family, _ world: DifferentialWorld) -> Rule? {
        guard !once(in: 4) else { return nil }
        return pod.securityGroups.compactMap { world.intents.group($0) }.flatMap(\.rules)
            .filter { $0.direction == direction && $0.family ?? family == family }.randomElement(using: &self)
    }

    /// What the rule is about, or nearly; without one, anything.
    private mutating func transport(_ rule: Rule?, _ family: Family) -> Packet.Transport {
        guard let rule, let number = rule.protocol else { return anything(family) }
        if number.isICMP {
            guard number == (family == .v4 ? .icmp : .icmpv6) else { return anything(family) }
            let match = rule.icmp ?? ICMPMatch(type: family == .v4 ? 8 : 128)
            return .icmp(type: beside(match.type), code: beside(match.code ?? 0))
        }
        guard number.hasPorts else { return .other(once(in: 8) ? 253 : number.number) }
        let spoken: IPProtocol = once(in: 12) ? pick(.tcp, .udp, .sctp, .dccp, .udplite) : number
        return .ports(spoken, source: beside(rule.sourcePorts), destination: beside(rule.ports))
    }

    private mutating func anything(_ family: Family) -> Packet.Transport {
        switch number(0...9) {
        case 0...5:
            .ports(pick(.tcp, .tcp, .udp, .udp, .sctp, .dccp, .udplite), source: beside(nil), destination: beside(nil))
        case 6...8:
            .icmp(
                type: family == .v4 ? pick(8, 8, 0, 3, 5, 11, 13, 17) : pick(128, 128, 129, 1, 2, 134, 135, 137, 139),
                code: UInt8(number(0...2)))
        // Neither what is a header of IPv6 itself nor what this host would open.
        default: .other(family == .v4 ? pick(2, 4, 41, 47, 50, 51, 58, 112, 253) : pick(1, 2, 4, 47, 50, 59, 112, 253))
        }
    }

    private mutating func beside(_ number: UInt8) -> UInt8 {
        switch self.number(0...7) {
        case 0: number &+ 1
        case 1: number &- 1
        default: number
        }
    }

    private mutating func beside(_ range: PortRange?) -> UInt16 {
        guard let range else { return once(in: 12) ? 0 : UInt16(truncatingIfNeeded: next()) }
        return switch number(0...7) {
        case 0, 1: range.first
        case 2, 3: range.last
        case 4: range.first - 1
        case 5: range.last &+ 1
        default: UInt16(number(Int(range.first)...Int(range.last)))
        }
    }
}

extension DifferentialWorld {
    /// Whether routing alone decides where it goes; what it would drop on its own is nothing that a policy says.
    func canBeSent(_ probe: Probe) -> Bool {
        let (source, destination) = (probe.packet.source, probe.packet.destination)
        guard source != destination, probe.sender != probe.receiver else { return false }
        // What has no next header (RFC 8200, section 4.7) ends in the host's stack, where nobody can listen for it.
        if probe.receiver == .host, case .other(59) = probe.packet.transport { return false }
        if probe.receiver == .world || probe.sender == .world {
            // Between the host and the world nothing is filtered.
            guard probe.sender != .host, probe.receiver != .host else { return false }
        }
        guard probe.sender == .host || !isMartian(source, of: probe) else { return false }
        return Self.everybody.contains(destination) || !isUnroutable(destination)
    }

    private func isUnroutable(_ address: IPAddress) -> Bool {
        if address.notAssignable != nil { return true }
        // The neighbors of the uplink, and what is reserved (RFC 1112, section 4).
        return switch address {
        case .v4(let number): number >> 28 == 15 || number >> 8 == 0xc0_0002
        case .v6(let number): number >> 64 == 0x2001_0db8_00ff_0000
        }
    }

    /// A source that the kernel refuses whatever the rules say (`fib_validate_source`, net/ipv4/fib_frontend.c).
    private func isMartian(_ source: IPAddress, of probe: Probe) -> Bool {
        if Self.everybody.contains(probe.packet.destination) { return source.isNotUnicast }
        if isUnroutable(source) { return true }
        let isHosts = hostAddresses.contains(source)
        switch probe.sender {
        case .pod(let id):
            // Where the rules deny it anyway it is as good as any other.
            guard isHosts, let pod = intents.pods[id] else { return false }
            return !pod.portSecurity || lab.oracle.owns(pod, probe.mac, source)
        case .world: return isHosts || pods.contains { $0.addresses.contains(source) }
        case .host: return false
        }
    }
}

extension IPAddress {
    fileprivate var isNotUnicast: Bool {
        switch self {
        case .v4(let number): number >> 28 >= 14
        case .v6(let number): number >> 120 == 0xff
        }
    }
}
