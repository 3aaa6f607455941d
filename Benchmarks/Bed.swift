import Agent
import Foundation
import HawserAPI
import HostNetwork
import Kernel
import Lab
import Logging
import Netlink
import Store

/// A host that Hawser programs inside this process, a twin of it for the others, and what both of them need.
final class Bed {
    let lab: Lab
    let region: Region
    let host: LabNamespace
    let twin: LabNamespace
    /// The same pods, in the twin's namespaces.
    let twinRegion: Region
    let reconciler: Reconciler
    let recorder = Recorder()
    /// A store with the same content, for commits on their own.
    let store: Store
    private let folder: URL

    static let marks = MarkLayout.standard

    /// - Parameter folder: on a disk, for the stores.
    init(_ name: String, pods: Int, members: Int, folder: URL) async throws {
        lab = try Lab()
        self.folder = folder.appending(path: name)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        host = try lab.namespace(named: name + "-host")
        twin = try lab.namespace(named: name + "-twin")
        region = Region(pods: pods, members: members, place: "\(Lab.directory)/\(name)-h-")
        twinRegion = Region(pods: pods, members: members, place: "\(Lab.directory)/\(name)-t-")
        for namespace in [host, twin] { try namespace.run("ip", "link", "set", "lo", "up") }
        for pod in region.names {
            _ = try lab.namespace(named: "\(name)-h-\(pod)")
            _ = try lab.namespace(named: "\(name)-t-\(pod)")
        }
        store = try Self.store(region, self.folder.path + "/alone.sqlite")
        // Its tables may be changed by others, and it doesn't run: the twin is as Hawser made it until somebody changes it.
        _ = try await Self.reconciler(
            in: twin, twinRegion, store: Self.store(twinRegion, self.folder.path + "/twin.sqlite"), isOwned: false, nil)
        reconciler = try await Self.reconciler(
            in: host, region, store: Self.store(region, self.folder.path + "/host.sqlite"), isOwned: true, recorder)
        _ = recorder.take()
    }

    private static func store(_ region: Region, _ path: String) throws -> Store {
        let store = try Store(path: path)
        try store.commit(upserts: region.intents, deletions: [], source: Source.control)
        return store
    }

    private static func reconciler(
        in host: LabNamespace, _ region: Region, store: Store, isOwned: Bool, _ recorder: Recorder?
    ) async throws -> Reconciler {
        let domains = try host.inside {
            _ = try Forwarding.enable()
            return try LinuxDomains(
                names: NamespaceNames(in: "/run/netns"), marks: marks, isOwner: isOwned,
                onSend: recorder?.listener)
        }
        let reconciler = try await Reconciler(
            host: domains, layout: Layout(marks: marks), store: store, journal: Journal(),
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() },
            follow: { _ in })
        let pods = await reconciler.pods()
        guard pods.count == region.pods + Region.movers.count, pods.allSatisfy({ $0.status == .applied }) else {
            throw Replay.Refused(text: "not every pod is in force: \(pods.first { $0.status != .applied }?.reason ?? "some are missing")")
        }
        return reconciler
    }

    /// Asks Hawser for a change, and measures until its answer. Nothing may be refused.
    func ask(_ change: Change, _ series: inout Series) async throws -> Report {
        let start = ContinuousClock.now
        let report = await reconciler.reconcile(change, source: Source.control, dryRun: false)
        series.add(start.duration(to: .now))
        series.messages = report.messages
        series.bytes = report.bytes
        if let answer = report.answers.first(where: { $0.status != .applied }) {
            throw Replay.Refused(text: "\(answer.intent.map { "\($0)" } ?? ""): \(answer.status), \(answer.reason ?? "")")
        }
        return report
    }

    /// Waits until the stamps that the last change owes are paid: its grace period begins before the second of these.
    func settle() async {
        await GracePeriod.wait()
        await GracePeriod.wait()
        _ = await reconciler.status()
    }

    /// Takes everything away.
    func clear() {
        lab.remove()
        try? FileManager.default.removeItem(at: folder)
    }
}
