import HostNetwork
import Logging
import OwnThreads
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

    @Test("has in force what it was told of since, though it had not begun by then")
    func late() async throws {
        let (outcomes, teller) = AsyncStream<DomainOutcome>.makeStream()
        let domain = DomainReconciler(
            .network("red"), layout: Layout(), host: ModelDomains(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            tell: { teller.yield($0) }, whenLost: { _ in })
        var (first, second) = (DomainWork(1), DomainWork(2))
        first.begin = try Self.intents(80)
        first.appeared = ["red-0", "red-1"]
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
}
