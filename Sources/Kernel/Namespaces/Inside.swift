import CLinux
package import Netlink
package import SystemPackage

extension NetworkNamespace {
    /// Runs `body` on the calling thread inside this namespace, and returns to the one that the thread came from.
    ///
    /// A socket belongs for good to the namespace that it is opened in, so this is for opening sockets, and for the settings under
    /// `/proc/sys/net`, which show the namespace of the thread that looks. Nothing else runs inside.
    package borrowing func inside<Result: ~Copyable>(_ body: () -> Result) throws(NamespaceError) -> Result {
        let origin = try NetworkNamespace.current()
        guard setns(descriptor.rawValue, Int32(HAWSER_CLONE_NEWNET)) == 0 else {
            throw NamespaceError(path: path, errno: .current, reason: "cannot be entered: \(Errno.current)")
        }
        let result = body()
        guard setns(origin.descriptor.rawValue, Int32(HAWSER_CLONE_NEWNET)) == 0 else {
            fatalError("A thread cannot return from \(path) to its own network namespace (\(Errno.current)); going on would program a pod")
        }
        return result
    }
}

extension NetlinkSocket {
    /// Opens a socket to the kernel of `namespace`; as long as it is open, the namespace exists.
    ///
    /// - Parameter also: runs inside, too.
    package init(
        _ family: NetlinkFamily, in namespace: borrowing NetworkNamespace, groups: [UInt32] = [], space: Int? = nil, _ also: () -> Void = {}
    ) throws(OpenFailure) {
        let opened: Result<NetlinkSocket, TransportError>
        do throws(NamespaceError) {
            opened = try namespace.inside { () -> Result<NetlinkSocket, TransportError> in
                also()
                do throws(TransportError) {
                    return .success(try NetlinkSocket(family, groups: groups, space: space))
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            throw .namespace(error)
        }
        switch consume opened {
        case .success(let socket): self = socket
        case .failure(let error): throw .transport(error)
        }
    }
}

/// Why there is no socket in a namespace.
package enum OpenFailure: Error, Hashable, Sendable, CustomStringConvertible {
    case namespace(NamespaceError)
    case transport(TransportError)

    package var errno: Errno {
        switch self {
        case .namespace(let error): error.errno
        case .transport(let error): error.errno
        }
    }

    package var description: String {
        switch self {
        case .namespace(let error): "\(error)"
        case .transport(let error): "\(error)"
        }
    }
}
