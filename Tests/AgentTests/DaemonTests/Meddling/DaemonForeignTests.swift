import Agent
import Foundation
import HawserAPI
import HostNetwork
import Kernel
import Lab
import Logging
import OwnThreads
import Store
import Synchronization
import Testing

@Suite("The daemon, beside others' nftables tables", .serialized, .ownThreads) struct DaemonForeignTests {
    /// Somebody else's tables: one with Hawser's name in another family, and sets, maps, counters and chains as a container engine has them.
    private static let tables = """
        table ip hawser {
            set s {
                type ipv4_addr
                flags interval
                elements = { 192.0.2.0/24 }
            }
        }
        table inet engine {
            counter hits {
            }
            map services {
                type inet_proto . inet_service : verdict
                elements = { tcp . 80 : goto web }
            }
            chain web {
                counter name hits return
            }
            chain nat {
                type nat hook prerouting priority dstnat; policy accept;
                meta l4proto . th dport vmap @services
            }
        }
        table netdev edge {
            chain in {
            }
        }

        """

    @Test("never touches them, and they cost it nothing, however often they change", arguments: [true, false])
    func foreign(isOwner: Bool) throws {
        let host = try MeddledHost(.init(isOwner: isOwner, isIsolated: false))
        try host.inside.run(["nft", "-f", "-"], input: Self.tables)
        let before = try others(host)
        #expect(try host.isWhole())
        let start = try (host.daemon.processorTime(), ContinuousClock.now)
        // One process, a transaction for each line.
        let lines = (0..<400).map { "add element inet engine services { udp . \(1000 + $0) : goto web }\n" }
        try host.inside.run(["nft", "-i"], input: lines.joined())
        try host.inside.run(
            ["nft", "-i"], input: (0..<400).map { "delete element inet engine services { udp . \(1000 + $0) : goto web }\n" }.joined())
        let spent = try (host.daemon.processorTime() - start.0, start.1.duration(to: .now))
        print("800 transactions of others' in \(spent.1): \(spent.0) of processor time")
        #expect(spent.0 < .milliseconds(400))
        #expect(try others(host) == before)
        #expect(try host.status["repairs"] as? Int == 0)
        #expect(try host.status["ready"] as? Bool == true)
        #expect(try host.isWhole() && host.isEnforced())
        #expect(try others(host) == before)
    }

    @Test("asks the kernel nothing because of them: not one message, however many transactions there are")
    func silent() async throws {
        let lab = try Lab()
        let host = try lab.namespace("host")
        let folder = try TemporaryFolder()
        let sent = Mutex<[Int]>([])
        let domains = try host.inside {
            _ = try Forwarding.enable()
            return try LinuxDomains(
                names: NamespaceNames(in: folder.file("domains")), marks: .standard, isOwner: false
            ) { _, bytes in
                sent.withLock { $0.append(bytes.count) }
            }
        }
        let reconciler = try await Reconciler(
            host: domains, layout: Layout(), store: Store(path: folder.file("intents.sqlite")), journal: Journal(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, follow: { _ in })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await reconciler.run() }
            // A start with nothing to remember looks at everything once more, and puts right without a word what it finds then.
            _ = await reconciler.resync()
            // What one repair of the same costs, twice: before the others' transactions and with them.
            var costs: [[Int]] = []
            for round in 1...2 {
                sent.withLock { $0 = [] }
                if round == 2 {
                    try host.run(["nft", "-f", "-"], input: Self.tables)
                    let lines = (0..<200).map { "add element inet engine services { udp . \(1000 + $0) : goto web }\n" }
                    try host.run(["nft", "-i"], input: lines.joined())
                }
                try host.run("nft", "add", "element", "inet", "hawser", "unfiltered", "{ \"nobody\" }")
                while await reconciler.status().repairs < round {
                    try Task.checkCancellation()
                    await Task.yield()
                }
                costs.append(sent.withLock { $0 })
            }
            #expect(costs[0].count > 0)
            #expect(costs[0] == costs[1])
            group.cancelAll()
        }
    }

    private func others(_ host: MeddledHost) throws -> String {
        try [["ip", "hawser"], ["inet", "engine"], ["netdev", "edge"]]
            .map { try host.inside.run(["nft", "-s", "list", "table"] + $0) }.joined()
    }
}
