/// How far the messages of one call have come: a byte that says whether it is compressed, four that say how long it is, and as many of its own
/// (gRPC over HTTP2, "Length-Prefixed-Message").
struct MessageProgress: Equatable {
    enum Step: Equatable {
        /// A message begins, of so many bytes with its head.
        case began(Int)
        case ended(Int)
    }

    static let headLength = 5

    /// Of the message that is under way, with its head; before its head is whole, nobody knows how long it is.
    private(set) var received = 0
    /// Of all of it; 0: that isn't known yet.
    private(set) var length = 0
    private var head = 0

    var isUnderWay: Bool { received > 0 }

    /// Takes more bytes; says what begins and ends in them, in order.
    mutating func take(_ bytes: some Collection<UInt8>, _ step: (Step) -> Void) {
        var rest = bytes[...]
        while !rest.isEmpty {
            while received < Self.headLength, let byte = rest.popFirst() {
                // The first one is the mark of compression.
                if received > 0 { head = head << 8 | Int(byte) }
                received += 1
                guard received == Self.headLength else { continue }
                length = Self.headLength + head
                step(.began(length))
            }
            guard received >= Self.headLength else { return }
            let taken = min(rest.count, length - received)
            rest = rest.dropFirst(taken)
            received += taken
            guard received == length else { return }
            step(.ended(length))
            (received, head, length) = (0, 0, 0)
        }
    }
}
