import CLinux
import Logging
package import NIOCore
import Synchronization

/// Who is connected to a Unix socket, held to so many connections, and to reading what is said to him.
///
/// Whoever may connect is entitled to, but one user who opens connections and says nothing, or never reads, must not keep the others out.
/// Root isn't held to the limits of others, so that the host's own programs always get in.
package final class SocketClients: Sendable {
    package struct Limits: Hashable, Sendable {
        /// Connections at a time: of anybody, of all but root together, of one user.
        var all: Int
        var others: Int
        var each: Int
        /// How long a client may take for a request, or say nothing between two.
        var idle: TimeAmount
        /// How long he may leave unread what is written to him.
        var patience: TimeAmount

        init(all: Int, others: Int, each: Int, idle: TimeAmount = .seconds(30), patience: TimeAmount = .seconds(30)) {
            (self.all, self.others, self.each, self.idle, self.patience) = (all, others, each, idle, patience)
        }

        package init(idle: TimeAmount = .seconds(30), patience: TimeAmount = .seconds(30)) {
            self.init(all: 1024, others: 512, each: 64, idle: idle, patience: patience)
        }
    }

    private let counts = Mutex<[UInt32: Int]>([:])
    private let limits: Limits
    private let name: String
    private let logger: Logger
    private let meter = PushMeter()

    init(of name: String, _ limits: Limits = Limits(), logger: Logger) {
        self.name = name
        self.limits = limits
        self.logger = logger
    }

    /// Lets a connection in, or ends it and fails; to be called before anything is read from it.
    ///
    /// - Parameter bounds: of its calls, where it is one of gRPC.
    func accept(_ channel: any Channel, _ bounds: CallBounds? = nil) -> EventLoopFuture<Void> {
        let accepted = peer(of: channel).flatMapThrowing { [self] peer in
            logger.debug("\(name): connection of process \(peer.process), user \(peer.user), group \(peer.group)")
            guard enter(peer.user) else {
                if meter.refuse() {
                    logger.warning("\(name): refused: user \(peer.user) (process \(peer.process)) has too many connections")
                }
                throw ChannelError.inappropriateOperationForState
            }
            channel.closeFuture.whenComplete { _ in self.leave(peer.user) }
            if let bounds {
                let watch = MessageWatch(bounds, client: Self.account(of: peer)) { [self] reason in
                    guard meter.refuse() else { return }
                    logger.warning("\(name): hung up on user \(peer.user) (process \(peer.process)): \(reason)")
                } exit: {
                    channel.close(promise: nil)
                }
                try channel.pipeline.syncOperations.addHandler(watch, position: .first)
            }
            try channel.pipeline.syncOperations.addHandler(ClientWatch(limits), position: .first)
        }
        // The gRPC library doesn't look at what it isn't let have any more: its descriptor would stay for good.
        accepted.whenFailure { _ in channel.close(promise: nil) }
        return accepted
    }

    /// Returns on whose account a connection's requests are.
    func account(of channel: any Channel) async throws -> Budget.Client { Self.account(of: try await peer(of: channel).get()) }

    private static func account(of peer: hawser_peer) -> Budget.Client {
        Budget.Client(name: "user \(peer.user)", isPrivileged: peer.user == 0)
    }

    /// SO_PEERCRED (unix(7)): who connected, as the kernel knows it. A user of another user namespace that has no number here is the one that
    /// the kernel puts in its place (`/proc/sys/kernel/overflowuid`).
    private func peer(of channel: any Channel) -> EventLoopFuture<hawser_peer> {
        guard let options = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        return options.unsafeGetSocketOption(level: .socket, name: .init(rawValue: SO_PEERCRED))
    }

    /// Whether there is room for one more connection of a user's.
    func enter(_ user: UInt32) -> Bool {
        counts.withLock { counts in
            let all = counts.values.reduce(0, +)
            guard all < limits.all else { return false }
            if user != 0 {
                guard all - counts[0, default: 0] < limits.others, counts[user, default: 0] < limits.each else { return false }
            }
            counts[user, default: 0] += 1
            return true
        }
    }

    func leave(_ user: UInt32) {
        counts.withLock { counts in
            let left = counts[user, default: 0] - 1
            counts[user] = left > 0 ? left : nil
        }
    }
}

/// Lets a client in whose connection others set up, or hangs up.
final class ClientAdmission: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let clients: SocketClients

    init(_ clients: SocketClients) { self.clients = clients }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        _ = clients.accept(channel)
    }

    /// The library answers what can't be read, and then waits for the client to hang up, who may go on and on.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let channel = context.channel
        channel.close(mode: .input, promise: nil)
        context.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
        context.fireErrorCaught(error)
    }
}

/// Ends a connection whose client never says a word, or reads nothing while something waits for it.
private final class ClientWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let limits: SocketClients.Limits
    private var silence: Scheduled<Void>?
    private var stall: Scheduled<Void>?

    init(_ limits: SocketClients.Limits) { self.limits = limits }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        silence = context.eventLoop.scheduleTask(in: limits.idle) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        silence?.cancel()
        context.fireChannelRead(data)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let channel = context.channel
        stall?.cancel()
        stall = channel.isWritable ? nil : context.eventLoop.scheduleTask(in: limits.patience) { channel.close(promise: nil) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        silence?.cancel()
        stall?.cancel()
        context.fireChannelInactive()
    }
}
