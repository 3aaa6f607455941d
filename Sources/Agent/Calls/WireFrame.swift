import NIOCore

/// One frame of HTTP/2 as it is on the wire (RFC 9113, section 4.1).
struct WireFrame {
    enum Kind: UInt8 { case data = 0, headers = 1, reset = 3, continuation = 9 }

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// Of DATA and HEADERS.
        static let endStream = Flags(rawValue: 0x1)
        /// Of HEADERS and CONTINUATION.
        static let endHeaders = Flags(rawValue: 0x4)
        /// Of DATA and HEADERS.
        static let padded = Flags(rawValue: 0x8)
    }

    static let headLength = 9
    /// SETTINGS_MAX_FRAME_SIZE, as long as nobody says otherwise.
    static let mostLength = 1 << 14
    /// What a client sends before its first frame: "PRI * HTTP/2.0" and "SM" with their line ends (section 3.4).
    static let prefaceLength = 24

    /// Nil: a kind that is of no interest here.
    let kind: Kind?
    let flags: Flags
    let stream: UInt32
    /// The whole of it, head included.
    var bytes: ByteBuffer

    /// The length of the frame that begins here, head included; nil while that can't be told.
    static func length(in bytes: ByteBuffer) -> Int? {
        guard let word = bytes.getInteger(at: bytes.readerIndex, as: UInt32.self) else { return nil }
        return headLength + Int(word >> 8)
    }

    /// Takes a whole frame; nil for what is shorter than its head.
    init?(_ bytes: ByteBuffer) {
        let start = bytes.readerIndex
        guard let kind = bytes.getInteger(at: start + 3, as: UInt8.self), let flags = bytes.getInteger(at: start + 4, as: UInt8.self),
            let stream = bytes.getInteger(at: start + 5, as: UInt32.self)
        else { return nil }
        self.kind = Kind(rawValue: kind)
        self.flags = Flags(rawValue: flags)
        self.stream = stream & 0x7FFF_FFFF
        self.bytes = bytes
    }

    /// What a DATA frame carries, without its padding; nothing where the padding is longer than the frame, which the library refuses.
    var data: ByteBufferView {
        let view = bytes.readableBytesView.dropFirst(Self.headLength)
        guard flags.contains(.padded) else { return view }
        guard let padding = view.first, Int(padding) < view.count else { return view.prefix(0) }
        return view.dropFirst().dropLast(Int(padding))
    }

    /// The same frame, after which more of its headers come.
    var continued: ByteBuffer {
        var bytes = bytes
        bytes.setInteger(flags.subtracting(.endHeaders).rawValue, at: bytes.readerIndex + 4)
        return bytes
    }

    /// A last CONTINUATION frame with one more header, spelled out, which changes nobody's table of headers (RFC 7541, section 6.2.2).
    static func continuation(of stream: UInt32, _ name: String, _ value: String) -> ByteBuffer {
        let block = [0, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
        var bytes = ByteBuffer()
        bytes.writeInteger(UInt32(block.count) << 8 | UInt32(Kind.continuation.rawValue))
        bytes.writeInteger(Flags.endHeaders.rawValue)
        bytes.writeInteger(stream)
        bytes.writeBytes(block)
        return bytes
    }
}
