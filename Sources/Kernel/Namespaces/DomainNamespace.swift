import CLibMNL
import CLinux
package import HostNetwork
import Netlink
import SystemPackage

/// A network namespace that Hawser makes for a routing domain, named by a file as `ip netns` names them.
///
/// Its mark is the alias of its loopback interface, which says whose it is: `hawser <the namespace of the daemon> <network>`. It outlives
/// the daemon, for the file holds it.
package struct DomainNamespace: Sendable {
    private let names: NamespaceNames
    /// Its file's, in the names' folder.
    private let name: String
    private let mark: String

    /// - Parameters:
    ///   - names: gives and takes its name.
    ///   - owner: the namespace that the daemon runs in; several daemons on one machine don't take each other's.
    ///   - purpose: what it is for.
    package init(
        _ name: String, of names: NamespaceNames, owner: NetworkNamespace.Identity, for purpose: String
    ) {
        self.names = names
        self.name = name
        mark = Self.prefix(owner) + purpose
    }

    package var path: String { names.path(of: name) }

    private static func prefix(_ owner: NetworkNamespace.Identity) -> String { "hawser \(owner.inode) " }

    /// Opens it, made anew if nothing is there; throws when what is there isn't this domain's.
    ///
    /// - Parameter note: told which one it is, before anybody can find it by its name.
    package func open(_ note: (NamespaceIdentity) -> Void = { _ in }) throws(NamespaceError) -> NetworkNamespace {
        if let there = try? NetworkNamespace(at: path) {
            guard try Self.alias(in: there) == String(mark.utf8.prefix(Self.longest)) else {
                throw NamespaceError(path: path, errno: .fileExists, reason: "is a namespace that isn't this routing domain's")
            }
            note(try there.identity)
            return there
        }
        return try make(note)
    }

    /// Takes its name away; it ends with its last socket. One that isn't there is no error, and one that isn't Hawser's stays.
    package func remove() throws(NamespaceError) {
        guard let there = try? NetworkNamespace(at: path) else { return }
        guard try Self.alias(in: there) == String(mark.utf8.prefix(Self.longest)) else { return }
        try names.unbind(name)
    }

    /// What it is for, if the file at `path` is a namespace that was made for a daemon of `owner`'s namespace.
    package static func name(at path: String, owner: NetworkNamespace.Identity) -> String? {
        guard let there = try? NetworkNamespace(at: path), let alias = try? alias(in: there) else { return nil }
        let prefix = prefix(owner)
        return alias.hasPrefix(prefix) ? String(alias.dropFirst(prefix.count)) : nil
    }

    /// Takes away the file at `path` if it is all that is left of a namespace, or all that there was yet: whoever made it was killed between the
    /// two steps that making and removing take.
    package static func removeRest(at path: String) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & UInt32(S_IFMT) == UInt32(S_IFREG), status.st_size == 0 else { return }
        // A namespace's file looks alike, and can't be unlinked: something is mounted on it.
        _ = unsafe unlink(path)
    }

    // MARK: Making

    /// Bytes of an alias (`IFALIASZ`, linux/if.h).
    private static let longest = 255

    private func make(_ note: (NamespaceIdentity) -> Void) throws(NamespaceError) -> NetworkNamespace {
        // What is there is no namespace: the rest of one, or of another boot.
        _ = unsafe unlink(path)
        let origin = try NetworkNamespace.current()
        guard unshare(Int32(HAWSER_CLONE_NEWNET)) == 0 else { throw failure("cannot be made") }
        if let identity = try? NetworkNamespace.current().identity { note(identity) }
        let made = marked()
        guard setns(origin.descriptor.rawValue, Int32(HAWSER_CLONE_NEWNET)) == 0 else {
            fatalError(
                "A thread cannot return from \(path) to its own network namespace (\(Errno.current)); going on would program a domain")
        }
        try names.bind(made.get(), as: name)
        return try NetworkNamespace(at: path)
    }

    /// From inside: marked first, so that there is never one with a name and without a mark.
    private func marked() -> Result<NetworkNamespace, NamespaceError> {
        do throws(TransportError) {
            var socket = try NetlinkSocket(.route)
            var batch = Batch()
            batch.add(.setLink) { message in
                message.put(raw: ifinfomsg(Self.loopback, up: true))
                message.put(.alias, Array(mark.utf8.prefix(Self.longest)))
            }
            if let error = try socket.send(&batch).values.first {
                return .failure(
                    NamespaceError(path: path, errno: error.errno, reason: "cannot be marked: \(error.words)")
                )
            }
        } catch {
            return .failure(
                NamespaceError(path: path, errno: error.errno, reason: "cannot be marked: \(error)"))
        }
        do throws(NamespaceError) { return .success(try .current()) } catch { return .failure(error) }
    }

    private func failure(_ reason: String) -> NamespaceError {
        let errno = Errno.current
        return NamespaceError(path: path, errno: errno, reason: "\(reason): \(errno)")
    }

    /// Of every namespace (`LOOPBACK_IFINDEX`, net/flow.h).
    private static let loopback = InterfaceIndex(1)

    private static func alias(in namespace: borrowing NetworkNamespace) throws(NamespaceError) -> String {
        do throws(OpenFailure) {
            var socket = try NetlinkSocket(.route, in: namespace)
            var batch = Batch()
            _ = batch.addFind(loopback)
            var alias = ""
            do throws(TransportError) {
                try socket.ask(&batch, absences: []) { _, header, message in alias = FoundLink(header, message)?.alias ?? alias }
            } catch { throw .transport(error) }
            return alias
        } catch {
            throw NamespaceError(path: namespace.path, errno: error.errno, reason: "cannot be looked into: \(error)")
        }
    }
}
