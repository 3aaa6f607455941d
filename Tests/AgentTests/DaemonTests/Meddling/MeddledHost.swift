import Foundation
import HostNetwork
import Lab
import Testing

/// A daemon's host with two pods of one network, on which somebody meddles: port 7000 of the server is open, 7100 isn't.
struct MeddledHost {
    /// Whose tables they are, and where the pods live.
    struct Place: Sendable, CustomTestStringConvertible, CaseIterable {
        var isOwner: Bool
        var isIsolated: Bool

        // What is done to links is none of the tables' business: each is tried once.
        static let allCases = [Place(isOwner: true, isIsolated: false), Place(isOwner: false, isIsolated: true)]
        var testDescription: String { "\(isIsolated ? "an isolated network" : "the host"), tables \(isOwner ? "owned" : "not owned")" }
    }

    /// What came of meddling.
    struct Repair {
        /// The event's kind and id, and what it says.
        var resource: String
        var words: String
        /// From just before the meddler was started to the event.
        var time: Duration
    }

    let daemon: DaemonHost
    let server: DaemonPod
    let client: DaemonPod
    let place: Place
    /// Where the host sides are.
    let inside: LabNamespace

    static let (open, closed, flood, steady): (UInt16, UInt16, UInt16, UInt16) = (7000, 7100, 7001, 7002)

    init(_ place: Place) throws {
        self.place = place
        daemon = try DaemonHost()
        var pods = [try daemon.pod("web", 10), try daemon.pod("client", 20)]
        for index in pods.indices { pods[index].mac = "02:00:0a:01:00:\(pods[index].number)" }
        (server, client) = (pods[0], pods[1])
        try daemon.start(place.isOwner ? [] : ["--host-protect-tables", "false"])
        var intents = DaemonHost.groups(["servers": [Self.open, Self.flood, Self.steady]])
        if place.isIsolated { intents = intents.replacing("id: blue\n", with: "id: blue\n    isolated: true\n", maxReplacements: 1) }
        let outcome = try daemon.apply(intents + "pods:\n" + server.yaml("servers") + client.yaml("open"))
        try #require(outcome.status == 0, "\(outcome.output)\(outcome.complaints)")
        inside = place.isIsolated ? try daemon.lab.namespace(at: "\(daemon.domains)/hawser-blue") : daemon.host
    }

    /// The host side of the server.
    var link: String { LinkName(of: ID(server.id)).value }

    // MARK: Meddling

    /// Runs a shell's command where the host sides are, or in a pod, and waits for the repairs that it leads to: at least one whose words have
    /// these in them.
    func meddle(_ command: String, in namespace: LabNamespace? = nil, expecting words: String) throws -> Repair {
        let before = try repairs().count
        let start = Date.now
        try (namespace ?? inside).run("sh", "-c", command)
        var found: (resource: String, words: String, time: Date)?
        let isRepaired = try eventually(within: .seconds(20)) {
            found = try repairs().dropFirst(before).first { $0.words.contains(words) }
            return found != nil
        }
        let said = try repairs().dropFirst(before).map(\.words)
        let told = try #require(isRepaired ? found : nil, "\(command): no repair says \"\(words)\": \(said) \(daemon.log.suffix(2000))")
        return Repair(
            resource: told.resource, words: told.words, time: .milliseconds(Int(told.time.timeIntervalSince(start) * 1000)))
    }

    private func repairs() throws -> [(resource: String, words: String, time: Date)] {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return try daemon.hawser("events", "--output", "json").output.split(separator: "\n").compactMap { line in
            guard let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                event["event"] as? String == "repaired", let time = event["time"] as? String
            else { return nil }
            return (
                "\(event["kind"] as? String ?? "") \(event["id"] as? String ?? "")", event["reason"] as? String ?? "",
                try format.parse(time)
            )
        }
    }

    // MARK: What there is

    var status: [String: Any] { get throws { try daemon.hawser("status", "--output", "json").object } }

    /// Whether the daemon says that all is as wanted, and has nothing left to repair when it looks at everything.
    func isWhole() throws -> Bool { try daemon.isReady() && daemon.leftToRepair() == 0 }

    /// Whether what is allowed passes in both families, and what isn't doesn't.
    func isEnforced() throws -> Bool {
        for family in 0...1 {
            guard try server.isReached(at: Self.open, from: client, family, witness: Self.flood),
                try !server.isReached(at: Self.closed, from: client, family, witness: Self.flood)
            else { return false }
        }
        return true
    }

    /// Datagrams to the open port and to the closed one.
    func floods() throws -> (allowed: Flood, forbidden: Flood) {
        func flood(_ port: UInt16, _ family: Int) throws -> Flood {
            try Flood(
                from: UDP(in: client.namespace, at: client.addresses[family]),
                to: UDP(in: server.namespace, at: server.addresses[family], port: port), at: server.addresses[family],
                every: .milliseconds(1))
        }
        // Ports of their own: a probe's socket would take what comes to the other.
        return (try flood(Self.steady, 1), try flood(Self.closed + 1, 0))
    }
}
