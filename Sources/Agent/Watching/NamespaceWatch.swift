import HostNetwork
import Kernel
import ServiceLifecycle
import Synchronization
import SystemPackage

/// Tells the reconciler when a network namespace appears at a path, goes away, or is replaced by another.
///
/// A file is made first and the namespace mounted onto it afterwards (ip-netns(8)), which inotify doesn't see: such a file is looked at
/// again when the mount table changes.
package final class NamespaceWatch: Sendable {
    /// What is at a path.
    enum Seen: Hashable, Sendable {
        case nothing
        /// A file that isn't a network namespace: perhaps not yet.
        case other
        case namespace(NamespaceIdentity)

        static func at(_ path: String) -> Seen {
            do throws(NamespaceError) {
                return .namespace(try NetworkNamespace(at: path).identity)
            } catch {
                return [.invalidArgument, .permissionDenied].contains(error.errno) ? .other : .nothing
            }
        }
    }

    private let events: FolderEvents
    private let followed = Mutex<[String: Seen]>([:])

    package init() throws {
        events = try FolderEvents(.init(mounts: true))
    }

    /// The paths to watch from now on, instead of those given before. Call it before looking at a path: then nothing is missed.
    package func follow(_ paths: Set<String>) {
        let (new, unused) = followed.withLock { followed in
            let folders = Set(followed.keys.map(Self.folder))
            followed = followed.filter { paths.contains($0.key) }
            let new = paths.filter { followed[$0] == nil }
            for path in new { followed[path] = .nothing }
            return (new, folders.subtracting(paths.map(Self.folder)))
        }
        for path in new { events.watch(Self.folder(path)) }
        for folder in unused { events.forget(folder) }
        for path in new {
            let seen = Seen.at(path)
            followed.withLock { if $0[path] != nil { $0[path] = seen } }
        }
    }

    /// Calls `notify` for each change until the service shuts down.
    package func run(_ notify: @Sendable (String) async -> Void) async {
        events.start()
        defer { events.close() }
        await withGracefulShutdownHandler {
            for await batch in events.batches {
                for path in changed(by: batch) { await notify(path) }
            }
        } onGracefulShutdown: { [events] in
            events.close()
        }
    }

    /// The followed paths that are worth another look, in order, with what is there now remembered.
    private func changed(by batch: FolderBatch) -> [String] {
        let named = Set(batch.entries.map { $0.folder == "/" ? "/" + $0.name : $0.folder + "/" + $0.name })
        let concerned = followed.withLock { followed in
            followed.filter { path, seen in
                named.contains(path) || batch.folders.contains(Self.folder(path)) || (batch.mounts && seen == .other)
            }
        }
        return concerned.sorted { $0.key < $1.key }.compactMap { path, before in
            let now = Seen.at(path)
            followed.withLock { if $0[path] != nil { $0[path] = now } }
            return now == before ? nil : path
        }
    }

    private static func folder(_ path: String) -> String { FilePath(path).removingLastComponent().string }
}
