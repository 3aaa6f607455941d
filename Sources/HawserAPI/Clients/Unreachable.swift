import NIOCore
import NIOPosix
package import SystemPackage

/// The daemon doesn't answer on its socket.
package struct Unreachable: Error, Hashable, Sendable, CustomStringConvertible {
    package var socket: String
    package var errno: Errno
    /// How the clients are told of another socket: "--debug-socket or HAWSER_DEBUG_SOCKET".
    package var setBy: String

    package var description: String {
        "can't reach hawserd at \(socket): \(errno) (errno \(errno.rawValue)); \(advice)"
    }

    private var advice: String {
        switch errno {
        case .noSuchFileOrDirectory:
            "there is no such socket: is hawserd running (systemctl status hawserd)? If it listens elsewhere, say so with \(setBy)"
        case .connectionRefused:
            "nobody listens on it, so hawserd has ended: see systemctl status hawserd and journalctl -u hawserd"
        case .permissionDenied, .notPermitted:
            "only root and the members of the socket's group may use it: see ls -l \(socket)"
        default:
            "check that hawserd runs and that \(setBy) names its socket"
        }
    }
}

/// Tries a Unix socket, and says what the kernel says.
package enum SocketProbe {
    /// Connects and hangs up at once; nil when somebody listens.
    package static func errno(of socket: String) async -> Errno? {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(unixDomainSocketPath: socket)
                .get()
            try? await channel.close().get()
            return nil
        } catch let error as IOError {
            return Errno(rawValue: error.errnoCode)
        } catch is SocketAddressError {
            return .fileNameTooLong  // longer than `sun_path`, 108 bytes (unix(7))
        } catch {
            return .ioError
        }
    }
}
