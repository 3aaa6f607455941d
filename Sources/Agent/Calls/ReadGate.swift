import NIOCore

/// Before a stream of a connection: what has come for it isn't read while its message waits for room, and then HTTP/2's flow control tells the
/// client to wait.
final class ReadGate: ChannelDuplexHandler {
    typealias InboundIn = Any
    typealias OutboundIn = Any

    /// Called when all that has come was handed on.
    private let delivered: () -> Void
    /// Whether whatever comes is handed on at once.
    private(set) var isReading = false
    private var isHeld = false
    /// Whether somebody asked while it was held.
    private var isWanted = false
    private var context: ChannelHandlerContext?

    init(delivered: @escaping () -> Void) { self.delivered = delivered }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func hold() { isHeld = true }

    func open() {
        isHeld = false
        guard isWanted, let context else { return }
        isWanted = false
        read(context: context)
    }

    func read(context: ChannelHandlerContext) {
        if isHeld {
            isWanted = true
        } else {
            isReading = true
            context.read()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        delivered()
        context.fireChannelReadComplete()
    }
}
