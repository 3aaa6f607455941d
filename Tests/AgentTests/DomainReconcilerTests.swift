import HostNetwork
import Kernel
import Logging
import OwnThreads
import SystemPackage
import Testing

@testable import Agent

@Suite("A routing domain that begins", .ownThreads) struct DomainReconcilerTests {
    private static func group(_ port: UInt16) -> SecurityGroup {
        SecurityGroup(id: "web", rules: [Rule(id: "in", direction: .ingress, protocol: .tcp, ports: PortRange(port))])
    }

    private static func intents(_ port: UInt16) throws -> Intents {
        let subnet = Subnet(id: "red-4", cidr: try Prefix(parsing: "10.1.0.0/24"), gateway: .v4(0x0a01_0001))
        let pods = ["red-0", "red-1"].enumerated().map { number, id in
            Pod(
                id: ID(id), network: "red", namespace: "/run/netns/\(id)", addresses: [.v4(0x0a01_0010 + UInt32(number))],
                securityGroups: ["web"])
        }
        let network = Network(id: "red", isolated: true, subnets: [subnet])
        return Intents(restoring: [.network(network), .securityGroup(group(port))] + pods.map(Intent.pod))
    }

    private static func domain(of host: any DomainHost = ModelDomains()) -> (DomainReconciler, AsyncStream<DomainOutcome>) {
        let (outcomes, teller) = AsyncStream<DomainOutcome>.makeStream()
        let domain = DomainReconciler(
            .network("red"), layout: Layout(), host: host, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            tell: { teller.yield($0) }, whenLost: { _ in })
        return (domain, outcomes)
    }

    private static func beginning() throws -> DomainWork {
        var work = DomainWork(1)
        work.begin = try intents(80)
        work.appeared = ["red-0", "red-1"]
        return work
    }

    @Test("has in force what it was told of since, though it had not begun by then")
    func late() async throws {
        let (domain, outcomes) = Self.domain()
        let first = try Self.beginning()
        var second = DomainWork(2)
        second.changed = [(before: .securityGroup(Self.group(80)), after: .securityGroup(Self.group(81)))]
        second.gone = ["red-1"]
        domain.queue.put(first)
        domain.queue.put(second)
        let run = Task { await domain.run() }
        defer { run.cancel() }
        let outcome = await outcomes.first { _ in true }
        #expect(outcome?.passes == [1, 2])
        let wanted = Desired(intents: try Self.intents(81), layout: Layout(), attachable: ["red-0"], epochs: [:]).state
        let believed = await domain.believed
        #expect(Plan(from: believed, to: wanted).steps.map(\.text) == [])
    }

    @Test("is settled when what was noticed is put right, whatever waits for its turn because it is changed too often")
    func turns() async throws {
        let (domain, outcomes) = Self.domain()
        var told = outcomes.makeAsyncIterator()
        let run = Task { await domain.run() }
        defer { run.cancel() }
        domain.queue.put(try Self.beginning())
        _ = await told.next()
        let (often, once) = (LinkName(of: "red-0"), LinkName(of: "red-1"))
        // Some times it is looked at when it is told, and then it waits.
        var noticed = 0
        while noticed < 1000 {
            await domain.take(.link(.changed(often), by: nil))
            if domain.health.noticed == noticed { break }
            noticed += 1
            let outcome = await told.next()
            #expect(outcome?.settled == noticed)
        }
        #expect((20..<1000).contains(noticed))
        await domain.take(.link(.changed(once), by: nil))
        let outcome = await told.next()
        #expect(domain.health.noticed == noticed + 1)
        #expect(outcome?.settled == noticed + 1)
    }

    @Test("explains nothing while it can't be opened, and says why")
    func unopened() async throws {
        let (domain, _) = Self.domain(of: NoDomains())
        _ = try await domain.start(try Self.beginning(), forgetting: [])
        let question = Question(pod: "red-0", direction: .egress, remote: .v4(0xc000_0201), content: .anyProtocol)
        let error = await #expect(throws: Unasked.self) { try await domain.explain(question) }
        #expect(error?.description.hasSuffix("network red can't be opened: \(NoDomains.reason)") == true, "\(String(describing: error))")
    }
}

/// Routing domains that can't be had.
private struct NoDomains: DomainHost {
    static let reason = Errno.permissionDenied

    func open(_ domain: RoutingDomain) throws -> sending OpenDomain { throw Self.reason }
    func remove(_ domain: RoutingDomain) throws {}
    func sweep(keeping domains: Set<RoutingDomain>) -> [String] { [] }
    func leftovers(besides domains: Set<RoutingDomain>) -> [String] { [] }
    func path(of domain: RoutingDomain) -> String? { nil }
}
