import CLinux
import Netlink
import SystemPackage

/// Wakes a thread that waits for something else (eventfd(2)).
final class Waker: Sendable {
    /// Readable once `wake` was called.
    let readable: FileDescriptor

    init() throws(TransportError) {
        let file = eventfd(0, Int32(EFD_CLOEXEC))
        guard file >= 0 else { throw .system(.current, doing: "eventfd") }
        readable = FileDescriptor(rawValue: file)
    }

    deinit { try? readable.close() }

    func wake() {
        let one: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 1]
        // It can't fail but for its counter being full, and then it is readable.
        unsafe _ = one.withUnsafeBytes { unsafe try? readable.write($0) }
    }
}
