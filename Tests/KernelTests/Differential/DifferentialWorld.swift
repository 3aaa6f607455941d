import HostNetwork
import Kernel
import Lab
import PolicyModel
import Testing

/// The host, pods and outsiders between which random packets are sent, and the intents that are in force there.
final class DifferentialWorld {
    /// Where a packet comes from and goes to.
    enum Place: Hashable, CustomStringConvertible {
        case pod(ID<Pod>)
        case host
        /// All that is behind the host's uplink.
        case world

        var description: String {
            switch self {
            case .pod(let id): "pod \(id)"
            case .host: "the host"
            case .world: "the world"
            }
        }
    }

    static let networks = [
        LabHost.network,
        Network(
            id: "green",
            subnets: [
                Subnet(id: "green-4", cidr: Prefix("10.2.0.0/24"), gateway: IPAddress("10.2.0.1")),
                Subnet(id: "green-6", cidr: Prefix("fd00:2::/64"), gateway: IPAddress("fd00:2::1")),
            ]),
    ]
    /// The pods' ids, each with its network and its number in the subnets.
    static let pods: [(id: ID<Pod>, network: ID<Network>, number: Int)] = [
        ("one", "blue", 10), ("two", "blue", 11), ("three", "blue", 12), ("four", "blue", 63), ("five", "blue", 64), ("six", "green", 10),
    ]

    let lab: LabHost
    private let exchange: Exchange
    private let namespaces: [ID<Pod>: LabNamespace]
    private let uplink: LabPeer
    private var tracked: FlowTable
    private var lastNumber: UInt64 = 0

    init(_ layout: Layout, _ random: inout Seeded, isMute: Bool = true) async throws {
        let lab = try LabHost(layout: layout)
        self.lab = lab
        exchange = try Exchange(host: lab.host)
        tracked = try lab.host.inside { try FlowTable() }
        uplink = try lab.outsider(7)
        namespaces = try Dictionary(uniqueKeysWithValues: Self.pods.map { ($0.id, try lab.lab.namespace($0.id.value)) })
        try await lab.apply { for network in Self.networks { try $0.put(network) } }
        let intents = random.everything(in: paths)
        try await lab.apply { for intent in intents { _ = try $0.upsert(intent) } }
        // Segments that are put together by hand have other sequence numbers than tracking would like.
        try lab.host.run("sh", "-c", "echo 1 > /proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal")
        for pod in Self.pods {
            let link = LinkName(of: pod.id).value
            try exchange.connect(
                link, hostMAC: Marks.hostMAC.description, to: namespace(of: pod.id), "eth0", mac: Self.mac(of: pod.id).description,
                isMute: isMute)
        }
        try exchange.connect("uplink", hostMAC: uplink.router, to: uplink.namespace, "uplink", mac: uplink.mac, isMute: isMute)
    }

    func namespace(of pod: ID<Pod>) throws -> LabNamespace {
        guard let namespace = namespaces[pod] else { throw LabError("pod \(pod) has no namespace") }
        return namespace
    }

    /// Where the pods' namespaces are.
    var paths: [ID<Pod>: String] { namespaces.mapValues(\.path) }

    static func mac(of pod: ID<Pod>) -> MAC { MAC(derivedFrom: pod.value) }

    // MARK: Who is where

    var intents: Intents { lab.desired.intents }
    var pods: [Pod] { intents.pods.values.sorted { $0.id < $1.id } }

    /// The host's own, as far as pods are concerned: of the uplink, and the gateways of the pods that there are.
    var hostAddresses: [IPAddress] {
        ["192.0.2.1", "2001:db8:ff::1"].map { IPAddress($0) }
            + pods.flatMap { pod in pod.addresses.compactMap { intents.networks[pod.network]?.subnet(of: $0)?.gateway } }.unique
    }

    /// Of the link alone, and so the host's.
    static let everybody = ["255.255.255.255", "ff02::1"].map { IPAddress($0) }

    /// Where the host's routes lead.
    func place(of address: IPAddress) -> Place {
        if let pod = pods.first(where: { $0.addresses.contains(address) }) { return .pod(pod.id) }
        return hostAddresses.contains(address) || Self.everybody.contains(address) ? .host : .world
    }

    func pod(at place: Place) -> Pod? { if case .pod(let id) = place { intents.pods[id] } else { nil } }

    // MARK: Sending

    /// Sends packets in this order; answers for each whether it came out where it was to, and where it came out but wasn't to.
    func send(_ probes: [Probe]) throws -> [(arrives: Bool, strays: [Place])] {
        let first = lastNumber + 1
        let parcels = try probes.map { probe in
            lastNumber += 1
            return Exchange.Parcel(number: lastNumber, from: station(of: probe.sender), try frame(probe, number: lastNumber))
        }
        let arrivals = try exchange.carry(parcels)
        return probes.enumerated().map { index, probe in
            let found = arrivals[first + UInt64(index)] ?? []
            let receiver = station(of: probe.receiver)
            // The host tells senders what becomes of their packets, and quotes them.
            let strays = probe.receiver == .host ? [] : found.subtracting([receiver, station(of: probe.sender)])
            return (found.contains(receiver), strays.map { station in place(of: station) })
        }
    }

    private func station(of place: Place) -> Exchange.Station {
        switch place {
        case .pod(let id): .behind(LinkName(of: id).value)
        case .host: .host
        case .world: .behind("uplink")
        }
    }

    private func place(of station: Exchange.Station) -> Place {
        guard case .behind(let name) = station else { return .host }
        return Self.pods.first { LinkName(of: $0.id).value == name }.map { .pod($0.id) } ?? .world
    }

    private func frame(_ probe: Probe, number: UInt64) throws -> Frame {
        let destination = probe.sender == .world ? uplink.router : Marks.hostMAC.description
        return try .of(
            probe.segment, carrying: ParcelNumber.text(number), mac: probe.mac.description,
            to: Self.everybody.contains(probe.packet.destination) ? Frame.broadcast : destination,
            from: probe.packet.source.description, to: probe.packet.destination.description)
    }

    /// Forgets every tracked flow of the host's.
    func forgetFlows() throws {
        for family in Family.allCases {
            guard let all = AddressRange(Prefix.everything(family).first, Prefix.everything(family).last) else { continue }
            _ = try tracked.delete(of: all)
        }
    }
}

/// A packet that is sent to see what becomes of it.
struct Probe: CustomStringConvertible {
    var sender: DifferentialWorld.Place
    var receiver: DifferentialWorld.Place
    var mac: MAC
    var packet: FlowCase
    /// Of TCP.
    var flags: UInt8 = 2
    /// Of ICMP.
    var identifier: UInt16 = 0

    var segment: Segment {
        switch packet.transport {
        case .ports(let number, let source, let destination):
            let kind: Segment.Kind =
                switch number {
                case .tcp: .tcp(flags: flags)
                case .udp: .udp
                case .sctp: .sctp
                case .dccp: .dccp
                case .udplite: .udplite
                default: .other(number.number)
                }
            return Segment(kind, from: source, to: destination)
        case .icmp(let type, let code): return Segment(.icmp(type: type, code: code, isIPv6: packet.family == .v6), from: identifier)
        case .other(let number): return .other(number)
        }
    }

    var description: String {
        "\(segment) from \(packet.source) to \(packet.destination), sent by \(sender) from \(mac), for \(receiver)"
    }
}

extension Sequence where Element: Hashable {
    /// Each once, in the order in which they came.
    var unique: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
