import HostNetwork
import Lab
import PolicyModel
import Testing

/// Who talks while the intents change: three pods of which one has an address more, by an allowed pair, a pod of another host, and a stranger.
final class SequenceWorld {
    static let ports: ClosedRange<UInt16> = 7000...7003
    static let pair = ["10.1.0.200", "fd00:1::c8"]

    let lab: LabHost
    let pods: [LabPod]
    private let outsiders: [LabPeer]
    private let exchange: Exchange
    private var listeners: [String: TCPListener] = [:]
    private var servers: [String: UDP] = [:]
    private var lastNumber: UInt64 = 0

    init() throws {
        let lab = try LabHost()
        self.lab = lab
        pods = try [lab.pod("one", 10), lab.pod("two", 20), lab.pod("three", 70)]
        outsiders = try [lab.outsider(7), lab.outsider(77, isPod: true)]
        exchange = try Exchange(host: lab.host)
    }

    /// After the pods have come.
    func connect() throws {
        for pod in pods {
            try exchange.connect(
                pod.link.value, hostMAC: Marks.hostMAC.description, to: pod.namespace, "eth0", mac: pod.mac.description, isMute: false)
        }
        let uplink = outsiders[0]
        try exchange.connect("uplink", hostMAC: uplink.router, to: uplink.namespace, "uplink", mac: uplink.mac, isMute: false)
        // What is sent beside the connections has other sequence numbers than theirs, and belongs to them all the same.
        try lab.host.run("sh", "-c", "echo 1 > /proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal")
        // The way to the pair's address, as an operator makes it.
        for (address, length) in zip(Self.pair, [32, 128]) {
            let prefix = "\(address)/\(length)"
            try pods[0].namespace.run(["ip", "addr", "add", prefix, "dev", "eth0"] + (length == 32 ? [] : ["nodad"]))
            try lab.host.run("ip", "route", "add", prefix, "dev", pods[0].link.value)
            try lab.host.run("ip", "neigh", "add", address, "lladdr", pods[0].mac.description, "dev", pods[0].link.value)
        }
    }

    var intents: Intents { lab.desired.intents }

    // MARK: Ends

    /// One end of a flow.
    struct End {
        var peer: LabPeer
        var pod: ID<Pod>?
        var address: String
        var station: Exchange.Station
    }

    /// All that can talk to each other in a family.
    func ends(_ family: Family) -> [End] {
        let own = pods.map { End(peer: $0.peer, pod: $0.id, address: $0.address(family), station: .behind($0.link.value)) }
        var paired = own[0]
        paired.address = Self.pair[family == .v4 ? 0 : 1]
        let far = outsiders.map { End(peer: $0, pod: nil, address: $0.address(family), station: .behind("uplink")) }
        return own + [paired] + far
    }

    func listener(_ end: End, _ port: UInt16) throws -> TCPListener {
        let key = "\(end.address) \(port)"
        if let listener = listeners[key] { return listener }
        let listener = try TCPListener(in: end.peer.namespace, at: end.address, port: port)
        listeners[key] = listener
        return listener
    }

    func server(_ end: End, _ port: UInt16) throws -> UDP {
        let key = "\(end.address) \(port)"
        if let server = servers[key] { return server }
        let server = try UDP(in: end.peer.namespace, at: end.address, port: port)
        servers[key] = server
        return server
    }

    // MARK: Packets

    /// Sends packets of flows; answers for each whether it arrives.
    func send(_ packets: [(segment: Segment, from: End, to: End)]) throws -> [Bool] {
        let first = lastNumber + 1
        let parcels = try packets.map { packet in
            lastNumber += 1
            let frame = try Frame.of(
                packet.segment, carrying: ParcelNumber.text(lastNumber), mac: packet.from.peer.mac, to: packet.from.peer.router,
                from: packet.from.address, to: packet.to.address)
            return Exchange.Parcel(number: lastNumber, from: packet.from.station, frame)
        }
        let arrivals = try exchange.carry(parcels)
        return packets.enumerated().map { index, packet in arrivals[first + UInt64(index)]?.contains(packet.to.station) ?? false }
    }
}
