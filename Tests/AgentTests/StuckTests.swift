import Foundation
import HawserAPI
import HostNetwork
import Lab
import Logging
import OwnThreads
import Store
import Testing

@testable import Agent

@Suite("A kernel call that doesn't return", .timeLimit(.minutes(60)), .ownThreads) struct StuckTests {
    private let folder: TemporaryFolder
    private let domains = ModelDomains()
    private let lab: Lab

    init() throws {
        folder = try TemporaryFolder()
        lab = try Lab()
    }

    /// A reconciler that runs while `body` does; every gate is open at the end.
    private func withReconciler(_ body: @escaping @Sendable (Reconciler) async throws -> Void) async throws {
        let reconciler = try await Reconciler(
            host: domains, layout: Layout(), store: Store(path: folder.file("intents.sqlite")), journal: Journal(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            patience: Patience(ready: .seconds(3), alive: .seconds(8), answer: .seconds(1)), follow: { _ in })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await reconciler.run() }
            do { try await body(reconciler) } catch {
                release()
                group.cancelAll()
                throw error
            }
            release()
            group.cancelAll()
        }
    }

    private func release() {
        for domain in [RoutingDomain.host, .network("red")] { domains.gate(domain).open() }
    }

    /// A network with a pod: an isolated one, or of the host's own.
    private func network(_ id: String, isolated: Bool, _ number: Int, at namespace: LabNamespace? = nil) throws -> Change {
        let place = namespace.map { "namespace: \($0.path), " } ?? ""
        let yaml = """
            networks: [{id: \(id), isolated: \(isolated), subnets: [{id: s, cidr: 10.\(number).0.0/24}]}]
            pods: [{id: \(id)-0, network: \(id), \(place)addresses: [10.\(number).0.10]}]
            """
        let decoded = try IntentReader.documents(in: Data(yaml.utf8), named: "test.yaml").map(IntentFile.decode)
        return Change(upserts: decoded.flatMap(\.intents))
    }

    private func eventually(_ body: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while try await !body() {
            guard ContinuousClock.now < deadline else { throw LabError("it hasn't come in two minutes") }
            // Not at once again: there are two processors, and others' tests.
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test("in a network that comes and goes again and again meanwhile delays it, and it has its pods at the end")
    func comingAndGoing() async throws {
        try await withReconciler { reconciler in
            try await eventually { await reconciler.status().ready }
            let namespace = try lab.namespace("red-0")
            let (come, go) = (try network("red", isolated: true, 1, at: namespace), Change(deletions: [ID<Pod>("red-0").intent]))
            domains.gate(.network("red")).close()
            await withTaskGroup { group in
                for change in [come, go, come, go, come, go, come] {
                    let (taken, taker) = AsyncStream<Void>.makeStream()
                    // Each is a pass of its own: they are taken in this order, and answered when the domain has done its part.
                    group.addTask {
                        await withCheckedContinuation { continuation in
                            reconciler.submit(change, source: "test", dryRun: false) { _ in continuation.resume() }
                            taker.finish()
                        }
                    }
                    for await _ in taken {}
                    _ = await reconciler.status()
                }
                domains.gate(.network("red")).open()
            }
            let domain = try #require(await reconciler.domains[.network("red")])
            let links = await domain.believed.links.map(\.pod)
            #expect(links == ["red-0"])
            #expect(await reconciler.pods().map(\.status) == [.applied])
        }
    }

    @Test("in one network's routing domain keeps the host from being ready, and nothing else waits")
    func network() async throws {
        try await withReconciler { reconciler in
            try await eventually { await reconciler.status().ready }
            domains.gate(.network("red")).close()
            // Nobody waits for its answer.
            reconciler.submit(try network("red", isolated: true, 1), source: "test", dryRun: false) { _ in }
            // For a moment it isn't ready because there is something to do; that is not what is looked for.
            try await eventually {
                let reason = await reconciler.status().reason ?? ""
                return reason.contains("red") && reason.contains("has been at one step for")
            }
            // Others are answered, and so is who asks for everything.
            let report = await reconciler.reconcile(try network("blue", isolated: false, 2), source: "test", dryRun: false)
            #expect(report.answers.count == 2 && report.answers.allSatisfy { $0.status != .failed })
            #expect(await reconciler.pods().count == 2)
            #expect(await reconciler.networks().count == 2)
            #expect(await reconciler.view(of: ID<Pod>("blue-0"))?.id == "blue-0")
            // It isn't the daemon that is stuck, however long it takes.
            let start = ContinuousClock.now
            try await eventually { start.duration(to: .now) > .seconds(10) }
            #expect(await reconciler.status().reason?.contains("has been at one step for") == true)
            #expect(reconciler.liveness() == nil)
            domains.gate(.network("red")).open()
            try await eventually { await reconciler.status().ready }
        }
    }

    @Test("costs nobody who asks for one pod: its domain alone is asked, and for that pod's interface alone")
    func onePod() async throws {
        try await withReconciler { reconciler in
            for number in 1...3 {
                let name = "blue\(number)"
                let change = try network(name, isolated: false, number, at: lab.namespace(name + "-0"))
                #expect(
                    await reconciler.reconcile(change, source: "test", dryRun: false).answers.allSatisfy {
                        $0.status == .applied
                    })
            }
            _ = domains.takeQuestions()
            #expect(await reconciler.view(of: ID<Pod>("blue2-0"))?.status == .applied)
            #expect(await reconciler.view(of: ID<Pod>("nobody")) == nil)
            #expect(domains.takeQuestions() == [[LinkName(of: "blue2-0")]])
            #expect(await reconciler.pods().count == 3)
            #expect(domains.takeQuestions().map(\.count) == [3])
        }
    }

    @Test("in the host's own is told as death after a while, and status and health are answered all the time")
    func host() async throws {
        try await withReconciler { reconciler in
            _ = await reconciler.reconcile(try network("blue", isolated: false, 2), source: "test", dryRun: false)
            try await eventually { await reconciler.status().ready && reconciler.liveness() == nil }
            domains.gate(.host).close()
            // Something that the kernel has to be told of.
            let attached = try network("green", isolated: false, 3, at: lab.namespace("green-0"))
            reconciler.submit(attached, source: "test", dryRun: false) { _ in }
            try await eventually { await !reconciler.status().ready }
            try await eventually { reconciler.liveness() != nil }
            let start = ContinuousClock.now
            #expect(await reconciler.status().reason?.contains("has been at one step for") == true)
            #expect(await reconciler.pods().count == 2)
            #expect(start.duration(to: .now) < .seconds(30))
            domains.gate(.host).open()
            try await eventually { await reconciler.status().ready && reconciler.liveness() == nil }
        }
    }
}
