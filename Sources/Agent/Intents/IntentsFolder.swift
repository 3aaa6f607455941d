import Foundation
import HawserAPI
import HostNetwork
package import Logging
import ServiceLifecycle
package import Store

/// Applies the files of a folder: at start what changed while nobody looked, then every file that is edited, added or removed.
package actor IntentsFolder: Service {
    private let path: String
    private let store: Store
    private let reconciler: any Reconciling
    private let journal: Journal
    private let logger: Logger
    /// Nobody else pushes anything to this host: what the files say is all that is asked of it.
    private let isAlone: Bool
    private var book = IntentBook()
    /// The files with a resource that was refused for what other resources say: they are offered again when another file changes.
    private var refused: Set<String> = []
    /// The files that couldn't be read when they were last looked at.
    private var unreadable: Set<String> = []

    package init(
        path: String, store: Store, reconciler: any Reconciling, journal: Journal, logger: Logger, isAlone: Bool = false
    ) {
        self.isAlone = isAlone
        self.path = path
        self.store = store
        self.reconciler = reconciler
        self.journal = journal
        self.logger = logger
    }

    package func run() async throws {
        // Editors rename and rewrite within a few milliseconds; a file that is away for less than this was never away.
        let events = try FolderEvents(.init(quiet: .milliseconds(50), writes: true))
        events.watch(path)
        events.start()
        defer { events.close() }
        await withGracefulShutdownHandler {
            await takeStart()
            for await batch in events.batches { await take(batch) }
        } onGracefulShutdown: {
            events.close()
        }
    }

    private func takeStart() async {
        do {
            let known = try store.files()
            var changed: Set<String> = Set(known.keys)
            for path in listed() {
                if case .read(let page, let digest) = IntentFolderFile.read(path), known[path] == digest {
                    book.recall(path, page)
                    changed.remove(path)
                } else {
                    changed.insert(path)
                }
            }
            await take(changed)
            await sayThatItIsAll()
        } catch {
            logger.error("\(error)")
        }
    }

    private func take(_ batch: FolderBatch) async {
        var paths = Set(batch.entries.filter { IntentFolderFile.isIntents($0.name) && !isUnfinished($0, in: batch) }.map(full))
        // Something else may hold what the files link to, such as Kubernetes' "..data".
        if !batch.folders.isEmpty || batch.entries.contains(where: { $0.name.hasPrefix("..") }) {
            paths.formUnion(listed())
            paths.formUnion(book.paths)
        }
        guard !paths.isEmpty else { return }
        await take(paths)
        await sayThatItIsAll()
    }

    /// What the store has lost is known again then. A folder without files has nothing to say.
    private func sayThatItIsAll() async {
        guard isAlone, unreadable.isEmpty, refused.isEmpty, !book.paths.isEmpty else { return }
        _ = await reconciler.reconcile(.nothingElse, source: Source.file(path), dryRun: false)
    }

    private func take(_ paths: Set<String>) async {
        var pages: [String: IntentBook.Page?] = [:]
        var digests: [String: String] = [:]
        unreadable.subtract(paths)
        for path in paths.sorted() {
            switch IntentFolderFile.read(path) {
            case .gone: pages[path] = .some(nil)
            case .read(let page, let digest):
                pages[path] = page
                digests[path] = digest
            case .unreadable(let reason):
                unreadable.insert(path)
                let message = "can't be read, so what it said before stays in force: \(reason)"
                logger.error("\(path) \(message)")
                journal.record(EventView(kind: "file", id: path, event: "unreadable", reason: message))
            }
        }
        do {
            for (path, change) in try book.turn(pages, held: { try store.resources(of: Source.file($0)) }) {
                try await apply(change, of: path, isGone: pages[path] != nil && digests[path] == nil)
                if let digest = digests[path], !refused.contains(path) { try store.remember(file: path, digest: digest) }
            }
            try await offerAgain(besides: paths)
        } catch {
            logger.error("\(error)")
            journal.record(EventView(kind: "file", id: path, event: "failed", reason: "\(error)"))
        }
    }

    private func apply(_ change: Change, of path: String, isGone: Bool) async throws {
        let report = await reconciler.reconcile(change, source: Source.file(path), dryRun: false)
        let mayPass = Set(change.upserts.map(\.id))
        let isRefused = report.answers.contains { $0.status == .rejected && $0.intent.map(mayPass.contains) == true }
        if isRefused { refused.insert(path) } else { refused.remove(path) }
        if isGone { try store.forget(file: path) }
        for answer in report.answers where !answer.status.isAccepted {
            let what = [answer.intent?.description, answer.field, answer.reason].compactMap(\.self).joined(separator: ": ")
            logger.warning("\(path): \(what) (\(answer.status.rawValue))")
        }
        let summary = isGone ? "its resources are deleted: \(report.summary)" : report.summary
        logger.info("\(path): \(summary)")
        journal.record(EventView(kind: "file", id: path, event: isGone ? "removed" : "read", reason: summary))
    }

    private func offerAgain(besides paths: Set<String>) async throws {
        for path in refused.subtracting(paths).sorted() {
            guard case .read(_, let digest) = IntentFolderFile.read(path) else { continue }
            try await apply(book.offer(path), of: path, isGone: false)
            if !refused.contains(path) { try store.remember(file: path, digest: digest) }
        }
    }

    /// A name that was made but never written to completion is still being written, unless it is a link: those are made in one go.
    private func isUnfinished(_ entry: FolderBatch.Entry, in batch: FolderBatch) -> Bool {
        guard batch.unfinished.contains(entry) else { return false }
        let attributes = try? FileManager.default.attributesOfItem(atPath: full(entry))
        let isLink = attributes?[.type] as? FileAttributeType == .typeSymbolicLink || attributes?[.referenceCount] as? Int ?? 1 > 1
        return !isLink
    }

    private func listed() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter(IntentFolderFile.isIntents).map { full(FolderBatch.Entry(folder: path, name: $0)) }
    }

    private func full(_ entry: FolderBatch.Entry) -> String { entry.folder + "/" + entry.name }
}

extension Report {
    /// "12 applied, 1 rejected", or that there was nothing to do.
    fileprivate var summary: String {
        let counts = Status.allCases.compactMap { status in
            let count = answers.count { $0.status == status }
            return count > 0 ? "\(count) \(status.rawValue)" : nil
        }
        return counts.isEmpty ? "no resources" : counts.joined(separator: ", ")
    }
}
