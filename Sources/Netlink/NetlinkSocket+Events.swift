import CLinux
package import SystemPackage

extension NetlinkSocket {
    /// What waiting for multicast messages came to.
    package enum Wait: Hashable, Sendable {
        /// Messages were handed over.
        case messages
        /// The other descriptor became readable.
        case woken
    }

    /// Waits for a datagram of multicast messages and hands each of them over; blocks without an end, unless `waker` becomes readable.
    ///
    /// - Throws: `answersLost` when more came than the socket could hold: what is known from messages is incomplete from then on.
    package mutating func next(
        orUntil waker: FileDescriptor, _ body: (MessageHeader, RawSpan) -> Void
    ) throws(TransportError) -> Wait {
        while true {
            var entries = [
                pollfd(fd: waker.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            let count = nfds_t(entries.count)
            let ready = unsafe entries.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, count, -1) }
            guard ready >= 0 else {
                if Errno.current == .interrupted { continue }
                throw .current("poll")
            }
            if entries[0].revents != 0 { return .woken }
            if try drain(body) { return .messages }
        }
    }

    /// Waits for a datagram of multicast messages and hands each of them over; false when none came before `deadline`.
    package mutating func next(
        before deadline: ContinuousClock.Instant, _ body: (MessageHeader, RawSpan) -> Void
    ) throws(TransportError) -> Bool {
        guard let length = try receive(until: deadline) else { throw .answersLost }
        messages(in: length, body)
        return length > 0
    }

    /// Hands over what has come already, without waiting; whether there was something.
    package mutating func drain(_ body: (MessageHeader, RawSpan) -> Void) throws(TransportError) -> Bool {
        var some = false
        while true {
            guard let length = try receive(until: nil) else { throw .answersLost }
            guard length > 0 else { return some }
            some = true
            messages(in: length, body)
        }
    }
}
