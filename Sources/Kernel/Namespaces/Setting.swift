import CLinux
import Netlink
package import SystemPackage

/// A setting under `/proc/sys/net` (Documentation/networking/ip-sysctl.rst), of the namespace that the calling thread is in.
package struct Setting: Hashable, Sendable, CustomStringConvertible {
    /// As `sysctl` writes it, but with slashes: a name of an interface may hold dots.
    package let name: String

    package init(_ name: String) { self.name = name }

    package var description: String { name }

    package func read() throws(Errno) -> String {
        try withFile(O_RDONLY) { (file: Int32) throws(Errno) -> String in
            var bytes = [UInt8](repeating: 0, count: 64)
            let count = unsafe bytes.withUnsafeMutableBytes { unsafe CLinux.read(file, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw .current }
            return String(decoding: bytes.prefix(count).prefix { $0 > 32 }, as: UTF8.self)
        }
    }

    package func write(_ value: String) throws(Errno) {
        try withFile(O_WRONLY) { (file: Int32) throws(Errno) in
            let bytes = Array(value.utf8)
            let count = unsafe bytes.withUnsafeBytes { unsafe CLinux.write(file, $0.baseAddress, $0.count) }
            guard count == bytes.count else { throw .current }
        }
    }

    private func withFile<Result>(_ mode: Int32, _ body: (Int32) throws(Errno) -> Result) throws(Errno) -> Result {
        let file = unsafe hawser_open("/proc/sys/net/\(name)", mode | O_CLOEXEC)
        guard file >= 0 else { throw .current }
        defer { _ = close(file) }
        return try body(file)
    }
}
