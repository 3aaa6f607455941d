extension NetlinkSocket {
    /// Waits for a datagram of multicast messages and hands each of them over; false when none came before `deadline`.
    package mutating func next(
        before deadline: ContinuousClock.Instant, _ body: (MessageHeader, RawSpan) -> Void
    ) throws(TransportError) -> Bool {
        guard let length = try receive(until: deadline) else { throw .answersLost }
        try messages(in: length, body)
        return length > 0
    }

    /// Hands over what has come already, without waiting; whether there was something.
    package mutating func drain(_ body: (MessageHeader, RawSpan) -> Void) throws(TransportError) -> Bool {
        var some = false
        while true {
            guard let length = try receive(until: nil) else { throw .answersLost }
            guard length > 0 else { return some }
            some = true
            try messages(in: length, body)
        }
    }
}
