import CLinux
import Glibc
import HostNetwork

/// The process that changed something, as far as the kernel tells.
package struct Culprit: Hashable, Sendable, CustomStringConvertible {
    package var process: Int32
    /// Nil when it had ended before it was looked for.
    package var name: String?

    package init(process: Int32, name: String?) {
        self.process = process
        self.name = name
    }

    package var description: String { name.map { "\($0) (process \(process))" } ?? "process \(process), which has ended" }

    /// Whose netlink socket has this address in a namespace. The kernel gives a process's first socket the process's number, and the others
    /// numbers above all of those (`netlink_autobind`, net/netlink/af_netlink.c).
    ///
    /// Nil where that can't be told: the kernel acted by itself, or the number is that of a process elsewhere.
    init?(port: UInt32, in namespace: NetworkNamespace.Identity?) {
        // PID_MAX_LIMIT, linux/threads.h.
        guard port > 0, port <= 4 << 20 else { return nil }
        process = Int32(port)
        name = Self.name(of: process)
        // A container's processes have numbers of their own, which may be another's here.
        guard let namespace, let actual = Self.namespace(of: process) else { return }
        guard actual == namespace else { return nil }
    }

    private static func name(of process: Int32) -> String? {
        let file = unsafe hawser_open("/proc/\(process)/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { _ = close(file) }
        // TASK_COMM_LEN, linux/sched.h, and the end of the line.
        var bytes = [UInt8](repeating: 0, count: 17)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe CLinux.read(file, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        return String(decoding: bytes.prefix(count).prefix { $0 >= 32 }, as: UTF8.self)
    }

    /// Nil where it can't be seen.
    private static func namespace(of process: Int32) -> NetworkNamespace.Identity? {
        var status = stat()
        guard unsafe stat("/proc/\(process)/ns/net", &status) == 0 else { return nil }
        return NetworkNamespace.Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}
