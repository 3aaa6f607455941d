import SystemPackage

extension NetlinkSocket {
    /// Reads a list of the kernel's.
    ///
    /// The kernel says when anything of the kind came or went while it was being read, whoever's it was; then it is read again from the start. Where
    /// something comes and goes all the time, a reading is believed that says the same as the one before it.
    ///
    /// - Parameters:
    ///   - content: writes the header of the family and the attributes that filter.
    ///   - parse: makes an element of a message, or nothing for what isn't asked for.
    package mutating func dump<Element: Equatable>(
        _ type: MessageType, _ content: (inout MessageWriter) -> Void, _ parse: (MessageHeader, RawSpan) -> Element?
    ) throws(TransportError) -> [Element] {
        var previous: [Element]?
        for _ in 0..<Self.attempts {
            let (elements, isConsistent) = try reading(type, content, parse)
            if isConsistent || elements == previous { return elements }
            previous = elements
        }
        throw .neverConsistent(attempts: Self.attempts)
    }

    /// One reading of a list, all of it, and whether nothing of the kind came or went meanwhile.
    package mutating func reading<Element>(
        _ type: MessageType, _ content: (inout MessageWriter) -> Void, _ parse: (MessageHeader, RawSpan) -> Element?
    ) throws(TransportError) -> (elements: [Element], isConsistent: Bool) {
        var elements: [Element] = []
        for _ in 0..<Self.attempts {
            elements.removeAll(keepingCapacity: true)
            let reading = try pass(type, content) { header, message in
                if let element = parse(header, message) { elements.append(element) }
                return true
            }
            // What was too long for the buffer is lost. There is room for it now.
            if !reading.isCut { return (elements, reading.isConsistent) }
        }
        throw .answerCut
    }

    /// Reads a list whose length is up to somebody who isn't trusted, no further than so many messages, one datagram's more or less. What came or
    /// went meanwhile may be in it or not.
    ///
    /// - Throws: `tooMany` where there are more; the rest isn't read, and the socket is of no use any more.
    package mutating func list<Element>(
        _ type: MessageType, atMost limit: Int, _ content: (inout MessageWriter) -> Void, _ parse: (MessageHeader, RawSpan) -> Element?
    ) throws(TransportError) -> [Element] {
        var elements: [Element] = []
        for _ in 0..<Self.few {
            elements.removeAll(keepingCapacity: true)
            let reading = try pass(type, atMost: limit, content) {
                if let element = parse($0, $1) { elements.append(element) }
                return true
            }
            if !reading.isCut { return elements }
        }
        throw .answerCut
    }

    /// How often such a list is begun anew: for each message that is longer than there was room for.
    private static var few: Int { 3 }

    /// Goes through a list of the kernel's once, whatever comes or goes meanwhile, and no further than `body`
    /// wants: where it says false the rest isn't read, and the socket is good for nothing else. Returns
    /// whether it was all.
    package mutating func skim(
        _ type: MessageType, _ content: (inout MessageWriter) -> Void,
        _ body: (MessageHeader, RawSpan) -> Bool
    ) throws(TransportError) -> Bool {
        let reading = try pass(type, content, body)
        guard !reading.isCut else { throw .answerCut }
        return reading.isWhole
    }

    /// How often a list is read, and not as often as somebody makes it necessary.
    private static var attempts: Int { 20 }

    /// One reading, up to where `body` says false: whether the kernel calls it consistent, whether a part is
    /// missing, and whether it came to the end.
    private mutating func pass(
        _ type: MessageType, atMost limit: Int = .max, _ content: (inout MessageWriter) -> Void,
        _ body: (MessageHeader, RawSpan) -> Bool
    ) throws(TransportError) -> (isConsistent: Bool, isCut: Bool, isWhole: Bool) {
        let sequence = sequences(1).lowerBound
        var request = MessageWriter(reserving: 256)
        request.message(type, [.request, .dump], sequence: sequence, content)
        try transmit(request.bytes.span)

        var (isConsistent, isCut) = (true, false)
        var (isDone, isWanted) = (false, true)
        var refusal: KernelError?
        var count = 0
        while !isDone, isWanted {
            guard let length = try receive(until: .now + patience) else {
                isCut = true
                continue
            }
            guard length > 0 else { throw .noAnswer(within: patience) }
            let areWhole = areWhole(in: length) { header, message in
                guard header.sequence == sequence else { return }
                if header.flags.contains(.interrupted) { isConsistent = false }
                switch header.type {
                case .done, .error:
                    isDone = true
                    refusal = KernelError(header, message)
                    refusal?.operation = type
                case .overrun, .noOperation: break
                default:
                    count += 1
                    if !isCut, isWanted { isWanted = body(header, message) }
                }
            }
            guard count <= limit else { throw .tooMany(limit) }
            // The rest of the list comes all the same, and must be taken before the next can be asked for.
            isCut = isCut || !areWhole
        }
        if let refusal { throw .refused(refusal) }
        return (isConsistent, isCut, isWanted)
    }
}
