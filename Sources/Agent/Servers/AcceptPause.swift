import Glibc
import NIOCore

/// Accepts nothing for a moment when the process or the machine has no descriptor left.
///
/// The library waits as well (`AcceptBackoffHandler`), but leaves the socket registered for reading, and the kernel goes on saying that
/// somebody is there (epoll is level-triggered): a loop that costs half a processor until somebody hangs up.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = Never

    private static let pause = TimeAmount.seconds(1)
    private var isPausing = false

    /// To be called with a channel that listens.
    static func add(to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.submit { try channel.pipeline.syncOperations.addHandler(AcceptPause(), position: .first) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode), !isPausing {
            isPausing = true
            let (channel, pausing) = (context.channel, NIOLoopBound(self, eventLoop: context.eventLoop))
            try? channel.syncOptions?.setOption(.autoRead, value: false)
            context.eventLoop.scheduleTask(in: Self.pause) {
                pausing.value.isPausing = false
                try? channel.syncOptions?.setOption(.autoRead, value: true)
            }
        }
        context.fireErrorCaught(error)
    }
}
