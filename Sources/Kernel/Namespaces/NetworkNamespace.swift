import CLinux
package import HostNetwork
package import Netlink
package import SystemPackage

/// A network namespace, held by an open file: it stays what it is whatever happens to the path that it was opened by.
package struct NetworkNamespace: ~Copyable {
    package typealias Identity = NamespaceIdentity

    package let path: String
    package let descriptor: FileDescriptor

    /// Opens the network namespace that the file at `path` stands for, as `/run/netns/blue` or `/proc/17/ns/net`; anything else is left unopened.
    package init(at path: String) throws(NamespaceError) {
        descriptor = try Self.open(path)
        self.path = path
    }

    /// The one that a socket belongs to. It needs `CAP_NET_ADMIN` there.
    package init(of socket: borrowing NetlinkSocket) throws(NamespaceError) {
        path = "the namespace of socket \(socket.descriptor.rawValue)"
        let file = hawser_socket_namespace(socket.descriptor.rawValue)
        guard file >= 0 else { throw NamespaceError(path: path, errno: .current, reason: "cannot be opened: \(Errno.current)") }
        descriptor = FileDescriptor(rawValue: file)
    }

    deinit { try? descriptor.close() }

    /// The one that the calling thread is in.
    package static func current() throws(NamespaceError) -> NetworkNamespace { try NetworkNamespace(at: "/proc/thread-self/ns/net") }

    package var identity: Identity {
        get throws(NamespaceError) {
            var status = stat()
            guard unsafe fstat(descriptor.rawValue, &status) == 0 else {
                throw NamespaceError(path: path, errno: .current, reason: "has no identity: \(Errno.current)")
            }
            return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        }
    }
}

/// A path that can't be used as a network namespace.
package struct NamespaceError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var errno: Errno
    package var reason: String

    package var description: String { "\(path) \(reason)" }
}

extension NetworkNamespace {
    private static func open(_ path: String) throws(NamespaceError) -> FileDescriptor {
        // The path is what somebody said, and may lead to a device that does something when it is opened.
        let file = unsafe hawser_open_namespace(path)
        guard file >= 0 else {
            let error = Errno.current
            let reason =
                switch error {
                case .noSuchFileOrDirectory: "does not exist"
                case .invalidArgument: "is not a network namespace"
                default: "cannot be opened: \(error)"
                }
            throw NamespaceError(path: path, errno: error, reason: reason)
        }
        // Of another kind of namespace.
        guard hawser_namespace_type(file) == HAWSER_CLONE_NEWNET else {
            _ = close(file)
            throw NamespaceError(path: path, errno: .invalidArgument, reason: "is not a network namespace")
        }
        return FileDescriptor(rawValue: file)
    }
}
