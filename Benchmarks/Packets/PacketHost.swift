import Foundation
import HostNetwork
import Kernel
import Lab

/// A host with two pods that packets go through, with somebody's rules.
final class PacketHost {
    /// Whose rules.
    enum By: String, CaseIterable {
        /// Nobody's.
        case forwarding
        /// One that only makes the kernel track flows.
        case tracking
        /// Pods without port security.
        case unfiltered
        case hawser
        case legacy = "iptables-legacy"
        case nft = "iptables-nft"

        var title: String {
            switch self {
            case .forwarding: "plain forwarding"
            case .tracking: "forwarding, tracked"
            case .unfiltered: "hawser, no port security"
            default: rawValue
            }
        }

        var isIPTables: Bool { self == .legacy || self == .nft }
    }

    let by: By
    let policy: PacketPolicy
    let namespace: LabNamespace
    /// From the client's side: the segments of a connection.
    let opening: Injector
    let answering: Injector
    let going: Injector
    let returning: Injector
    /// Indices of the host's sides.
    let clientLink: UInt32
    let serverLink: UInt32
    private let server: LabNamespace
    private let client: LabNamespace
    private let plane: LinuxDataplane

    /// - Parameter name: unique in the lab.
    init(_ name: String, _ by: By, _ policy: PacketPolicy, in lab: Lab, folder: URL) async throws {
        self.by = by
        self.policy = policy
        // The links are the same for all of them: Hawser makes them, and its rules are then taken away where they aren't what is measured.
        var made = policy
        if by != .hawser { made.rules = 0 }
        let isHawser = by == .hawser || by == .unfiltered
        let host = try lab.namespace(named: name)
        namespace = host
        try host.run("ip", "link", "set", "lo", "up")
        var places: [Int: LabNamespace] = [:]
        let numbers = made.rules > 0 ? Array(0..<policy.pods) : [policy.client, policy.server]
        for number in numbers { places[number] = try lab.namespace(named: "\(name)-\(number)") }
        guard let client = places[policy.client], let server = places[policy.server] else { throw LabError("two pods are too few") }
        self.client = client
        self.server = server
        plane = try host.inside {
            _ = try Forwarding.enable()
            return try LinuxDataplane(marks: .standard, owned: isHawser)
        }
        try await Self.make(made.intents { places[$0]?.path ?? "" }, plane)

        let names = [policy.client, policy.server].map { LinkName(of: ID("pod-\($0)")).value }
        let indices = try host.inside { names.map { unsafe if_nametoindex($0) } }
        (clientLink, serverLink) = (indices[0], indices[1])
        opening = try Self.injector(policy, isReply: false, flags: 2, 1000, 0)
        answering = try Self.injector(policy, isReply: true, flags: 18, 5000, 1001)
        going = try Self.injector(policy, isReply: false, flags: 16, 1001, 5001)
        returning = try Self.injector(policy, isReply: true, flags: 16, 5001, 1001)
        // Who gets a packet does nothing with it.
        for pod in [client, server] {
            try pod.nft("table netdev end { chain end { type filter hook ingress device eth0 priority 0; policy drop; }; }")
        }
        if !isHawser { for family in ["inet", "arp"] { try host.run("nft", "delete", "table", family, Marks.table) } }
        if by == .tracking {
            try host.nft("table ip tracked { chain forward { type filter hook forward priority 0; ct state established accept; }; }")
        }
        if by.isIPTables {
            let file = folder.appending(path: name + ".iptables")
            try Data(LinearChain(policy: policy).text.utf8).write(to: file)
            try host.run("\(by.rawValue)-restore", file.path)
        }
    }

    private static func make(_ list: [Intent], _ plane: LinuxDataplane) async throws {
        var intents = Intents()
        for result in intents.upsert(contentsOf: list) { _ = try result.get() }
        var desired = Desired(intents: intents, layout: Layout(), attachable: Set(intents.pods.keys), epochs: [:])
        let plan = desired.plan(from: HostState())
        var applied = plane.apply(plan)
        await GracePeriod.wait()
        applied.merge(plane.settle(plan.stamps))
        if let refusal = applied.refusals.first { throw refusal }
    }

    private static func injector(
        _ policy: PacketPolicy, isReply: Bool, flags: UInt8, _ sequence: UInt32, _ acknowledged: UInt32
    ) throws -> Injector {
        let pods = [policy.client, policy.server].map { policy.pod($0, "") }
        let (sender, receiver) = isReply ? (pods[1], pods[0]) : (pods[0], pods[1])
        return try Injector(
            Injector.Segment(
                mac: "\(sender.mac)", to: "\(Marks.hostMAC)", from: "\(sender.addresses[0])", to: "\(receiver.addresses[0])", flags: flags,
                sequence: sequence, acknowledged: acknowledged), isReply: isReply)
    }

    /// Packets that came in at the interface inside the server or the client so far.
    func arrived(atServer: Bool) throws -> Int {
        let text = try (atServer ? server : client).inside { try String(contentsOfFile: "/proc/thread-self/net/dev", encoding: .utf8) }
        let line = text.split(separator: "\n").first { $0.drop { $0 == " " }.hasPrefix("eth0:") }
        guard let words = line?.split(separator: ":").last?.split(separator: " "), words.count > 1, let count = Int(words[1]) else {
            throw LabError("no counters of eth0")
        }
        return count
    }

    /// Forgets every tracked flow.
    func forget() throws { try namespace.run("conntrack", "-F") }
}

extension LabNamespace {
    fileprivate func nft(_ text: String) throws { try run(["nft", "-f", "-"], input: text + "\n") }
}
