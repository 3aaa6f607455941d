import Lab

/// One way of a packet through a host.
enum PacketKind: String, CaseIterable, Codable {
    /// Of a flow that is there, by who opened it.
    case established
    /// Of the same by the other side.
    case reply
    /// The first of a flow, by the last of the rules about addresses.
    case last
    /// The same by any rule.
    case any
    /// The same by a rule about a remote group.
    case remote
    /// A connection's first three segments.
    case connection
    /// By no rule.
    case denied

    var title: String {
        switch self {
        case .last, .any: "new, \(rawValue) rule"
        case .remote: "new, remote group"
        default: rawValue
        }
    }

    /// Whether it means something without rules.
    var needsRules: Bool { self == .any || self == .remote || self == .denied }
}

/// Sends packets through a host in bursts; every burst of one that isn't denied arrives in full, or it is an error.
struct PacketTrial {
    private(set) var costs: [PacketCost]
    private let host: PacketHost
    /// The size of a burst by what it takes.
    private var sizes: [PacketKind: Int] = [:]
    private let anyPorts: [UInt16]
    private static let most = 20_000

    init(_ host: PacketHost, _ ways: [PacketKind]) {
        self.host = host
        costs = ways.filter { host.policy.rules > 0 || !$0.needsRules }.map { PacketCost(host, $0) }
        // The same in every run.
        var number: UInt64 = 1
        let ports = host.policy.rules > 0 ? host.policy.any : [80]
        anyPorts = (0..<1024).map { _ in
            number = number &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return ports[Int(number >> 33) % ports.count]
        }
    }

    /// Every way once.
    mutating func measure() throws {
        for index in costs.indices {
            let kind = costs[index].kind
            costs[index].add(try burst(kind, size(kind)))
        }
    }

    /// As many as take some 20 ms: a slow one is measured with fewer.
    private mutating func size(_ kind: PacketKind) throws -> Int {
        if let size = sizes[kind] { return size }
        let time = try burst(kind, 512)
        let size = min(Self.most, max(512, Int(20_000_000 / max(1, time))))
        sizes[kind] = size
        return size
    }

    /// Nanoseconds for each packet, or for each connection, on one processor.
    private func burst(_ kind: PacketKind, _ count: Int) throws -> Double {
        let last = [host.policy.rules > 0 ? host.policy.last : 80]
        try host.forget()
        switch kind {
        case .established, .reply:
            _ = try send(host.opening, 1, last, rising: false)
            _ = try send(host.answering, 1, last, rising: false, isReply: true)
            _ = try send(host.going, 1, last, rising: false)
            guard kind == .reply else { return try send(host.going, count, last, rising: false) }
            return try send(host.returning, count, last, rising: false, isReply: true)
        case .last: return try send(host.opening, count, last)
        case .any: return try send(host.opening, count, anyPorts)
        case .remote: return try send(host.opening, count, [host.policy.remote])
        case .denied: return try send(host.opening, count, [PacketPolicy.denied], arriving: false)
        case .connection:
            return try send(host.opening, count, last) + send(host.answering, count, last, isReply: true) + send(host.going, count, last)
        }
    }

    private func send(
        _ injector: borrowing Injector, _ count: Int, _ ports: [UInt16], rising: Bool = true, isReply: Bool = false, arriving: Bool = true
    ) throws -> Double {
        let before = try host.arrived(atServer: !isReply)
        let time = try injector.inject(
            count, at: isReply ? host.serverLink : host.clientLink, in: host.namespace, from: 20_000, rising: rising, ports: ports)
        let arrived = try host.arrived(atServer: !isReply) - before
        // A packet or two may be of the kernels' own, such as reports of listeners.
        guard abs(arrived - (arriving ? count : 0)) <= 5 else {
            throw LabError("\(host.by.title), \(host.policy): of \(count) packets to \(ports[0]) \(arrived) arrived")
        }
        return time
    }
}
