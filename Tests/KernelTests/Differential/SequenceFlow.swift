import HostNetwork
import Lab
import PolicyModel

/// A flow that was opened while it was allowed, and is tried again after every change.
final class SequenceFlow: CustomStringConvertible {
    enum Kind: Hashable { case tcp, udp, echo }

    let kind: Kind
    let client: SequenceWorld.End
    let server: SequenceWorld.End
    let port: UInt16
    /// Of the client; of an echo the identifier.
    let clientPort: UInt16
    /// What holds the client's port of a flow of UDP.
    private let socket: UDP?
    let connection: (client: TCP, server: TCP)?

    /// Said on the connection and not heard yet: by the client, and by the server.
    private var unheard = (client: "", server: "")
    var isAlive = true
    /// Whether it was never cut.
    var isUnbroken = true
    /// Changes that it has lain dead.
    var idle = 0

    init(
        _ kind: Kind, from client: SequenceWorld.End, _ clientPort: UInt16, to server: SequenceWorld.End, _ port: UInt16,
        socket: UDP? = nil, connection: (client: TCP, server: TCP)? = nil
    ) {
        self.kind = kind
        (self.client, self.server) = (client, server)
        (self.clientPort, self.port) = (clientPort, port)
        self.socket = socket
        self.connection = connection
    }

    var family: Family { IPAddress(client.address).family }
    var description: String { "\(kind) \(clientPort) to \(port) from \(client.address) to \(server.address)" }

    // MARK: Its packets

    func packet(isReply: Bool) -> (segment: Segment, from: SequenceWorld.End, to: SequenceWorld.End) {
        let ports = isReply ? (port, clientPort) : (clientPort, port)
        let ends = isReply ? (server, client) : (client, server)
        let segment: Segment =
            switch kind {
            case .tcp: Segment(.tcp(flags: 0x10), from: ports.0, to: ports.1)
            case .udp: Segment(.udp, from: ports.0, to: ports.1)
            case .echo:
                Segment(
                    .icmp(type: family == .v4 ? (isReply ? 0 : 8) : (isReply ? 129 : 128), code: 0, isIPv6: family == .v6), from: clientPort
                )
            }
        return (segment, ends.0, ends.1)
    }

    private var opener: FlowCase {
        let transport: Packet.Transport =
            switch kind {
            case .tcp: .ports(.tcp, source: clientPort, destination: port)
            case .udp: .ports(.udp, source: clientPort, destination: port)
            case .echo: .icmp(type: family == .v4 ? 8 : 128, code: 0)
            }
        return FlowCase(source: IPAddress(client.address), destination: IPAddress(server.address), transport: transport)
    }

    /// Whether the intents let its packets of one way through, with no regard to what was before.
    func isAllowed(isReply: Bool, by oracle: Oracle) -> Bool {
        let (sender, receiver) = isReply ? (server, client) : (client, server)
        guard let packet = isReply ? opener.reply : opener else { return false }
        let tried = PacketCase(
            flow: opener, packet: packet, tracking: .flow(isReply ? .reply : .original, mark: 0),
            mac: (try? MAC(parsing: sender.peer.mac)) ?? MAC(0))
        func pod(_ end: SequenceWorld.End) -> Pod? { end.pod.flatMap { oracle.scene.intents.pods[$0] } }
        return (pod(sender).map { oracle.leaves(tried, $0) } ?? true) && (pod(receiver).map { oracle.reaches(tried, $0) } ?? true)
    }

    // MARK: Its connection

    /// Both ends say something.
    func talk(_ words: String) throws {
        guard let connection else { return }
        try connection.client.send(words)
        try connection.server.send(words)
        unheard.client += words
        unheard.server += words
    }

    /// Whether everything that was said comes out at the other end, also what was said in vain while the connection was cut.
    func isHeard() -> Bool {
        guard let connection else { return true }
        let long = Duration.seconds(20)
        let heard = connection.server.receive(unheard.client.utf8.count, within: long) == unheard.client
        let answered = connection.client.receive(unheard.server.utf8.count, within: long) == unheard.server
        unheard = ("", "")
        return heard && answered
    }

    /// Whether nothing of what one of the ends said comes out.
    func isSilent(toClient: Bool) -> Bool {
        guard let connection else { return true }
        return (toClient ? connection.client : connection.server).receive(1, within: .zero).isEmpty
    }

    /// How often either end had to say something again.
    var retransmissions: Int { connection.map { $0.client.retransmissions + $0.server.retransmissions } ?? 0 }
}
