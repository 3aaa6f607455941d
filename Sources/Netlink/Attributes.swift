import CLibMNL

/// Reading a message in place. Lengths that the bytes themselves give are never trusted: a reader stops at the first that
/// doesn't fit, and whatever a payload is read as, it is read within its bounds.
extension RawSpan {
    /// A number in the host's order; 0 where the bytes don't reach.
    package func number<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int = 0, as: Number.Type = Number.self) -> Number {
        guard offset >= 0, offset + MemoryLayout<Number>.size <= byteCount else { return 0 }
        return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Number.self)
    }

    /// A number in network order; 0 where the bytes don't reach.
    package func networkOrder<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int = 0, as: Number.Type = Number.self) -> Number {
        Number(bigEndian: number(at: offset))
    }

    /// A C structure; nil where the bytes don't reach. A kernel older than a field leaves it out, hence the caller decides.
    package func structure<Structure: BitwiseCopyable>(at offset: Int = 0, as: Structure.Type = Structure.self) -> Structure? {
        guard offset >= 0, offset + MemoryLayout<Structure>.size <= byteCount else { return nil }
        return unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Structure.self)
    }

    /// Text up to its NUL or to the end.
    package var text: String {
        unsafe withUnsafeBytes { bytes in unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }

    package var array: [UInt8] { unsafe withUnsafeBytes { bytes in unsafe Array(bytes) } }

    /// Goes through the attributes that begin at `offset`; the number comes without `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`.
    package func attributes<Failure: Error>(
        from offset: Int = 0, _ body: (_ number: UInt16, _ payload: RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        let header = MemoryLayout<nlattr>.size
        var offset = offset
        while offset >= 0, offset + header <= byteCount {
            let length = Int(number(at: offset, as: UInt16.self))
            guard length >= header, offset + length <= byteCount else { return }
            let type: UInt16 = number(at: offset + 2)
            try body(type & 0x3fff, extracting((offset + header)..<(offset + length)))
            offset += (length + 3) & ~3
        }
    }

    /// Goes through the attributes behind the header of the message and that of its family.
    package func attributes<Header: BitwiseCopyable, Failure: Error>(
        after: Header.Type, _ body: (_ number: UInt16, _ payload: RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        try attributes(from: MessageHeader.size + (MemoryLayout<Header>.size + 3) & ~3, body)
    }
}
