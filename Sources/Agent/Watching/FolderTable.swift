import CLinux
import Glibc
import SystemPackage

/// Which inotify watch stands for which folder. A folder that doesn't exist (yet) is waited for in its nearest ancestor that does.
struct FolderTable {
    private let inotify: FileDescriptor
    private let mask: UInt32
    private(set) var wanted: Set<String> = []
    /// The watch of each wanted folder that exists.
    private var watches: [String: Int32] = [:]
    private var folders: [Int32: Set<String>] = [:]
    /// The wanted folders that don't exist, by the watch of their ancestor.
    private var waiting: [Int32: Set<String>] = [:]

    init(inotify: FileDescriptor, mask: UInt32) {
        self.inotify = inotify
        self.mask = mask
    }

    mutating func add(_ folder: String) {
        guard wanted.insert(folder).inserted else { return }
        _ = resolve(folder)
    }

    mutating func remove(_ folder: String) {
        guard wanted.remove(folder) != nil else { return }
        let served = [watches[folder]].compactMap(\.self) + waiting.filter { $0.value.contains(folder) }.keys
        unlink(folder)
        for watch in served where folders[watch]?.isEmpty ?? true && waiting[watch]?.isEmpty ?? true {
            // A user has so many and no more (/proc/sys/fs/inotify/max_user_watches), and each pod may have had a folder of its own.
            _ = inotify_rm_watch(inotify.rawValue, watch)
            folders[watch] = nil
            waiting[watch] = nil
        }
    }

    /// What an event means for the wanted folders, added to `batch`.
    mutating func take(_ event: InotifyEvent, into batch: inout FolderBatch) {
        if event.isOverflow {
            batch.folders.formUnion(wanted)
            return
        }
        for folder in waiting[event.watch] ?? [] where resolve(folder) { batch.folders.insert(folder) }
        for folder in folders[event.watch] ?? [] {
            if event.isEnd {
                unlink(folder)
                _ = resolve(folder)
                batch.folders.insert(folder)
            } else if !event.name.isEmpty {
                let entry = FolderBatch.Entry(folder: folder, name: event.name)
                batch.entries.insert(entry)
                if event.isFinal { batch.unfinished.remove(entry) } else { batch.unfinished.insert(entry) }
            }
        }
        if event.has(IN_IGNORED) {
            for folder in waiting.removeValue(forKey: event.watch) ?? [] where resolve(folder) { batch.folders.insert(folder) }
            // Its number never comes again (inotify(7)).
            if folders[event.watch]?.isEmpty ?? false { folders[event.watch] = nil }
        }
    }

    /// After mounts changed: a folder's path may name another folder now.
    mutating func lookAgain(into batch: inout FolderBatch) {
        for folder in wanted {
            let before = watches[folder]
            unlink(folder)
            _ = resolve(folder)
            if watches[folder] != before { batch.folders.insert(folder) }
        }
    }

    /// Watches the folder, or the nearest ancestor that exists; true when it is the folder itself.
    private mutating func resolve(_ folder: String) -> Bool {
        unlink(folder)
        let path = FilePath(folder)
        while true {
            guard let (watch, isFolder) = watchNearest(path) else { return false }
            if isFolder {
                watches[folder] = watch
                folders[watch, default: []].insert(folder)
                return true
            }
            waiting[watch, default: []].insert(folder)
            // It may have been made between the look and the watch.
            guard let again = watchNearest(path), again.watch != watch else { return false }
            unlink(folder)
        }
    }

    private func watchNearest(_ path: FilePath) -> (watch: Int32, isFolder: Bool)? {
        var candidate = path
        while true {
            if let folder = try? FileDescriptor.open(candidate, .readOnly, options: [.directory, .closeOnExec]) {
                defer { try? folder.close() }
                let watch = hawser_inotify_add(inotify.rawValue, folder.rawValue, mask)
                return watch < 0 ? nil : (watch, candidate == path)
            }
            guard candidate.removeLastComponent() else { return nil }
        }
    }

    /// The kernel's watch stays: it may serve another folder.
    private mutating func unlink(_ folder: String) {
        if let watch = watches.removeValue(forKey: folder) { folders[watch]?.remove(folder) }
        for watch in waiting.keys { waiting[watch]?.remove(folder) }
    }
}
