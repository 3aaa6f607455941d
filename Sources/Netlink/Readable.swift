import CLinux
package import SystemPackage

/// Waiting until one of several descriptors can be read (poll(2)).
package enum Readable {
    /// Which of them can be read, by their places; blocks without an end until there is one, or for a time.
    package static func wait(for descriptors: [FileDescriptor], milliseconds: Int32 = -1) throws(TransportError) -> [Bool] {
        var entries = descriptors.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
        while true {
            let count = nfds_t(entries.count)
            if unsafe entries.withUnsafeMutableBufferPointer({ unsafe poll($0.baseAddress, count, milliseconds) }) >= 0 {
                return entries.map { $0.revents != 0 }
            }
            guard Errno.current == .interrupted else { throw .current("poll") }
        }
    }
}
