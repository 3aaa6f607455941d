import Agent
import Foundation
import HostNetwork

/// The same changes on hosts that differ only in what the changes don't touch, in turns, so that what disturbs one disturbs all.
struct ScaleFigures {
    let repetitions: Int
    let folder: URL

    func measure(networks: Int, neighbors: Int) async throws -> [Series] {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // The kernel's part of an empty host may depend on what else there is in the kernel: it is measured before and beside the others.
        Bench.progress("an empty host, alone")
        let alone = try await run([ScaleLoad(description: "an empty host, before there were others")], keeping: 0)
        let loads = [
            ScaleLoad.empty, ScaleLoad(description: "\(networks) networks of 4 pods", networks: networks),
            ScaleLoad(description: "\(neighbors) neighbors by VXLAN", neighbors: neighbors),
            ScaleLoad(description: "\(neighbors) members by VXLAN", neighbors: neighbors, areMembers: true),
        ]
        return try await run(loads, keeping: 1) + alone
    }

    /// - Parameter first: the number of the first host.
    private func run(_ loads: [ScaleLoad], keeping first: Int) async throws -> [Series] {
        var hosts: [ScaleHost] = []
        defer { for host in hosts { host.clear() } }
        for (number, load) in loads.enumerated() {
            Bench.progress("making \(load)")
            hosts.append(try await ScaleHost(first + number, load, folder: folder))
        }
        let made = hosts
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for host in made { group.addTask { try await host.reconciler.run() } }
            defer { group.cancelAll() }
            Bench.progress("changes on \(made.count) hosts")
            return try await rounds(on: made)
        }
    }

    private func rounds(on hosts: [ScaleHost]) async throws -> [Series] {
        var costs = hosts.map { host in Self.changes(on: host).map { ScaleCost($0.what, on: host.load) } }
        for round in -2..<repetitions {
            for (number, host) in hosts.enumerated() {
                for (index, (what, change)) in Self.changes(on: host).enumerated() {
                    var cost = round < 0 ? ScaleCost(what, on: host.load) : costs[number][index]  // the first are to warm up
                    try await host.ask(change, &cost)
                    if round >= 0 { costs[number][index] = cost }
                }
            }
        }
        // What is compared stands together.
        let changes = costs.first?.indices ?? 0..<0
        return changes.flatMap { index in costs.map { $0[index].whole } + costs.map { $0[index].kernel } }
    }

    /// They end where they began.
    private static func changes(on host: ScaleHost) -> [(what: String, change: Change)] {
        let pod = ScaleLoad.pod(ScaleHost.comer, 100, of: ScaleLoad.home, at: host.place, groups: [ScaleLoad.groups[0]])
        var rebound = pod
        rebound.securityGroups = [ScaleLoad.groups[1]]
        let member = ScaleLoad.neighbor("new", 100_000, isMember: true)
        let loner = ScaleLoad.pod(ScaleHost.loner, 100, of: ScaleLoad.lone, at: host.place)
        return [
            ("one pod attached", Change(upserts: [.pod(pod)])), ("one pod rebound", Change(upserts: [.pod(rebound)])),
            ("one member added", Change(upserts: [.neighbor(member)])), ("one member removed", Change(deletions: [member.id.intent])),
            ("one pod removed", Change(deletions: [pod.id.intent])),
            ("the first pod of a network", Change(upserts: [.pod(loner)])),
            ("the last pod of a network removed", Change(deletions: [loner.id.intent])),
        ]
    }
}

/// What one change cost on one host.
struct ScaleCost {
    var whole: Series
    /// The part of it that was spent waiting for the kernel.
    var kernel: Series

    init(_ what: String, on load: ScaleLoad) {
        whole = Series(what, by: load.description, among: "")
        kernel = Series(what + ", of it the kernel", by: load.description, among: "")
    }
}
