extension Frame {
    /// The two fragments of an IP packet that is cut after so many bytes of its content, a multiple of 8 (RFC 791, section 3.2; RFC 8200,
    /// section 4.5).
    package func fragments(cutAfter length: Int, id: UInt16) -> [Frame] {
        let header = Array(payload.prefix(type == 0x0800 ? 20 : 40))
        let content = Array(payload.dropFirst(header.count))
        return [(content.prefix(length), 0, true), (content.dropFirst(length), length, false)].map { part, offset, isFollowed in
            let fragment =
                type == 0x0800 ? Self.ipv4(header, part, offset, isFollowed, id) : Self.ipv6(header, part, offset, isFollowed, id)
            return Frame(bytes: Array(bytes.prefix(14)) + fragment)
        }
    }

    private static func ipv4(_ header: [UInt8], _ part: ArraySlice<UInt8>, _ offset: Int, _ isFollowed: Bool, _ id: UInt16) -> [UInt8] {
        var header = header
        let place = UInt16(offset / 8) | (isFollowed ? 0x2000 : 0)
        header.replaceSubrange(2..<8, with: UInt16(20 + part.count).bigEndianBytes + id.bigEndianBytes + place.bigEndianBytes)
        header.replaceSubrange(10..<12, with: [0, 0])
        header.replaceSubrange(10..<12, with: Checksum.of(header).bigEndianBytes)
        return header + part
    }

    private static func ipv6(_ header: [UInt8], _ part: ArraySlice<UInt8>, _ offset: Int, _ isFollowed: Bool, _ id: UInt16) -> [UInt8] {
        var header = header
        let place = UInt16(offset) | (isFollowed ? 1 : 0)
        let extensionHeader = [header[6], 0] + place.bigEndianBytes + UInt32(id).bigEndianBytes
        header.replaceSubrange(4..<7, with: UInt16(8 + part.count).bigEndianBytes + [44])
        return header + extensionHeader + part
    }
}
