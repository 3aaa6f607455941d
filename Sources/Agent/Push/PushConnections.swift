import Logging
import NIOCore
import NIOSSL

/// Lets connections in: each behind its handshake, and each client to its share of the places.
///
/// The gRPC library would set TLS up by itself, but takes TLS 1.2 as well, reads the authority's certificates once for all, and says
/// nothing of a handshake that failed. So the transport is made for plaintext, and this puts TLS before it on each connection.
struct PushConnections: Sendable {
    /// Who may connect by TLS, and how.
    struct Security: Sendable {
        let certificates: PushCertificates
        let clients: PushClients
    }

    let places: PushPlaces
    /// After so much silence the library asks a client whether it is there; see `Settings.Push`.
    let keepalive: Duration
    /// Nil: plaintext.
    let security: Security?
    let bounds: CallBounds
    let meter: PushMeter
    let logger: Logger

    /// The longest time for a handshake, which takes a few round trips.
    static let patience = TimeAmount.seconds(3)

    /// To be called when the library has set up the connection, before anything is read from it.
    func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let accepted = channel.eventLoop.makeCompletedFuture { try admit(channel) }
        // The library doesn't look at what it isn't let have any more: its descriptor would stay for good.
        accepted.whenFailure { _ in channel.close(promise: nil) }
        return accepted
    }

    private func admit(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let exit = ConnectionExit(logger: logger)
        // Without TLS whoever reaches the port may do everything.
        let client = security == nil ? Budget.Client(name: channel.remoteAddress?.ipAddress ?? "", isPrivileged: true) : nil
        let messages = MessageWatch(bounds, client: client) {
            refuse(channel, $0)
        } exit: {
            exit.hangUp()
        }
        try pipeline.addHandler(messages, position: .first)
        if let security {
            try pipeline.addHandler(HandshakeWatch(self, security.clients, exit, messages), position: .first)
            try pipeline.addHandler(NIOSSLServerHandler(context: security.certificates.context()), position: .first)
        } else {
            do throws(PushPlaces.Refusal) {
                let ticket = try places.admitNobody()
                meter.connect()
                channel.closeFuture.whenComplete { [places, meter] _ in
                    places.leave(ticket)
                    meter.disconnect()
                }
            } catch {
                refuse(channel, "\(error)")
                throw error
            }
        }
        try pipeline.addHandler(exit, position: .first)
        try pipeline.addHandler(IdleStateHandler(readTimeout: TimeAmount(keepalive * 4 / 3)), position: .first)
    }

    /// Counts a connection that isn't let in, and says why.
    ///
    /// - Parameter name: of whoever has proved one.
    func refuse(_ channel: any Channel, _ reason: String, _ name: String? = nil) {
        guard meter.refuse(isKnown: name != nil) else { return }
        let who = name.map { "\($0) (\(Self.name(channel)))" } ?? Self.name(channel)
        logger.warning("push: refused: \(who): \(reason)")
    }

    static func name(_ channel: any Channel) -> String { channel.remoteAddress.map { "\($0)" } ?? "somebody" }
}

/// The way out of a connection, before TLS: TLS asks the other side to agree, and waits for seconds.
///
/// It ends a connection whose client has said nothing for too long, not even that it is there when it was asked. The library asks, and takes
/// leave of who doesn't answer: it sends GOAWAY and waits for the answer to that, while the streams that are open stay. A client that vanished
/// without a word would keep its place until TCP gives up, a quarter of an hour later, and one that only is silent for good.
final class ConnectionExit: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let logger: Logger
    private var context: ChannelHandlerContext?

    init(logger: Logger) { self.logger = logger }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .read? = event as? IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
        logger.info("push: \(PushConnections.name(context.channel)) doesn't answer any more: its connection is ended (push.keepalive)")
        hangUp()
    }

    /// Ends the connection at once.
    func hangUp() { context?.close(promise: nil) }
}
