/// Messages that go to the kernel together, each answered for itself.
package struct Batch: Sendable {
    private(set) var writer: MessageWriter
    /// Where each message ends.
    private(set) var ends: [Int] = []

    package init(reserving capacity: Int = 4096) { writer = MessageWriter(reserving: capacity) }

    /// Messages that went out before, to go out again; what doesn't add up to whole messages is left out.
    package init(again bytes: [UInt8]) {
        self.init(reserving: bytes.count)
        var offset = 0
        while offset + MessageHeader.size <= bytes.count {
            let length = unsafe bytes.span.bytes.extracting(offset..<bytes.count).number(as: UInt32.self)
            let end = offset + (Int(length) + 3) & ~3
            guard length >= MessageHeader.size, end <= bytes.count else { return }
            writer.append(bytes[offset..<end])
            ends.append(end)
            offset = end
        }
    }

    /// Messages in it.
    package var count: Int { ends.count }
    package var isEmpty: Bool { ends.isEmpty }
    /// What is sent, but for the sequence numbers.
    package var bytes: [UInt8] { writer.bytes }

    /// Appends a message whose content is what `content` writes; answers its place in the batch.
    @discardableResult
    package mutating func add(_ type: MessageType, _ flags: MessageFlags = [], _ content: (inout MessageWriter) -> Void) -> Int {
        writer.message(type, flags.union([.request, .acknowledge]), content)
        ends.append(writer.bytes.count)
        return ends.count - 1
    }

    /// Appends a message that a codec made, with these flags in place of its own, and what `more` adds to it.
    @discardableResult
    package mutating func add(
        encoded: UnsafeRawBufferPointer, _ flags: MessageFlags, _ more: (inout MessageWriter) -> Void = { _ in }
    ) -> Int {
        unsafe writer.message(encoded: encoded, flags.union([.request, .acknowledge]), more)
        ends.append(writer.bytes.count)
        return ends.count - 1
    }

    package mutating func removeAll() {
        writer.removeAll()
        ends.removeAll(keepingCapacity: true)
    }

    func start(of index: Int) -> Int { index == 0 ? 0 : ends[index - 1] }

    /// Numbers the messages from `first` on (`nlmsg_seq`).
    mutating func number(from first: UInt32) {
        for index in ends.indices { writer.patch(first &+ UInt32(index), at: start(of: index) + 8) }
    }
}
