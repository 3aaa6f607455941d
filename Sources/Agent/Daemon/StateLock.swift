import Foundation
import Glibc
import SystemPackage

/// One daemon for each state directory: two would undo each other's work.
package struct StateLock: ~Copyable {
    private let file: FileDescriptor

    /// Takes the lock; it is held until the value is destroyed or the process ends, however it ends (flock(2)). Throws where
    /// others may write to the directory: who can put a database there decides on every pod's network.
    package init(directory: String) throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o750])
        let path = directory + "/lock"
        let mode = try FileManager.default.attributesOfItem(atPath: directory)[.posixPermissions] as? Int
        guard let mode, mode & 0o022 == 0 else {
            let seen = mode.map { String($0, radix: 8) } ?? "unknown"
            throw StateLockError(path: path, reason: "others may write to \(directory) (mode \(seen)): chmod go-w \(directory)")
        }
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(
                FilePath(path), .readWrite, options: [.create, .noFollow, .closeOnExec], permissions: [.ownerReadWrite])
        } catch {
            throw StateLockError(path: path, reason: "\(error)")
        }
        guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            let errno = Errno.current
            try? file.close()
            throw StateLockError(path: path, reason: errno == .wouldBlock ? "another hawserd holds it" : "\(errno)")
        }
        self.file = file
    }

    deinit { try? file.close() }
}

package struct StateLockError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var reason: String
    package var description: String { "can't take \(path): \(reason)" }
}
