import CLibMNL
import CLinux
import SystemPackage

extension NetlinkSocket {
    /// Sends `bytes` as one datagram.
    func transmit(_ bytes: Span<UInt8>) throws(TransportError) {
        guard bytes.count <= sendLimit else { throw .tooLong(bytes.count, limit: sendLimit) }
        onSend?(bytes)
        while true {
            let sent = unsafe bytes.withUnsafeBytes { unsafe Self.send(descriptor, $0) }
            if sent >= 0 { return }
            guard Errno.current == .interrupted else { throw .current("send") }
        }
    }

    /// Receives one datagram of the kernel's into `buffer`.
    ///
    /// - Returns: its bytes; 0 when none came before `deadline`, and at once when that is nil; nil when it was longer than the
    ///   buffer and is lost. The buffer has room for it from then on.
    mutating func receive(until deadline: ContinuousClock.Instant?) throws(TransportError) -> Int? {
        while true {
            var sender = sockaddr_nl()
            let length = unsafe buffer.withUnsafeMutableBytes { unsafe Self.receive(descriptor, $0, &sender) }
            switch length {
            case 0...:
                // Any process may send to this socket; the kernel's address is 0.
                if sender.nl_pid != 0 { continue }
                guard length <= buffer.count else {
                    buffer = [UInt8](repeating: 0, count: (length + 0xffff) & ~0xffff)
                    return nil
                }
                return length
            default:
                switch Errno.current {
                case .interrupted: continue
                case .noBufferSpace: throw .answersLost
                case .wouldBlock, .resourceTemporarilyUnavailable:
                    guard let deadline, try wait(until: deadline) else { return 0 }
                default: throw .current("recv")
                }
            }
        }
    }

    /// Whether something can be received before `deadline`.
    private func wait(until deadline: ContinuousClock.Instant) throws(TransportError) -> Bool {
        while true {
            let left = ContinuousClock.now.duration(to: deadline).components
            guard left.seconds >= 0, left.attoseconds >= 0 else { return false }
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1
            var entry = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            switch unsafe poll(&entry, 1, Int32(clamping: milliseconds)) {
            case 1...: return true
            case 0: return false
            case _ where Errno.current == .interrupted: continue
            default: throw .current("poll")
            }
        }
    }

    private static func send(_ descriptor: FileDescriptor, _ bytes: UnsafeRawBufferPointer) -> Int {
        unsafe CLinux.send(descriptor.rawValue, bytes.baseAddress, bytes.count, 0)
    }

    static func receive(_ descriptor: FileDescriptor, _ bytes: UnsafeMutableRawBufferPointer, _ sender: inout sockaddr_nl) -> Int {
        var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
        return unsafe withUnsafeMutablePointer(to: &sender) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                // With MSG_TRUNC the answer is the datagram's own length, however much of it there was room for.
                unsafe recvfrom(
                    descriptor.rawValue, bytes.baseAddress, bytes.count, Int32(MSG_TRUNC | MSG_DONTWAIT), address, &length)
            }
        }
    }

    /// Goes through the messages of a datagram of `length` bytes; throws when the last of them isn't whole.
    func messages(in length: Int, _ body: (MessageHeader, RawSpan) -> Void) throws(TransportError) {
        guard areWhole(in: length, body) else { throw .answerCut }
    }

    /// Goes through the messages of a datagram of `length` bytes; whether the last of them is whole.
    func areWhole(in length: Int, _ body: (MessageHeader, RawSpan) -> Void) -> Bool {
        unsafe buffer.span.bytes.extracting(first: length).messages(body)
    }
}

extension RawSpan {
    /// Goes through the messages of a datagram, up to the first that doesn't fit; whether there was none such.
    @discardableResult
    func messages<Failure: Error>(_ body: (MessageHeader, RawSpan) throws(Failure) -> Void) throws(Failure) -> Bool {
        var offset = 0
        while offset + MessageHeader.size <= byteCount {
            let header = MessageHeader(self, at: offset)
            guard header.length >= MessageHeader.size, offset + header.length <= byteCount else { return false }
            try body(header, extracting(offset..<(offset + header.length)))
            offset += (header.length + 3) & ~3
        }
        return offset >= byteCount
    }
}

extension KernelError {
    /// Reads `NLMSG_ERROR`, or `NLMSG_DONE` with an error in it; nil when it says that all is well.
    init?(_ header: MessageHeader, _ message: RawSpan) {
        let code = message.number(at: MessageHeader.size, as: Int32.self)
        guard code != 0 else { return nil }
        self.init(
            operation: MessageType(rawValue: message.number(at: MessageHeader.size + 8)), errno: Errno(rawValue: 0 &- code),
            sequence: header.sequence)
        guard header.flags.contains(.explained) else { return }
        // The error number, the refused message's header and, unless it was left out, the rest of that message.
        let refused = header.flags.contains(.capped) ? MessageHeader.size : Int(message.number(at: MessageHeader.size + 4, as: UInt32.self))
        message.attributes(from: MessageHeader.size + 4 + (max(refused, MessageHeader.size) + 3) & ~3) { number, payload in
            switch UInt32(number) {
            case NLMSGERR_ATTR_MSG.rawValue: explanation = payload.text
            case NLMSGERR_ATTR_OFFS.rawValue: offset = Int(payload.number(as: UInt32.self))
            case NLMSGERR_ATTR_MISS_TYPE.rawValue: missing = Int(payload.number(as: UInt32.self))
            default: break
            }
        }
    }
}
