import CLinux
import SystemPackage

/// TCP segments that the kernel makes by itself, as many as are wanted, and lets come in at an interface as if they came over its wire: no
/// process, socket or system call takes part in any of them, so what one costs is what its way through the host costs.
///
/// It wants to be root of the host, not of a user namespace, and Linux 5.18.
package struct Injector: ~Copyable {
    /// One that opens a connection or goes on with it.
    package struct Segment: Sendable {
        package var sourceMAC: String
        package var destinationMAC: String
        package var source: String
        package var destination: String
        /// SYN 2, ACK 16 (RFC 9293, section 3.1).
        package var flags: UInt8
        package var sequence: UInt32
        package var acknowledged: UInt32

        package init(
            mac source: String, to destination: String, from sender: String, to receiver: String, flags: UInt8, sequence: UInt32,
            acknowledged: UInt32
        ) {
            sourceMAC = source
            destinationMAC = destination
            self.source = sender
            self.destination = receiver
            self.flags = flags
            self.sequence = sequence
            self.acknowledged = acknowledged
        }

        /// With both ports 0.
        fileprivate var frame: Frame {
            get throws {
                try .ip(mac: sourceMAC, to: destinationMAC, from: source, to: destination, protocol: 6, hops: 64) { pseudo in
                    var header: [UInt8] = [0, 0, 0, 0] + sequence.bigEndianBytes + acknowledged.bigEndianBytes
                    header += [0x50, flags, 0xff, 0xff, 0, 0, 0, 0]
                    header.replaceSubrange(16..<18, with: Checksum.of(pseudo(header.count) + header).bigEndianBytes)
                    return header
                }
            }
        }
    }

    private let program: FileDescriptor
    private let value: FileDescriptor
    private let frame: [UInt8]

    /// - Parameter isReply: whether the number that goes up is the destination's port, and not the source's.
    package init(_ segment: Segment, isReply: Bool) throws {
        let frame = try segment.frame.bytes
        let value = hawser_bpf_value(UInt32(FrameProgram.size))
        guard value >= 0 else { throw .current("bpf(2), which only root of the host may use: a map") as LabError }
        let instructions = FrameProgram(frame, isReply ? .destinationPort : .sourcePort, value: value).instructions
        let program = unsafe instructions.withUnsafeBufferPointer { unsafe hawser_bpf_load($0.baseAddress, UInt32($0.count)) }
        guard program >= 0 else {
            let error = LabError.current("bpf(2): loading a program")
            _ = close(value)
            throw error
        }
        self.frame = frame
        self.value = FileDescriptor(rawValue: value)
        self.program = FileDescriptor(rawValue: program)
    }

    deinit {
        try? program.close()
        try? value.close()
    }

    /// Lets so many come in at an interface of a namespace.
    ///
    /// - Parameters:
    ///   - first: the port that is a number: of the first segment; each further one's is one more if it is `rising`.
    ///   - ports: the other port, taken by turns; no more than 1024.
    /// - Returns: how long one took, with all that the host did about it; nanoseconds.
    package borrowing func inject(
        _ count: Int, at interface: UInt32, in namespace: LabNamespace, from first: UInt16, rising: Bool, ports: [UInt16]
    ) throws -> Double {
        var state = UInt64(first).littleEndianBytes + UInt64(rising ? 1 : 0).littleEndianBytes
        for index in 0..<FrameProgram.ports { state += ports[index % ports.count].bigEndianBytes }
        guard unsafe state.withUnsafeBytes({ unsafe hawser_bpf_write(value.rawValue, $0.baseAddress) }) == 0 else {
            throw .current("bpf(2): writing a map") as LabError
        }
        var nanoseconds: UInt32 = 0
        let result = try namespace.inside {
            unsafe frame.withUnsafeBytes {
                unsafe hawser_bpf_inject(program.rawValue, $0.baseAddress, UInt32($0.count), interface, UInt32(count), &nanoseconds)
            }
        }
        guard result == 0 else { throw .current("bpf(2), which can do this since Linux 5.18: injecting frames") as LabError }
        return Double(nanoseconds)
    }
}

extension UInt64 {
    fileprivate var littleEndianBytes: [UInt8] { bigEndianBytes.reversed() }
}
