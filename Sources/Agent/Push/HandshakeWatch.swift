import NIOCore
import NIOSSL
import NIOTLS

/// Watches over a connection's handshake, and decides what comes of it.
///
/// It ends one that takes too long, or whose place another needs, and says why one failed. When it is done the client gets its place, or, where
/// it is on no list or has had its share, is hung up on before anything of what it says is read.
final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private enum State {
        case shaking(deadline: Scheduled<Void>)
        case admitted
        case refused
    }

    private let connections: PushConnections
    private let clients: PushClients
    private let exit: ConnectionExit
    private let messages: MessageWatch
    private var state = State.refused
    private var ticket: PushPlaces.Ticket?

    init(_ connections: PushConnections, _ clients: PushClients, _ exit: ConnectionExit, _ messages: MessageWatch) {
        self.connections = connections
        self.clients = clients
        self.exit = exit
        self.messages = messages
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        let (loop, watch) = (context.eventLoop, NIOLoopBound(self, eventLoop: context.eventLoop))
        expect(channel)
        let ticket = connections.places.begin(from: PushSource(channel)) {
            loop.execute { watch.value.end(channel, "there are too many handshakes, and it had begun its own before the others") }
        }
        self.ticket = ticket
        channel.closeFuture.whenComplete { [places = connections.places] _ in places.leave(ticket) }
    }

    /// Waits for the end of the handshake; once more where this side was late itself.
    private func expect(_ channel: any Channel, isAgain: Bool = false) {
        let (watch, due) = (NIOLoopBound(self, eventLoop: channel.eventLoop), NIODeadline.now() + PushConnections.patience)
        let deadline = channel.eventLoop.scheduleTask(deadline: due) {
            let isLate = NIODeadline.now() - due > .milliseconds(100)
            if isLate, !isAgain {
                watch.value.expect(channel, isAgain: true)
            } else {
                watch.value.end(channel, "its handshake takes too long")
            }
        }
        state = .shaking(deadline: deadline)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { admit(context) }
        if case .refused = state { return }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .refused = state { return }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .shaking = state { end(context.channel, "\(error)") }
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .shaking(let deadline) = state { deadline.cancel() }
        context.fireChannelInactive()
    }

    private func admit(_ context: ChannelHandlerContext) {
        guard case .shaking(let deadline) = state, let ticket else { return }
        connections.security?.certificates.spend()
        let channel = context.channel
        let certificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()
        let names = certificate?.names ?? []
        guard let client = clients.client(named: names) else {
            return end(channel, "it isn't one of push.clients", PushClients.strangers(names))
        }
        do throws(PushPlaces.Refusal) { try connections.places.admit(ticket, client) } catch {
            return end(channel, "\(error)", client.name)
        }
        deadline.cancel()
        state = .admitted
        messages.client = Budget.Client(client)
        connections.meter.connect()
        channel.closeFuture.whenComplete { [meter = connections.meter] _ in meter.disconnect() }
    }

    /// Says why, and hangs up; unless it is over.
    private func end(_ channel: any Channel, _ reason: String, _ name: String? = nil) {
        guard case .shaking(let deadline) = state else { return }
        deadline.cancel()
        state = .refused
        connections.refuse(channel, reason, name)
        exit.hangUp()
    }
}
