import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// Lets connections in: so many at a time, and each behind its handshake.
///
/// The gRPC library would set TLS up by itself, but takes TLS 1.2 as well, reads the authority's certificates once for all, and says
/// nothing of a handshake that failed. So the transport is made for plaintext, and this puts TLS before it on each connection.
struct PushConnections: Sendable {
    let limit: Int
    /// After so much silence the library asks a client whether it is there; see `Settings.Push`.
    let keepalive: Duration
    /// Nil: plaintext.
    let certificates: PushCertificates?
    let meter: PushMeter
    let logger: Logger

    /// The longest time for a handshake: whoever is slower keeps a place that others need.
    static let patience = TimeAmount.seconds(10)

    /// To be called when the library has set up the connection, before anything is read from it.
    func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard meter.connect(atMost: limit) else {
            if meter.refuse() {
                logger.warning("push: refused: \(Self.name(channel)): there are \(limit) connections already (push.maxConnections)")
            }
            return channel.eventLoop.makeFailedFuture(ChannelError.inappropriateOperationForState)
        }
        channel.closeFuture.whenComplete { [meter] _ in meter.disconnect() }
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let certificates {
                let tls = NIOSSLServerHandler(context: certificates.context())
                try pipeline.addHandler(tls, position: .first)
                try pipeline.addHandler(HandshakeWatch(meter: meter, logger: logger), position: .after(tls))
            }
            try pipeline.addHandler(SilenceWatch(logger: logger), position: .first)
            try pipeline.addHandler(IdleStateHandler(readTimeout: TimeAmount(keepalive * 4 / 3)), position: .first)
        }
    }

    static func name(_ channel: any Channel) -> String { channel.remoteAddress.map { "\($0)" } ?? "somebody" }
}

/// Ends a connection whose client has said nothing for too long, not even that it is there when it was asked.
///
/// The library asks, and takes leave of who doesn't answer: it sends GOAWAY and waits for the answer to that, while the streams that are open
/// stay. A client that vanished without a word would keep its place until TCP gives up, a quarter of an hour later, and one that only is silent
/// for good.
private final class SilenceWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .read? = event as? IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
        logger.info("push: \(PushConnections.name(context.channel)) doesn't answer any more: its connection is ended (push.keepalive)")
        context.close(promise: nil)
    }
}

/// Says why a handshake failed, and ends one that takes too long.
private final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let meter: PushMeter
    private let logger: Logger
    private var deadline: Scheduled<Void>?
    private var isOver = false

    init(meter: PushMeter, logger: Logger) {
        self.meter = meter
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        let watch = NIOLoopBound(self, eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: PushConnections.patience) {
            watch.value.refuse(channel, "its handshake takes too long")
            channel.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent {
            isOver = true
            deadline?.cancel()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !isOver { refuse(context.channel, "\(error)") }
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isOver = true
        deadline?.cancel()
        context.fireChannelInactive()
    }

    private func refuse(_ channel: any Channel, _ reason: String) {
        guard !isOver else { return }
        isOver = true
        deadline?.cancel()
        if meter.refuse() { logger.warning("push: refused: \(PushConnections.name(channel)): \(reason)") }
    }
}
