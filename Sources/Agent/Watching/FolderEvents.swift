import CLinux
import Foundation
import Synchronization
import SystemPackage

/// Watches folders with inotify, and the mount table if asked to, on a thread of its own that sleeps while nothing happens.
///
/// Batches are merged while nobody takes them, so that memory is bounded by the number of names in the folders.
final class FolderEvents: Sendable {
    struct Options: Sendable {
        /// How long to wait for more before a batch is handed over: an editor that saves a file does several things in a row.
        var quiet: Duration = .zero
        /// Tell of writes in progress too (`IN_MODIFY`).
        var writes = false
        /// Tell of changes of the mount table.
        var mounts = false
    }

    private struct State {
        var table: FolderTable
        var batch = FolderBatch()
        /// Somebody asked for the end.
        var isClosing = false
        /// The descriptors are closed.
        var isClosed = false
    }

    private let state: Mutex<State>
    private let inotify: FileDescriptor
    private let mounts: FileDescriptor?
    private let stop: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
    private let quiet: Duration
    private let signal: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init(_ options: Options) throws(Errno) {
        let descriptor = hawser_inotify()
        guard descriptor >= 0 else { throw .current }
        inotify = FileDescriptor(rawValue: descriptor)
        do {
            mounts = options.mounts ? try .open(FilePath("/proc/self/mountinfo"), .readOnly, options: .closeOnExec) : nil
            stop = try FileDescriptor.pipe()
        } catch {
            throw error as? Errno ?? .ioError
        }
        quiet = options.quiet
        let entries = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR
        let mask = UInt32(bitPattern: options.writes ? entries | IN_MODIFY : entries)
        state = Mutex(State(table: FolderTable(inotify: inotify, mask: mask)))
        (signal, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Begins to tell what happens. Call it once; `close` ends it.
    func start() {
        Thread { self.loop() }.start()
    }

    /// From now on the folder's events are told, also when it doesn't exist yet.
    func watch(_ folder: String) {
        state.withLock { if !$0.isClosed { $0.table.add(folder) } }
    }

    func forget(_ folder: String) {
        state.withLock { if !$0.isClosed { $0.table.remove(folder) } }
    }

    /// What happened since the last call, as soon as something has; ends after `close`.
    var batches: AsyncMapSequence<AsyncStream<Void>, FolderBatch> {
        signal.map { [self] in
            state.withLock { state in
                defer { state.batch = FolderBatch() }
                return state.batch
            }
        }
    }

    /// Ends the thread and the batches. May be called more than once.
    func close() {
        let isFirst = state.withLock { state in
            defer { state.isClosing = true }
            return !state.isClosing
        }
        if isFirst { try? stop.writeEnd.close() }
    }

    private func loop() {
        defer { end() }
        let events = FileHandle(fileDescriptor: inotify.rawValue, closeOnDealloc: false)
        let clock = ContinuousClock()
        var first: ContinuousClock.Instant?
        while true {
            let ready = hawser_watch(
                inotify.rawValue, mounts?.rawValue ?? -1, stop.readEnd.rawValue, first == nil ? -1 : Int32(quiet.milliseconds))
            if ready < 0 {
                if Errno.current == .interrupted { continue }
                return
            }
            if Int(ready) & HAWSER_WATCH_STOP != 0 { return }
            let found = Int(ready) & HAWSER_WATCH_ENTRIES != 0 ? InotifyEvent.parse(events.availableData) : []
            let pending = state.withLock { state in
                for event in found { state.table.take(event, into: &state.batch) }
                if Int(ready) & HAWSER_WATCH_MOUNTS != 0 {
                    state.batch.mounts = true
                    state.table.lookAgain(into: &state.batch)
                }
                return !state.batch.isEmpty
            }
            guard pending else { continue }
            let since = first ?? clock.now
            // A folder in which something always happens must not wait for ever.
            if quiet == .zero || ready == 0 || since.duration(to: clock.now) > quiet * 10 {
                first = nil
                continuation.yield()
            } else {
                first = since
            }
        }
    }

    private func end() {
        state.withLock { $0.isClosed = true }
        continuation.finish()
        for descriptor in [inotify, mounts, stop.readEnd] { try? descriptor?.close() }
    }
}

extension Duration {
    fileprivate var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
