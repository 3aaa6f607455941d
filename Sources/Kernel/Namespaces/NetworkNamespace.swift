import CLinux
package import Netlink
package import SystemPackage

/// A network namespace, held by an open file: it stays what it is whatever happens to the path that it was opened by.
package struct NetworkNamespace: ~Copyable {
    /// What tells one namespace from another for as long as both exist (inode of nsfs, namespaces(7)).
    package struct Identity: Hashable, Sendable {
        package let device: UInt64
        package let inode: UInt64
    }

    package let path: String
    package let descriptor: FileDescriptor

    /// Opens the network namespace that the file at `path` stands for, as `/run/netns/blue` or `/proc/17/ns/net`.
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
        // Without waiting: the path is what somebody said, and may be a pipe's.
        let file = unsafe hawser_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            let error = Errno.current
            let reason = error == .noSuchFileOrDirectory ? "does not exist" : "cannot be opened: \(error)"
            throw NamespaceError(path: path, errno: error, reason: reason)
        }
        // The ioctl of anything else than nsfs fails (ENOTTY), and so it can't be taken for a namespace.
        guard hawser_namespace_type(file) == HAWSER_CLONE_NEWNET else {
            _ = close(file)
            throw NamespaceError(path: path, errno: .invalidArgument, reason: "is not a network namespace")
        }
        return FileDescriptor(rawValue: file)
    }
}
