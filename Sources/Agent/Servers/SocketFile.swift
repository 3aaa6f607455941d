import Foundation
import HawserAPI
package import Logging
import SystemPackage

/// The file of a Unix socket: who may connect is decided by its permissions, which the kernel checks at connect(2) (unix(7)).
package struct SocketFile: Hashable, Sendable {
    package let path: String
    /// Who may connect besides root and the daemon's own user; empty: nobody.
    package let group: String

    package init(_ settings: Settings.Socket) {
        path = settings.socket
        group = settings.group
    }

    /// Makes the folder, and makes sure that the path is free: a socket that nobody listens on any more is removed (the libraries do that
    /// before they bind, but don't ask whether somebody still listens), anything else is left alone.
    package func prepare() async throws(SocketFileError) {
        let file = URL(filePath: path)
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        } catch {
            throw SocketFileError(path: path, reason: "its folder can't be made: \(error.localizedDescription)")
        }
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return }
        guard attributes[.type] as? FileAttributeType == .typeSocket else {
            throw SocketFileError(path: path, reason: "there is a file of that name that isn't a socket: remove it, or choose another path")
        }
        switch await SocketProbe.errno(of: path) {
        case nil: throw SocketFileError(path: path, reason: "another process listens on it: is hawserd running already?")
        case .connectionRefused?, .noSuchFileOrDirectory?: return
        case let errno?: throw SocketFileError(path: path, reason: "it can't be tried: \(errno)")
        }
    }

    /// Gives the bound socket to its group, mode 0660. Until then the process's umask (0027) keeps it to the daemon's own user; and it stays so,
    /// mode 0600, when the group can't be had.
    package func openToGroup(_ logger: Logger) {
        let isGroups = !group.isEmpty && giveToGroup()
        if !group.isEmpty, !isGroups { logger.warning("\(path) is for this user alone: it can't be given to the group \(group)") }
        let mode = isGroups ? 0o660 : 0o600
        do {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        } catch {
            logger.error("the permissions of \(path) can't be set: \(error.localizedDescription)")
        }
    }

    private func giveToGroup() -> Bool {
        try? FileManager.default.setAttributes([.groupOwnerAccountName: group], ofItemAtPath: path)
        // A group that doesn't exist is passed over in silence.
        let owner = try? FileManager.default.attributesOfItem(atPath: path)[.groupOwnerAccountName] as? String
        return owner == group
    }

    package func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// A socket can't be made where it is wanted.
package struct SocketFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var reason: String
    package var description: String { "can't listen on \(path): \(reason)" }
}
