import CLibMNL

/// Writes netlink messages one after another into growing memory.
///
/// A message is a header, the header of its family (`struct ifinfomsg`, …) and attributes, each padded to 4 bytes.
package struct MessageWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// Writes a whole message whose content is what `content` writes.
    package mutating func message(
        _ type: MessageType, _ flags: MessageFlags, sequence: UInt32 = 0, _ content: (inout MessageWriter) -> Void
    ) {
        let start = bytes.count
        put(raw: nlmsghdr(nlmsg_len: 0, nlmsg_type: type.rawValue, nlmsg_flags: flags.rawValue, nlmsg_seq: sequence, nlmsg_pid: 0))
        content(&self)
        patch(UInt32(bytes.count - start), at: start)
    }

    /// Writes a message that was encoded elsewhere, with these flags in place of its own, and then what `more` adds to it.
    package mutating func message(
        encoded: UnsafeRawBufferPointer, _ flags: MessageFlags, sequence: UInt32 = 0, _ more: (inout MessageWriter) -> Void = { _ in }
    ) {
        let start = bytes.count
        unsafe bytes.append(contentsOf: encoded)
        pad()
        patch(flags.rawValue, at: start + 6)
        patch(sequence, at: start + 8)
        more(&self)
        patch(UInt32(bytes.count - start), at: start)
    }

    /// The header of the message's family, or any other C structure, padded to 4 bytes.
    package mutating func put<Structure: BitwiseCopyable>(raw structure: Structure) {
        unsafe withUnsafeBytes(of: structure) { bytes in unsafe self.bytes.append(contentsOf: bytes) }
        pad()
    }

    package mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ key: AttributeKey<Number>, _ value: Number) {
        attribute(key.number, length: MemoryLayout<Number>.size) { $0.put(raw: value) }
    }

    /// A number that goes over in network order.
    package mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ key: AttributeKey<NetworkOrder<Number>>, _ value: Number) {
        attribute(key.number, length: MemoryLayout<Number>.size) { $0.put(raw: value.bigEndian) }
    }

    /// Text, ended by a NUL.
    package mutating func put(_ key: AttributeKey<String>, _ text: String) {
        attribute(key.number, length: text.utf8.count + 1) {
            $0.bytes.append(contentsOf: text.utf8)
            $0.bytes.append(0)
        }
    }

    package mutating func put(_ key: AttributeKey<Bytes>, _ value: some Collection<UInt8>) {
        attribute(key.number, length: value.count) { $0.bytes.append(contentsOf: value) }
    }

    package mutating func put<Structure: BitwiseCopyable>(_ key: AttributeKey<Bytes>, raw structure: Structure) {
        attribute(key.number, length: MemoryLayout<Structure>.size) { $0.put(raw: structure) }
    }

    package mutating func put(_ key: AttributeKey<Presence>) {
        attribute(key.number, length: 0) { _ in }
    }

    /// An attribute that holds the attributes that `content` writes; `NLA_F_NESTED` is set.
    package mutating func nest(_ key: AttributeKey<Nest>, _ content: (inout MessageWriter) -> Void) {
        let start = bytes.count
        put(raw: nlattr(nla_len: 0, nla_type: key.number | 1 << 15))
        content(&self)
        patch(UInt16(bytes.count - start), at: start)
    }

    private mutating func attribute(_ number: UInt16, length: Int, _ content: (inout MessageWriter) -> Void) {
        put(raw: nlattr(nla_len: UInt16(MemoryLayout<nlattr>.size + length), nla_type: number))
        content(&self)
        pad()
    }

    private mutating func pad() {
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    mutating func patch<Number: FixedWidthInteger & BitwiseCopyable>(_ value: Number, at offset: Int) {
        for byte in 0..<MemoryLayout<Number>.size {
            // Netlink headers are in the host's order.
            let shift = Number(8 * (Self.hostIsLittleEndian ? byte : MemoryLayout<Number>.size - 1 - byte))
            bytes[offset + byte] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }

    /// Bytes as they are, of whole messages.
    mutating func append(_ messages: ArraySlice<UInt8>) { bytes.append(contentsOf: messages) }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    private static let hostIsLittleEndian = 1.littleEndian == 1
}
