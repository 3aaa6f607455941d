import NIOCore

/// Watches what a client sends, before the library takes it: how much of messages is under way, on whose account, and for how long.
///
/// The library takes what comes for as many calls as a connection may have, as much of each as a message may have, and for as long as the client
/// answers pings. Here each message gets room for all of it when it begins; until there is room its stream isn't read, so that no half message
/// waits for what another half message holds. The library gets each frame by itself, in no more memory than it needs, and with a call's headers the
/// number by which those who serve it find it (`CallBounds.call`).
final class MessageWatch: ChannelDuplexHandler {
    typealias OutboundIn = Any
    typealias OutboundOut = Any
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// A stream that the library has opened.
    private final class Stream {
        let call: Call
        let gate: ReadGate
        var progress = MessageProgress()
        /// How many messages have begun.
        var begun = 0
        /// Of the message that is under way.
        var room: Room?
        var isHeld = false
        var counted = 0
        var deadline: Scheduled<Void>?
        /// Frames that wait to be read.
        var frames = 0
        /// Frames in which the message that is under way has come so far.
        var pieces = 0

        init(_ call: Call, _ gate: ReadGate) { (self.call, self.gate) = (call, gate) }
    }

    private enum State {
        /// So many bytes of it are to come.
        case preface(Int)
        case frames
        /// No frame can be told from another any more, which is the library's to refuse.
        case blind
        case over
    }

    /// How long a message may take that isn't there yet, and how slowly it may come beyond.
    private static let patience = TimeAmount.seconds(30)
    private static let bytesPerSecond = 256 << 10

    /// How many frames so much of a message may come in; some may be small.
    private static func mostPieces(of bytes: Int) -> Int { 1000 + bytes / 64 }

    /// On whose account; nobody sends anything before that is known.
    var client: Budget.Client?
    private let bounds: CallBounds
    private let refused: (String) -> Void
    private let exit: () -> Void
    private var context: ChannelHandlerContext?
    private var bytes = ByteBuffer()
    private var state = State.preface(WireFrame.prefaceLength)
    private var streams: [UInt32: Stream] = [:]
    private var last: UInt32 = 0
    /// The stream whose headers are on their way.
    private var opening: (stream: UInt32, call: Call)?
    /// Streams whose messages have got further since the last time.
    private var touched: Set<UInt32> = []
    /// Frames since the client was last charged for them.
    private var taken = 0
    /// Whether nothing is read for a while, because the client was too fast.
    private var isPaused = false

    /// - Parameters:
    ///   - refused: is told why a connection is hung up on.
    ///   - exit: ends it at once.
    init(_ bounds: CallBounds, client: Budget.Client? = nil, refused: @escaping (String) -> Void, exit: @escaping () -> Void) {
        (self.bounds, self.client, self.refused, self.exit) = (bounds, client, refused, exit)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    private func hangUp(_ reason: String) {
        guard let context else { return }
        if case .over = state { return }
        state = .over
        refused(reason)
        // Not while the library is in the middle of what it was handed.
        let watch = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute { watch.value.exit() }
    }

    // MARK: Frames

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.writeImmutableBuffer(unwrapInboundIn(data))
        while let next = next() {
            switch next {
            case .bytes(let bytes): hand(on: bytes)
            case .frame(let frame): take(frame)
            }
        }
        if bytes.readableBytes == 0 { bytes = ByteBuffer() } else { bytes.discardReadBytes() }
    }

    private enum Piece {
        case bytes(ByteBuffer)
        case frame(WireFrame)
    }

    private func next() -> Piece? {
        switch state {
        case .preface(let left):
            guard let beginning = bytes.readSlice(length: min(left, bytes.readableBytes)), beginning.readableBytes > 0 else { return nil }
            state = beginning.readableBytes < left ? .preface(left - beginning.readableBytes) : .frames
            return .bytes(beginning)
        case .frames:
            guard let length = WireFrame.length(in: bytes) else { return nil }
            guard length <= WireFrame.headLength + WireFrame.mostLength else {
                state = .blind
                return next()
            }
            return bytes.readSlice(length: length).flatMap { WireFrame(ByteBuffer(buffer: $0)) }.map { .frame($0) }
        case .blind:
            defer { bytes = ByteBuffer() }
            return bytes.readableBytes > 0 ? .bytes(bytes) : nil
        case .over:
            bytes = ByteBuffer()
            return nil
        }
    }

    private func hand(on bytes: ByteBuffer) { context?.fireChannelRead(wrapInboundOut(bytes)) }

    /// Reads on when the client isn't too fast.
    func read(context: ChannelHandlerContext) {
        let wait = client.map { bounds.pace.charge(taken, to: $0) } ?? .zero
        taken = 0
        guard !isPaused else { return }
        guard wait > .zero else { return context.read() }
        isPaused = true
        let watch = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: wait) {
            watch.value.isPaused = false
            watch.value.context?.read()
        }
    }

    private func take(_ frame: WireFrame) {
        taken += 1
        switch frame.kind {
        case .headers? where frame.stream > last:
            last = frame.stream
            opening = begin(frame.stream)
            takeHeaders(frame)
        case .continuation? where frame.stream == opening?.stream: takeHeaders(frame)
        case .data?:
            if let stream = streams[frame.stream] { take(frame, of: stream) }
            hand(on: frame.bytes)
        default: hand(on: frame.bytes)
        }
    }

    /// With the last of a call's headers its number goes along, and then the library opens its stream.
    private func takeHeaders(_ frame: WireFrame) {
        guard frame.flags.contains(.endHeaders), let opening else { return hand(on: frame.bytes) }
        hand(on: frame.continued)
        hand(on: WireFrame.continuation(of: opening.stream, CallBounds.header, "\(opening.call.number)"))
        self.opening = nil
    }

    // MARK: Calls

    private func begin(_ stream: UInt32) -> (UInt32, Call)? {
        guard let client, let context else { return nil }
        let (loop, watch) = (context.eventLoop, NIOLoopBound(self, eventLoop: context.eventLoop))
        let call = Call(bounds.number(), of: client, bounds, on: loop) { reason in loop.execute { watch.value.hangUp(reason) } }
        return (stream, call)
    }

    /// To be called when the library has opened a stream, before anything of it is read.
    static func opened(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            try channel.parent?.pipeline.syncOperations.handler(type: MessageWatch.self).opened(channel)
        }
    }

    private func opened(_ channel: any Channel) throws {
        guard let (id, call) = opening else { return }
        let stream = Stream(call, ReadGate { [weak self] in self?.delivered(id) })
        streams[id] = stream
        bounds.begin(call)
        try channel.pipeline.syncOperations.addHandler(stream.gate, position: .first)
        let watch = NIOLoopBound(self, eventLoop: channel.eventLoop)
        channel.closeFuture.whenComplete { _ in watch.value.closed(id) }
        count(CallBounds.callCost, call.client)
    }

    private func closed(_ id: UInt32) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        stream.deadline?.cancel()
        bounds.overhead.remove(stream.counted + stream.frames * CallBounds.frameCost + CallBounds.callCost, of: stream.call.client)
        bounds.end(stream.call)
    }

    private func delivered(_ id: UInt32) {
        guard let stream = streams[id], stream.frames > 0 else { return }
        bounds.overhead.remove(stream.frames * CallBounds.frameCost, of: stream.call.client)
        stream.frames = 0
    }

    private func count(_ amount: Int, _ client: Budget.Client) {
        if !bounds.overhead.add(amount, of: client) { hangUp("it has too much under way that nobody asked for") }
    }

    // MARK: Messages

    private func take(_ frame: WireFrame, of stream: Stream) {
        if !stream.gate.isReading {
            stream.frames += 1
            count(CallBounds.frameCost, stream.call.client)
        }
        stream.pieces += 1
        var progress = stream.progress
        progress.take(frame.data) { step in
            stream.pieces = 0
            switch step {
            case .began(let length): begin(length, frame.stream, stream)
            case .ended(let length): end(stream, length)
            }
        }
        stream.progress = progress
        if stream.isHeld { count(stream, progress.received) }
        if stream.progress.isUnderWay { touched.insert(frame.stream) }
        if stream.pieces > Self.mostPieces(of: progress.received) { hangUp("its message comes in too many pieces") }
    }

    private func begin(_ length: Int, _ id: UInt32, _ stream: Stream) {
        guard let context else { return }
        stream.begun += 1
        let (loop, watch, number) = (context.eventLoop, NIOLoopBound(self, eventLoop: context.eventLoop), stream.begun)
        let budget = bounds.messages(of: length)
        let (claim, isGranted) = budget.claim(length, for: stream.call.client) { loop.execute { watch.value.granted(id, number) } }
        stream.room = Room(claim, in: budget)
        stream.isHeld = !isGranted
        if stream.isHeld { stream.gate.hold() }
    }

    private func granted(_ id: UInt32, _ number: Int) {
        guard let stream = streams[id], stream.begun == number, stream.isHeld else { return }
        stream.isHeld = false
        bounds.overhead.remove(stream.counted, of: stream.call.client)
        stream.counted = 0
        expect(id, stream)
        stream.gate.open()
    }

    /// Counts what has come of a message that there is no room for.
    private func count(_ stream: Stream, _ received: Int) {
        let new = received - stream.counted
        stream.counted = received
        count(new, stream.call.client)
    }

    /// A message is there. One that is so small that it came before there was room for it is counted instead.
    private func end(_ stream: Stream, _ length: Int) {
        stream.deadline?.cancel()
        stream.deadline = nil
        if stream.isHeld {
            count(stream, length)
            stream.room = nil
            stream.isHeld = false
            stream.gate.open()
        }
        stream.call.received(Call.Message(bounds, stream.call.client, room: stream.room, counted: stream.counted))
        (stream.room, stream.counted) = (nil, 0)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        for id in touched { if let stream = streams[id], !stream.isHeld { expect(id, stream) } }
        touched = []
        context.fireChannelReadComplete()
    }

    /// The rest of a message in time.
    private func expect(_ id: UInt32, _ stream: Stream) {
        guard let context, stream.progress.isUnderWay, stream.deadline == nil else { return }
        let seconds = Int64(stream.progress.length / Self.bytesPerSecond)
        let watch = NIOLoopBound(self, eventLoop: context.eventLoop)
        stream.deadline = context.eventLoop.scheduleTask(in: Self.patience + .seconds(seconds)) {
            watch.value.hangUp("a message of it doesn't come to its end")
        }
    }
}
