import SystemPackage

extension NetlinkSocket {
    /// Reads a list of the kernel's.
    ///
    /// The kernel says when the list changed while it was being read; then it is read again from the start.
    ///
    /// - Parameters:
    ///   - content: writes the header of the family and the attributes that filter.
    ///   - parse: makes an element of a message, or nothing.
    package mutating func dump<Element>(
        _ type: MessageType, _ content: (inout MessageWriter) -> Void, _ parse: (MessageHeader, RawSpan) -> Element?
    ) throws(TransportError) -> [Element] {
        let attempts = 20
        var elements: [Element] = []
        for _ in 0..<attempts {
            elements.removeAll(keepingCapacity: true)
            if try pass(type, content, { if let element = parse($0, $1) { elements.append(element) } }) { return elements }
        }
        throw .neverConsistent(attempts: attempts)
    }

    /// One reading; whether it was consistent.
    private mutating func pass(
        _ type: MessageType, _ content: (inout MessageWriter) -> Void, _ body: (MessageHeader, RawSpan) -> Void
    ) throws(TransportError) -> Bool {
        let sequence = sequences(1).lowerBound
        var request = MessageWriter(reserving: 256)
        request.message(type, [.request, .dump], sequence: sequence, content)
        try transmit(request.bytes.span)

        var isConsistent = true
        var isDone = false
        var refusal: KernelError?
        while !isDone {
            guard let length = try receive(until: .now + patience) else {
                isConsistent = false
                continue
            }
            guard length > 0 else { throw .noAnswer(within: patience) }
            messages(in: length) { header, message in
                guard header.sequence == sequence else { return }
                if header.flags.contains(.interrupted) { isConsistent = false }
                switch header.type {
                case .done, .error:
                    isDone = true
                    refusal = KernelError(header, message)
                    refusal?.operation = type
                case .overrun, .noOperation: break
                default: if isConsistent { body(header, message) }
                }
            }
        }
        if let refusal { throw .refused(refusal) }
        return isConsistent
    }
}
