import Agent
import Foundation
import HawserAPI
import HostNetwork
import Kernel
import Lab
import Logging
import Store

/// A host that Hawser programs inside this process, with more or less on it.
final class ScaleHost: Sendable {
    let load: ScaleLoad
    let reconciler: Reconciler
    /// What the names of its pods' namespaces begin with.
    let place: String
    private let lab: Lab
    private let domains: String

    /// Names of pods that come and go.
    static let comer = "comer"
    static let loner = "loner"

    /// - Parameter folder: on a disk, for the store.
    init(_ number: Int, _ load: ScaleLoad, folder: URL) async throws {
        self.load = load
        place = "\(Lab.directory)/scale-\(number)-"
        domains = "/run/scale-domains-\(number)"
        lab = try Lab()
        let host = try lab.namespace(named: "scale-\(number)")
        let intents = load.intents(at: place)
        for case .pod(let pod) in intents { _ = try lab.namespace(named: "scale-\(number)-\(pod.id)") }
        for name in [Self.comer, Self.loner] { _ = try lab.namespace(named: "scale-\(number)-\(name)") }
        let store = try Store(path: folder.appending(path: "scale-\(number).sqlite").path)
        try store.commit(upserts: intents, deletions: [], source: Source.control)
        let underlay = Underlay(address: .v4(0xc000_0201), mtu: 1500)
        try host.addUnderlay("\(underlay.address)")
        let (directory, marks) = (domains, MarkLayout.standard)
        let kernel = try host.inside {
            _ = try Forwarding.enable()
            return try LinuxDomains(names: NamespaceNames(in: directory), marks: marks)
        }
        reconciler = try await Reconciler(
            host: kernel, layout: Layout(marks: marks, underlay: underlay), store: store, journal: Journal(),
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }, follow: { _ in })
        let pods = await reconciler.pods()
        guard pods.count == intents.count(where: { $0.kind == .pod }), pods.allSatisfy({ $0.status == .applied }) else {
            throw LabError("not every pod is in force: \(pods.first { $0.status != .applied }?.reason ?? "some are missing")")
        }
    }

    /// Asks for a change, and measures until its answer. Nothing may be refused.
    func ask(_ change: Change, _ cost: inout ScaleCost) async throws {
        let start = ContinuousClock.now
        let report = await reconciler.reconcile(change, source: Source.control, dryRun: false)
        cost.whole.add(start.duration(to: .now))
        cost.whole.messages = report.messages
        cost.whole.bytes = report.bytes
        cost.kernel.add(.microseconds(report.answers.first?.kernelMicroseconds ?? 0))
        if let answer = report.answers.first(where: { $0.status != .applied }) {
            throw LabError("\(answer.intent.map { "\($0)" } ?? ""): \(answer.status), \(answer.reason ?? "")")
        }
        // The stamps that a change owes are paid after a grace period, which nothing else is to wait for.
        await GracePeriod.wait()
        await GracePeriod.wait()
        _ = await reconciler.status()
    }

    func clear() {
        lab.remove()
        for name in (try? FileManager.default.contentsOfDirectory(atPath: domains)) ?? [] {
            try? Bench.run("umount", "--lazy", domains + "/" + name)
        }
        try? FileManager.default.removeItem(atPath: domains)
    }
}
