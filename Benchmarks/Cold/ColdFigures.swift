import Foundation
import Lab

/// A hawserd process that makes many pods at once, on a host where others change their own nftables rules and links all the while.
struct ColdFigures {
    let region: Region
    let folder: URL
    private let lab: Lab
    private let host: LabNamespace

    init(pods: Int, groups: Int, folder: URL) throws {
        region = Region(pods: pods, members: 1000, groups: groups, place: "\(Lab.directory)/cold-")
        self.folder = folder.appending(path: "cold")
        lab = try Lab()
        host = try lab.namespace(named: "cold-host")
        for name in region.names { _ = try lab.namespace(named: "cold-" + name) }
        try region.write(to: self.folder.appending(path: "intents"))
    }

    func measure() async throws -> (series: [Series], facts: [Fact]) {
        defer {
            lab.remove()
            try? FileManager.default.removeItem(at: folder)
        }
        let rivals = (firewall: try FirewallRival(on: host), links: try LinkRival(on: host))
        let among = "\(region.pods) pods"
        var series: [Series] = []
        func note(_ when: String, _ waits: (firewall: [Duration], links: [Duration])) {
            series.append(Series("a commit of another table's, " + when, by: "another user of nftables", among: among, waits.firewall))
            series.append(Series("a change of another link's, " + when, by: "another user of links", among: among, waits.links))
        }
        note("before", try await waits(rivals) { try await Task.sleep(for: .seconds(5)) })

        var facts: [Fact] = []
        func add(_ what: String, _ value: Double, _ unit: String) { facts.append(Fact(what: what, among: among, value: value, unit: unit)) }
        var daemons: [DaemonProcess] = []
        defer { for daemon in daemons { daemon.program.end(SIGKILL) } }
        for (what, when) in [
            ("from nothing to ready", "during a start from nothing"), ("restart after kill -9 to ready", "during a restart"),
        ] {
            var elapsed = Duration.zero
            note(
                when,
                try await waits(rivals) {
                    let start = ContinuousClock.now
                    let daemon = try DaemonProcess(on: host, in: folder, intents: folder.path + "/intents")
                    daemons.append(daemon)
                    try await daemon.ready(with: region.pods + Region.movers.count, within: .seconds(600))
                    elapsed = start.duration(to: .now)
                })
            add("hawserd: " + what, elapsed / .milliseconds(1), "ms")
            try await Task.sleep(for: .seconds(3))
            if let daemon = daemons.last {
                add("hawserd: resident memory, \(when)", try daemon.memory, "MiB")
                add("hawserd: the most of it", try daemon.mostMemory, "MiB")
                daemon.program.end(SIGKILL)
            }
        }
        for item in series { add("the longest wait: " + item.what, item.times.maximum / 1000, "ms") }
        return (series, facts)
    }

    /// How long the others waited for each of their changes while `body` ran.
    private func waits(
        _ rivals: (firewall: FirewallRival, links: LinkRival), while body: () async throws -> Void
    ) async throws -> (firewall: [Duration], links: [Duration]) {
        let isOver = SharedFlag()
        async let commits = rivals.firewall.waits(until: isOver)
        async let changes = rivals.links.waits(until: isOver)
        try await body()
        isOver.set(true)
        return try await (commits, changes)
    }
}
