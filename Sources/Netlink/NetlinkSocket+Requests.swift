package import SystemPackage

extension NetlinkSocket {
    /// Sends a batch and waits until each of its messages is answered.
    ///
    /// A refused message doesn't keep the later ones from being tried. As many messages as the socket's buffers carry go in one
    /// send; the kernel takes them one by one, in order.
    ///
    /// - Parameters:
    ///   - each: called with the place in the batch of the request and with a message that answers it, when that says more than yes or
    ///     no.
    ///   - event: called with multicast messages that come in between, if the socket has joined groups.
    /// - Returns: the messages that were refused, by their place in the batch; empty when all went well.
    /// - Throws: when nothing is known of some of them.
    package mutating func send(
        _ batch: inout Batch, _ each: (_ index: Int, MessageHeader, RawSpan) -> Void = { _, _, _ in },
        event: (MessageHeader, RawSpan) -> Void = { _, _ in }
    ) throws(TransportError) -> [Int: KernelError] { try exchange(&batch, each, event).refused }

    /// The same, and whether no answer was longer than there was room for.
    private mutating func exchange(
        _ batch: inout Batch, _ each: (_ index: Int, MessageHeader, RawSpan) -> Void, _ event: (MessageHeader, RawSpan) -> Void
    ) throws(TransportError) -> (refused: [Int: KernelError], isWhole: Bool) {
        var refused: [Int: KernelError] = [:]
        var isWhole = true
        guard !batch.isEmpty else { return (refused, isWhole) }
        let first = sequences(batch.count).lowerBound
        batch.number(from: first)
        var index = 0
        while index < batch.count {
            let end = last(from: index, in: batch)
            try transmit(batch.bytes.span.extracting(batch.start(of: index)..<batch.ends[end]))
            let isAll = try collect((first + UInt32(index))...(first + UInt32(end)), event) { header, message in
                let place = Int(header.sequence - first)
                if header.type == .error {
                    refused[place] = KernelError(header, message)
                } else {
                    each(place, header, message)
                }
            }
            isWhole = isWhole && isAll
            index = end + 1
        }
        return (refused, isWhole)
    }

    /// The same of requests that only ask.
    ///
    /// - Parameter absences: the errors by which the kernel says that there is no such thing; any other says nothing of it, and is thrown.
    package mutating func ask(
        _ batch: inout Batch, absences: Set<Errno>, _ each: (_ index: Int, MessageHeader, RawSpan) -> Void
    ) throws(TransportError) {
        for _ in 0..<3 {
            let (answers, isWhole) = try exchange(&batch, each) { _, _ in }
            let refused = answers.filter { !absences.contains($0.value.errno) }
            if let first = refused.min(by: { $0.key < $1.key }) { throw .refused(first.value) }
            // There is room now for the answer that was too long: a link with hundreds of names has one.
            if isWhole { return }
        }
        throw .answerCut
    }

    /// The last message that goes in one send with the one at `index`.
    private func last(from index: Int, in batch: Batch) -> Int {
        // An answer occupies 768 bytes of the receive buffer, or 1280 with words in it (`skb->truesize`).
        let most = max(1, receiveLimit / 2048)
        var last = index
        while last + 1 < batch.count, last + 1 - index < most, batch.ends[last + 1] - batch.start(of: index) <= sendLimit { last += 1 }
        return last
    }

    /// Receives until each of `sequences` was answered by an `NLMSG_ERROR`, which may say that all is well. Whether nothing was too long.
    private mutating func collect(
        _ sequences: ClosedRange<UInt32>, _ event: (MessageHeader, RawSpan) -> Void, _ body: (MessageHeader, RawSpan) -> Void
    ) throws(TransportError) -> Bool {
        var missing = sequences.count
        var isWhole = true
        while missing > 0 {
            guard let length = try receive(until: .now + patience) else {
                isWhole = false
                continue
            }
            guard length > 0 else { throw .noAnswer(within: patience) }
            try messages(in: length) { header, message in
                guard header.type != .noOperation, header.type != .done else { return }
                guard sequences.contains(header.sequence) else { return event(header, message) }
                if header.type == .error { missing -= 1 }
                body(header, message)
            }
        }
        return isWhole
    }

    /// Sends messages that the caller put together and numbered, as one datagram, and collects what the kernel refused.
    ///
    /// It is made for batches of nfnetlink (`NFNL_MSG_BATCH_BEGIN` to `_END`), which the kernel takes as a whole: it answers when it
    /// has gone through all of it, in order, first what `NLM_F_ECHO` asked for, then every refused message, and every one that asked for
    /// an acknowledgement. `end` must be the last message with `NLM_F_ACK`. Collecting ends with the answer to that one. It also
    /// ends when the kernel gave up on the batch as a whole, in which case there is nothing but a refusal of its first message: no
    /// permission, no memory, no such subsystem.
    ///
    /// - Parameters:
    ///   - sequences: the numbers of all messages; the lowest is that of the first. See `sequences(_:)`.
    ///   - end: the number of the last message that asks for an acknowledgement.
    ///   - echo: called with each message that answers, but for yes or no.
    /// - Returns: what was refused, in the kernel's order; empty when the batch is in force.
    package mutating func transact(
        _ bytes: Span<UInt8>, _ sequences: ClosedRange<UInt32>, end: UInt32, echo: (MessageHeader, RawSpan) -> Void = { _, _ in }
    ) throws(TransportError) -> [KernelError] {
        try discardLeftovers()
        try transmit(bytes)
        var refused: [KernelError] = []
        var ended = false
        while !ended {
            // After a refusal of the batch as a whole nothing need follow; all that does is there already.
            let alone = refused.contains { $0.sequence == sequences.lowerBound }
            guard let length = try receive(until: alone ? nil : .now + patience) else { continue }
            if length == 0 {
                if alone { break }
                throw .noAnswer(within: patience)
            }
            try messages(in: length) { header, message in
                guard sequences.contains(header.sequence) else { return }
                guard header.type == .error else { return echo(header, message) }
                if let error = KernelError(header, message) { refused.append(error) }
                if header.sequence == end { ended = true }
            }
        }
        return refused
    }

    /// Forgets what came too late for the request before, and that answers to it were lost.
    private mutating func discardLeftovers() throws(TransportError) {
        do throws(TransportError) {
            while try receive(until: nil) != 0 {}
        } catch .answersLost {
            while try receive(until: nil) != 0 {}
        }
    }
}
