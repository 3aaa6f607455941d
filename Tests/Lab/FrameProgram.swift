/// A program for the kernel (`struct bpf_insn`, linux/bpf.h) that writes one TCP segment over each frame that it is given, all of it anew: the kernel
/// uses frames again, as they were left by whoever had them. From segment to segment a number goes up that is one of the two ports; the other is
/// taken from a table.
struct FrameProgram {
    /// Which port is the number; the other comes from the table.
    enum Number { case sourcePort, destinationPort }

    /// What the program reads and changes: the number, what it goes up by, and the table, in network order.
    static let ports = 1024
    static let size = 16 + 2 * ports

    private(set) var instructions: [UInt64] = []

    /// - Parameters:
    ///   - segment: Ethernet, IPv4 without options, TCP without options; both its ports are 0.
    ///   - value: the map that is `size` bytes.
    init(_ segment: [UInt8], _ number: Number, value: Int32) {
        let (data, end, state, next) = (6, 7, 9, 2)
        let (count, port, sum, other) = (1, 4, 5, 3)
        let (numbered, tabled) = number == .sourcePort ? (34, 36) : (36, 34)
        // Not enough room in the frame: dropped. The kernel makes frames of the length that it is asked for.
        add(0x61, data, 1, 0, 0)  // data = context->data
        add(0x61, end, 1, 4, 0)  // end = context->data_end
        add(0xbf, 8, data, 0, 0)
        add(0x07, 8, 0, 0, Int32(segment.count))
        add(0xb7, 0, 0, 0, 1)  // XDP_DROP
        add(0xbd, 8, end, 1, 0)  // if data + length <= end, skip the next
        add(0x95, 0, 0, 0, 0)
        // The number, and what it is next time.
        add(0x18, state, 2, 0, value)  // the address of the value (BPF_PSEUDO_MAP_VALUE)
        add(0, 0, 0, 0, 0)
        add(0x79, count, state, 0, 0)
        add(0x79, next, state, 8, 0)
        add(0x0f, next, count, 0, 0)
        add(0x7b, state, next, 0, 0)
        // The segment.
        for offset in stride(from: 0, to: segment.count - 3, by: 4) {
            add(0x62, data, 0, Int16(offset), Int32(bitPattern: Self.number(segment[offset..<(offset + 4)])))
        }
        if segment.count % 4 != 0 {
            let offset = segment.count & ~3
            add(0x6a, data, 0, Int16(offset), Int32(Self.number(segment[offset..<(offset + 2)])))
        }
        // The ports.
        add(0xbf, other, count, 0, 0)
        add(0x57, other, 0, 0, Int32(Self.ports - 1))
        add(0x67, other, 0, 0, 1)
        add(0x0f, other, state, 0, 0)
        add(0x69, port, other, 16, 0)
        add(0xdc, count, 0, 0, 16)  // in network order
        add(0x6b, data, count, Int16(numbered), 0)
        add(0x6b, data, port, Int16(tabled), 0)
        // The checksum (RFC 1071): it comes out right in either order of bytes.
        add(0xb7, sum, 0, 0, Int32(~UInt16(truncatingIfNeeded: Self.number(segment[50..<52]))))
        add(0x0f, sum, count, 0, 0)
        add(0x0f, sum, port, 0, 0)
        for _ in 0..<2 {
            add(0xbf, other, sum, 0, 0)
            add(0x77, other, 0, 0, 16)
            add(0x57, sum, 0, 0, 0xffff)
            add(0x0f, sum, other, 0, 0)
        }
        add(0xa7, sum, 0, 0, 0xffff)
        add(0x6b, data, sum, 50, 0)
        add(0xb7, 0, 0, 0, 2)  // XDP_PASS
        add(0x95, 0, 0, 0, 0)
    }

    /// One instruction: operation, destination and source register, offset, constant; as processors that are little-endian read it.
    private mutating func add(_ operation: UInt8, _ destination: Int, _ source: Int, _ offset: Int16, _ constant: Int32) {
        let registers = UInt64(source << 4 | destination)
        instructions.append(
            UInt64(operation) | registers << 8 | UInt64(UInt16(bitPattern: offset)) << 16 | UInt64(UInt32(bitPattern: constant)) << 32)
    }

    /// As a little-endian processor reads it.
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) } }
}
