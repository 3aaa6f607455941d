import HostNetwork
import Lab
import Testing

/// Flows from a client to a server's port, begun and answered, to be tried again later: TCP, UDP and echo; of each one on which both ends
/// talk, and one on which from then on the server alone does.
struct RevocationFlows {
    private struct Pair<Socket> {
        var client: Socket
        var server: Socket
        var clientTalks: Bool
    }

    private let port: UInt16
    /// Addresses: the client's, and the server's.
    private let (from, to): (String, String)
    private let (client, server): (LabPeer, LabPeer)
    private var connections: [Pair<TCP>] = []
    private var sockets: [Pair<UDP>] = []
    /// To send echo requests and replies by hand; nil where they aren't tried.
    private var links: (client: RawLink, server: RawLink)?

    private static let long = Duration.seconds(5)
    /// For what has arrived to be handed to its socket.
    private static let short = Duration.milliseconds(5)

    /// - Parameters:
    ///   - port: of the server; it and the one after it are used.
    ///   - source: an address of the client's beside its own.
    ///   - echoes: whether to ping as well.
    init(from client: LabPeer, at source: String? = nil, to server: LabPeer, _ family: Family, port: UInt16, echoes: Bool) throws {
        self.port = port
        (self.client, self.server) = (client, server)
        (from, to) = (source ?? client.address(family), server.address(family))
        let listener = try TCPListener(in: server.namespace, at: to, port: port)
        for clientTalks in [true, false] {
            let near = try #require(
                try TCP.connect(from: client.namespace, at: from, to: to, port: port, within: Self.long), "nothing connects at first")
            let far = try #require(listener.accept(within: Self.long))
            connections.append(Pair(client: near, server: far, clientTalks: clientTalks))
            let (asking, answering) = try (
                UDP(in: client.namespace, at: from), UDP(in: server.namespace, at: to, port: clientTalks ? port : port + 1)
            )
            sockets.append(Pair(client: asking, server: answering, clientTalks: clientTalks))
        }
        for pair in sockets { #expect(try pair.client.reaches(pair.server, at: to, within: Self.long)) }
        for pair in connections { #expect(try pair.client.carries("a question", to: pair.server, within: Self.long)) }
        guard echoes else { return }
        links = try (
            RawLink(in: client.namespace, interface: client.interface), RawLink(in: server.namespace, interface: server.interface)
        )
        for clientTalks in [true, false] { #expect(try self.echoes(clientTalks, asks: true)) }
    }

    // MARK: Trials

    /// The ways that one trial tries: of TCP, UDP and echo both ways of the talk, and one where the server alone talks.
    static let ways = 9

    /// Whether every flow carries what is said, none of it twice; so that nothing was lost.
    func carry() throws -> Bool {
        for pair in sockets {
            guard try pair.server.reaches(pair.client, at: from, within: Self.long) else { return false }
            if pair.clientTalks, try !pair.client.reaches(pair.server, at: to, within: Self.long) { return false }
        }
        for pair in connections {
            guard try pair.server.carries("from the server", to: pair.client, within: Self.long) else { return false }
            if pair.clientTalks, try !pair.client.carries("from the client", to: pair.server, within: Self.long) { return false }
        }
        return try !hasRetransmitted()
    }

    /// What still arrives of all that is said on these flows. `witness` are others, which carry: what was sent before something of
    /// theirs that arrives has arrived, too, if it ever will.
    func arrivals(witness: RevocationFlows) throws -> [String] {
        var arrived: [String] = []
        for pair in connections {
            let words = pair.clientTalks ? "a talk" : "the server alone"
            if pair.clientTalks { try pair.client.send("from the client") }
            try pair.server.send("from the server")
            try witness.pass()
            if !pair.server.receive(1, within: Self.short).isEmpty { arrived.append("TCP to the server, \(words)") }
            if !pair.client.receive(1, within: Self.short).isEmpty { arrived.append("TCP to the client, \(words)") }
        }
        for pair in sockets {
            let words = pair.clientTalks ? "a talk" : "the server alone"
            if pair.clientTalks { try pair.client.send("from the client", to: to, port: pair.server.port) }
            try pair.server.send("from the server", to: from, port: pair.client.port)
            try witness.pass()
            if pair.server.receive(within: Self.short) != nil { arrived.append("UDP to the server, \(words)") }
            if pair.client.receive(within: Self.short) != nil { arrived.append("UDP to the client, \(words)") }
        }
        for clientTalks in links == nil ? [] : [true, false] {
            for isReply in clientTalks ? [false, true] : [true] {
                let mark = try sendEcho(clientTalks, isReply: isReply)
                try witness.pass()
                let receiver = isReply ? links?.client : links?.server
                if receiver?.receive(within: Self.short, where: { $0.contains(mark) }) != nil {
                    arrived.append(isReply ? "an echo reply" : "an echo request")
                }
            }
        }
        return arrived
    }

    /// Whether the connections carry what was said in vain while they were cut, and go on; those with a silent client, too.
    func recover(silentClients: Bool) throws -> Bool {
        let connections = connections.filter { $0.clientTalks || silentClients }
        for pair in connections {
            guard pair.client.receive(1, within: .seconds(20)).hasPrefix("from the server") else { return false }
            if pair.clientTalks, !pair.server.receive(1, within: .seconds(20)).hasPrefix("from the client") { return false }
        }
        for pair in connections {
            for (one, other) in pair.clientTalks ? [(pair.client, pair.server), (pair.server, pair.client)] : [(pair.server, pair.client)] {
                try one.send("and on")
                var text = ""
                while !text.hasSuffix("and on") {
                    let more = other.receive(1, within: Self.long)
                    if more.isEmpty { return false }
                    text += more
                }
            }
        }
        for pair in sockets where pair.clientTalks || silentClients {
            if pair.clientTalks, try !pair.client.reaches(pair.server, at: to, within: Self.long) { return false }
            guard try pair.server.reaches(pair.client, at: from, within: Self.long) else { return false }
        }
        return true
    }

    /// One of the two ends says something on every flow.
    func talk(from end: LabPeer) throws {
        let isClient = end.place == client.place
        for pair in connections { try (isClient ? pair.client : pair.server).send(isClient ? "from the client" : "from the server") }
        for pair in sockets {
            if isClient {
                try pair.client.send("from the client", to: to, port: pair.server.port)
            } else {
                try pair.server.send("from the server", to: from, port: pair.client.port)
            }
        }
    }

    /// A datagram each way that arrives.
    private func pass() throws {
        for pair in sockets where pair.clientTalks {
            #expect(try pair.client.reaches(pair.server, at: to, within: Self.long))
            #expect(try pair.server.reaches(pair.client, at: from, within: Self.long))
        }
    }

    /// Whether either end of a connection had to send something again (`tcpi_total_retrans`, tcp(7)).
    private func hasRetransmitted() throws -> Bool {
        try [client.namespace, server.namespace].contains { namespace in
            try namespace.run("ss", "-tinH", "( sport = :\(port) or dport = :\(port) )").contains("retrans:")
        }
    }

    // MARK: Echo

    /// Whether the client gets an echo reply: asked for, which the server's kernel answers, or without being asked for.
    private func echoes(_ clientTalks: Bool, asks: Bool) throws -> Bool {
        let mark = try sendEcho(clientTalks, isReply: !asks)
        return links?.client.receive(within: Self.long) { $0.contains(mark) } != nil
    }

    private func sendEcho(_ clientTalks: Bool, isReply: Bool) throws -> String {
        let mark = "echo \(UInt64.random(in: .min ... .max))"
        let isIPv6 = to.contains(":")
        let type: UInt8 = isIPv6 ? (isReply ? 129 : 128) : (isReply ? 0 : 8)
        // The identifier tells flows apart.
        let body = (port + (clientTalks ? 0 : 1)).bigEndianBytes + [0, 1] + Array(mark.utf8)
        let sender = isReply ? server : client
        let frame = try Frame.ip(
            mac: sender.mac, to: sender.router, from: isReply ? to : from, to: isReply ? from : to, protocol: isIPv6 ? 58 : 1, hops: 64
        ) { pseudo in
            let sum = Checksum.of((isIPv6 ? pseudo(body.count + 4) : []) + [type, 0, 0, 0] + body)
            return [type, 0] + sum.bigEndianBytes + body
        }
        try (isReply ? links?.server : links?.client)?.send(frame)
        return mark
    }
}
