import HostNetwork
import Lab
import PolicyModel

/// Random packets between the pods that are there, held against what the intents say of each.
struct SoakProbes {
    private(set) var (passed, blocked) = (0, 0)
    private(set) var disagreements: [String] = []
    private var lastPort: UInt16 = 20000
    private var lastNumber: UInt64 = 0

    /// In every routing domain. Nothing may change meanwhile.
    mutating func judge(_ world: SoakWorld, _ count: Int, with random: inout Seeded) throws {
        let domains = Dictionary(grouping: world.attached) { $0.network }
        for (network, pods) in domains.sorted(by: { $0.key < $1.key }) where pods.count > 1 {
            let isShared = world.intents.networks[network]?.isolated != true
            let place = isShared ? world.host.host : try LabNamespace(at: "\(world.host.domains)/hawser-\(network)")
            let exchange = try Exchange(host: place)
            for pod in pods {
                guard let namespace = world.namespace(of: pod.id) else { continue }
                try exchange.connect(
                    LinkName(of: pod.id).value, hostMAC: Marks.hostMAC.description, to: namespace, pod.interface, mac: pod.mac.description,
                    isMute: false)
            }
            try judge(pods, by: world.oracle, isShared ? count : count / 4, through: exchange, with: &random)
        }
    }

    private struct Probe {
        var number: UInt64
        var (sender, receiver): (Pod, Pod)
        var flow: FlowCase
        var isAllowed: Bool
    }

    private mutating func judge(
        _ pods: [Pod], by oracle: Oracle, _ count: Int, through exchange: Exchange, with random: inout Seeded
    ) throws {
        var probes: [Probe] = []
        var parcels: [Exchange.Parcel] = []
        for _ in 0..<count {
            let (sender, receiver) = (pods[random.number(0...(pods.count - 1))], pods[random.number(0...(pods.count - 1))])
            guard sender.id != receiver.id else { continue }
            let probe = try probe(from: sender, to: receiver, by: oracle, with: &random)
            let frame = try Frame.of(
                probe.flow.segment, carrying: ParcelNumber.text(probe.number), mac: sender.mac.description, to: Marks.hostMAC.description,
                from: "\(probe.flow.source)", to: "\(probe.flow.destination)")
            parcels.append(.init(number: probe.number, from: .behind(LinkName(of: sender.id).value), frame))
            probes.append(probe)
        }
        let arrivals = try exchange.carry(parcels)
        for probe in probes {
            // The receiver's own stack may answer with an error that quotes the packet, number and all.
            let places = (arrivals[probe.number] ?? []).subtracting([.behind(LinkName(of: probe.sender.id).value)])
            let arrives = places.contains(.behind(LinkName(of: probe.receiver.id).value))
            if arrives { passed += 1 } else { blocked += 1 }
            guard arrives != probe.isAllowed || places.count > 1 else { continue }
            disagreements.append(
                "\(probe.flow) from pod \(probe.sender.id) \(probe.sender.securityGroups) to pod \(probe.receiver.id) \(probe.receiver.securityGroups): \(probe.isAllowed ? "allowed" : "denied") by the intents, \(arrives ? "arrived" : "didn't arrive"), seen at \(places)"
            )
        }
    }

    /// A packet that opens a flow, from a port that none of late came from.
    private mutating func probe(from sender: Pod, to receiver: Pod, by oracle: Oracle, with random: inout Seeded) throws -> Probe {
        lastNumber += 1
        lastPort = lastPort < 60000 ? lastPort + 1 : 20000
        let index = random.number(0...1)
        let port = UInt16(random.number(7000...7006))
        let transport: Packet.Transport =
            switch random.number(0...4) {
            case 0: .icmp(type: index == 0 ? 8 : 128, code: 0)
            case 1, 2: .ports(.udp, source: lastPort, destination: port)
            default: .ports(.tcp, source: lastPort, destination: port)
            }
        let flow = FlowCase(source: sender.addresses[index], destination: receiver.addresses[index], transport: transport)
        let packet = PacketCase(flow: flow, packet: flow, tracking: .flow(.original, mark: 0), mac: sender.mac)
        return Probe(
            number: lastNumber, sender: sender, receiver: receiver, flow: flow,
            isAllowed: oracle.leaves(packet, sender) && oracle.reaches(packet, receiver))
    }
}

extension FlowCase {
    /// Its first packet. An echo's identifier is taken from nowhere: each is a flow of its own by its number at the end.
    fileprivate var segment: Segment {
        switch transport {
        case .ports(.udp, let source, let port): .udp(port, from: source)
        case .ports(_, let source, let port): .tcp(port, from: source)
        case .icmp(let type, let code): Segment(.icmp(type: type, code: code, isIPv6: family == .v6), from: UInt16.random(in: 1...65535))
        case .other(let number): .other(number)
        }
    }
}
