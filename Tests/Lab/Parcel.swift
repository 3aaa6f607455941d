import CLinux
import Glibc
import SystemPackage

/// A number that a packet carries as its last bytes, by which it is known wherever it comes out.
package enum ParcelNumber {
    private static let opening: [UInt8] = Array("~hawser~".utf8)
    private static let digits = 16
    /// Divides by four, so that SCTP pads nothing.
    private static let length = opening.count + digits

    package static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(decoding: opening, as: UTF8.self) + String(repeating: "0", count: Self.digits - digits.count) + digits
    }

    /// Of a packet that ends here; nil for one that carries none.
    static func read(_ bytes: UnsafeRawBufferPointer, _ count: Int) -> UInt64? {
        guard count >= length else { return nil }
        let start = count - length
        for index in opening.indices where unsafe bytes[start + index] != opening[index] { return nil }
        var number: UInt64 = 0
        for index in (start + opening.count)..<count {
            let byte = unsafe bytes[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }
}

/// Sees the numbered packets that come to one place.
struct ParcelInbox {
    let socket: ProbeSocket
    /// Those that have come and weren't asked for yet.
    private(set) var numbers: Set<UInt64> = []
    // SOL_PACKET and PACKET_IGNORE_OUTGOING (linux/if_packet.h).
    private static let (packetLevel, ignoreOutgoing): (Int32, Int32) = (263, 23)

    init(_ socket: ProbeSocket, seesOutgoing: Bool = false) throws {
        self.socket = socket
        socket.makeRoom()
        guard seesOutgoing || hawser_set_option(socket.descriptor.rawValue, Self.packetLevel, Self.ignoreOutgoing, 1) == 0 else {
            throw .current("PACKET_IGNORE_OUTGOING") as LabError
        }
    }

    /// Takes in what has come; doesn't wait.
    mutating func empty(_ buffer: inout [UInt8]) {
        let file = socket.descriptor.rawValue
        unsafe buffer.withUnsafeMutableBytes { raw in
            while true {
                let count = unsafe recv(file, raw.baseAddress, raw.count, Int32(MSG_DONTWAIT))
                guard count >= 0 else { break }
                if let number = unsafe ParcelNumber.read(UnsafeRawBufferPointer(raw), count) { numbers.insert(number) }
            }
        }
    }

    /// Waits until this number has come.
    mutating func wait(for number: UInt64, _ buffer: inout [UInt8], within time: Duration) -> Bool {
        let deadline = ContinuousClock.now + time
        while true {
            empty(&buffer)
            if numbers.contains(number) { return true }
            guard socket.wait(POLLIN, within: ContinuousClock.now.duration(to: deadline)) else { return false }
        }
    }

    mutating func take() -> Set<UInt64> {
        defer { numbers = [] }
        return numbers
    }
}
