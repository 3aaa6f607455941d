import Foundation
import GRDB
import HawserProtocol
import Lab
import OwnThreads
import SwiftProtobuf
import Synchronization
import SystemPackage
import Testing

/// Changes that goal states make: to the ledger alone, and from there to the intents and back.
enum GoalChange: String, CaseIterable, Sendable {
    /// A port whose subnet isn't known.
    case waits
    /// The subnet that a port waits for.
    case arrives
    /// A router: it is remembered, and its rules become routes of a network.
    case routed
    /// A VPC goes with all that is remembered of it.
    case gone

    /// What is pushed before, and the change.
    func goals(_ late: DaemonPod) -> (before: [Alcor_Schema_GoalState], change: Alcor_Schema_GoalState) {
        let waiting = AlcorSample.goal { $0.portStates = [late.port("a")] }
        let arrival = AlcorSample.goal {
            $0.vpcStates = [AlcorSample.vpc()]
            $0.subnetStates = [AlcorSample.subnet()]
            $0.securityGroupStates = [AlcorSample.opening("a", 7000)]
            $0.dhcpStates = [.with { ($0.operationType, $0.configuration.id) = (.create, "dhcp") }]
        }
        switch self {
        case .waits: return ([], waiting)
        case .arrives: return ([waiting], arrival)
        case .routed:
            let router = Alcor_Schema_RouterState.with {
                $0.configuration.id = "router"
                $0.configuration.subnetRoutingTables = [
                    .with {
                        $0.subnetID = "subnet-1"
                        $0.routingRules = [
                            .with {
                                ($0.id, $0.destination, $0.nextHopIp) = ("far", "203.0.113.0/24", late.ipv4)
                            }
                        ]
                    }
                ]
            }
            return ([waiting, arrival], AlcorSample.goal { $0.routerStates = [router] })
        case .gone:
            let end = AlcorSample.goal {
                $0.vpcStates = [AlcorSample.vpc("vpc-1", .delete)]
                $0.portStates = [late.port(operation: .delete)]
            }
            return ([waiting, arrival], end)
        }
    }

    /// How the change is answered, which may be asked for as often as one likes.
    var statuses: [String] {
        switch self {
        case .waits: ["FAILURE"]
        case .arrives: ["SUCCESS", "SUCCESS", "SUCCESS", "SUCCESS"]
        case .routed: ["SUCCESS"]
        case .gone: ["SUCCESS", "SUCCESS"]
        }
    }
}

/// A goal state goes into two places of the store: what intents can hold, and the rest. Both are written
/// together or not at all.
///
/// Fails on 7673dba, where they were two transactions: between them a port that was said to be applied once
/// its subnet arrives was in neither. `HAWSER_KILLS=all` tries every call, as `make soak` does.
@Suite("A goal state", .serialized, .ownThreads) struct DaemonGoalStateTests {
    private let host: DaemonHost
    private let late: DaemonPod
    private var state: String { host.folder.file("state") }

    init() throws {
        host = try DaemonHost()
        late = try host.pod("late", 10)
        try host.folder.write("alcor: {isolated: false}\n", to: "hawserd.yaml")
    }

    @Test(
        "is stored whole or not at all wherever the daemon is killed, and what was answered is kept",
        arguments: GoalChange.allCases)
    func killed(in change: GoalChange) throws {
        let point = KillPoint()
        func start() throws { try host.start(judging: KillPoint.calls, point.judge) }
        let goal = try prepare(change)
        let old = try rows()
        try start()
        point.arm(at: nil)
        #expect(try host.push(goal).alcorStatuses == change.statuses, "\(host.log)")
        let calls = point.disarm()
        host.end(SIGKILL)
        let new = try rows()
        #expect(new != old)

        for number in points(of: calls, "\(change), killed") {
            try restore()
            try start()
            point.arm(at: number)
            let statuses = try host.push(goal).alcorStatuses
            host.end(SIGKILL)
            let what =
                "\(change), killed before call \(number) of \(calls.count) (\(point.disarm().last ?? "none"))"
            let there = try rows()
            #expect(there == old || there == new, "\(what): \(there.symmetricDifference(new))")
            #expect(there == new || statuses.isEmpty, "\(what): it was answered: \(statuses)")
            // The next start goes on from there.
            try host.start()
            try expectWhole(goal, change, new, what)
        }
    }

    @Test(
        "is refused as a whole or stored as a whole wherever the disk becomes full, and can be pushed again",
        arguments: GoalChange.allCases
    )
    func full(in change: GoalChange) throws {
        let disk = FullDisk(state)
        func start() throws { try host.start(judging: FullDisk.calls, disk.judge) }
        let goal = try prepare(change)
        try start()
        disk.arm(at: nil)
        #expect(try host.push(goal).alcorStatuses == change.statuses, "\(host.log)")
        let calls = disk.disarm()
        host.end(SIGKILL)
        let new = try rows()
        // All that is answered for is on the disk with the first call that waits for it.
        let stored = try #require(calls.firstIndex { $0 == "fdatasync" || $0 == "fsync" }) + 1

        for number in points(of: calls, "\(change), with a full disk") {
            try restore()
            try start()
            disk.arm(at: number)
            let outcome = try host.push(goal)
            _ = disk.disarm()
            let what = "\(change), full from call \(number) of \(calls.count) on"
            let reasons = outcome.results.compactMap { $0["reason"] as? String }
            let isRefused =
                reasons.count == change.statuses.count
                && reasons.allSatisfy { $0.contains("not stored, so not applied") }
            #expect(isRefused == (number <= stored), "\(what): \(outcome.output)")
            #expect(
                outcome.alcorStatuses
                    == (isRefused ? change.statuses.map { _ in "FAILURE" } : change.statuses), "\(what)")
            // The daemon itself takes nothing of it for stored either.
            try expectWhole(goal, change, new, what)
        }
    }

    // MARK: Means

    /// The store as it is before the change, beside the one in use; the change.
    private func prepare(_ change: GoalChange) throws -> Alcor_Schema_GoalState {
        let (before, goal) = change.goals(late)
        try host.start()
        for goal in before { _ = try host.push(goal) }
        host.end(SIGKILL)
        try FileManager.default.copyItem(atPath: state, toPath: state + ".before")
        return goal
    }

    private func restore() throws {
        try FileManager.default.removeItem(atPath: state)
        try FileManager.default.copyItem(atPath: state + ".before", toPath: state)
    }

    /// The change can be asked for again, and is whole then; ends the daemon.
    private func expectWhole(
        _ goal: Alcor_Schema_GoalState, _ change: GoalChange, _ new: Set<String>, _ what: String
    ) throws {
        #expect(try host.push(goal).alcorStatuses == change.statuses, "\(what)")
        let isThere = change == .arrives || change == .routed
        #expect(try host.status(of: "late") == (isThere ? "applied" : nil), "\(what)")
        host.end(SIGKILL)
        #expect(try rows() == new, "\(what)")
    }

    /// All that the store has of goal states; without a daemon.
    private func rows() throws -> Set<String> {
        try DatabaseQueue(path: state + "/intents.sqlite").read { database in
            let intents = "SELECT kind || ' ' || id || ' ' || leaving || ' ' || document FROM intents"
            let alcor =
                "SELECT 'alcor ' || type || ' ' || id || ' ' || revision || ' ' || hex(content) FROM alcor"
            return try Set(String.fetchAll(database, sql: intents + " UNION ALL " + alcor))
        }
    }

    /// The first call, those before and after what was written is on the disk, and some of the others.
    private func points(of calls: [String], _ what: String) -> [Int] {
        let syncs = calls.indices.filter { ["fdatasync", "fsync"].contains(calls[$0]) }
        let last = (syncs.last ?? 0) + 2
        let sample = FaultSample.of(Array(1...last), wanted: "HAWSER_KILLS", otherwise: 1, what)
        return Set([1] + syncs.flatMap { [$0 + 1, $0 + 2] } + sample).sorted()
    }
}

/// A disk that is full from one of its calls on.
private final class FullDisk: Sendable {
    static let calls = ["pwrite64", "fdatasync", "fsync", "ftruncate"]

    private struct State {
        var isArmed = false
        var first: Int?
        var calls: [String] = []
    }

    private let folder: String
    private let state = Mutex(State())

    init(_ folder: String) { self.folder = folder }

    /// Counts anew, and has no room from call number `first` on, from 1.
    func arm(at first: Int?) { state.withLock { $0 = State(isArmed: true, first: first) } }

    /// There is room again. The calls since it was armed.
    func disarm() -> [String] {
        state.withLock { state in
            defer { state = State() }
            return state.calls
        }
    }

    @Sendable func judge(_ call: SystemCall) -> SystemCall.Ruling {
        guard call.target.hasPrefix(folder) else { return .proceed }
        return state.withLock { state in
            guard state.isArmed else { return .proceed }
            state.calls.append(call.name)
            return state.first.map { state.calls.count >= $0 } ?? false ? .fail(.noSpace) : .proceed
        }
    }
}
