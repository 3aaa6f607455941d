import Foundation
import GRDB
import HawserProtocol
import Lab
import OwnThreads
import SwiftProtobuf
import Synchronization
import SystemPackage
import Testing

/// Files of the state directory fail in every way that a disk has; the pods' packets don't care, and no intent is taken by halves.
@Suite("The daemon, whose disk fails", .serialized, .ownThreads) struct DaemonDiskTests {
    private let place: FaultPlace
    private var host: DaemonHost { place.host }
    private var state: String { host.folder.file("state") }
    private var database: String { state + "/intents.sqlite" }

    init() throws { place = try FaultPlace() }

    // MARK: Nothing can be written

    @Test("because it is full, refuses what it can't store, also after a restart, and takes it when there is room again")
    func full() throws {
        try mountState("1m")
        defer { unmountState() }
        try host.start()
        try expectDone(host.apply(place.everything("a", isExtra: false)))
        let before = try host.settled()
        let floods = try place.floods()

        try fill()
        try expectRefused(host.apply(place.everything("b", isExtra: true)), before, saying: "full")
        try expectRefused(host.hawser("delete", "pod", "web", "--output", "json"), before, saying: "full")
        host.end(SIGKILL)
        try host.start()
        // Nothing has been tried since.
        try expect(before, policy: "a", isReady: true)
        try expectRefused(host.apply(place.everything("b", isExtra: true)), before, saying: "full")

        try FileManager.default.removeItem(atPath: state + "/filler")
        #expect(try eventually(within: .seconds(60)) { try host.isReady() }, "it doesn't notice that there is room")
        #expect(try events("store").contains("writable"))
        try expectDone(host.apply(place.everything("b", isExtra: true)))
        #expect(try [place.policy(0), place.policy(1)] == ["b", "b"])
        floods.expectUndisturbed()
    }

    @Test(
        "because it is full, refuses goal states as a whole, and forgets nothing that waits"
    )
    func fullForAlcor() throws {
        try mountState("1m")
        defer { unmountState() }
        try host.folder.write("alcor: {isolated: false}\n", to: "hawserd.yaml")
        try host.start()
        let late = try host.pod("late", 30)
        let waiting = AlcorSample.goal { $0.portStates = [late.port()] }
        let arrival = AlcorSample.goal {
            $0.subnetStates = [AlcorSample.subnet()]
            $0.dhcpStates = [.with { ($0.operationType, $0.configuration.id) = (.create, "dhcp") }]
        }
        #expect(
            try host.push(waiting).results.allSatisfy {
                ($0["reason"] as? String)?.contains("applied by itself") ?? false
            })

        try fill()
        for isRestarted in [false, true] {
            if isRestarted {
                host.end(SIGKILL)
                try host.start()
            }
            let refused = try host.push(arrival)
            #expect(refused.alcorStatuses == ["FAILURE", "FAILURE"])
            let reasons = refused.results.compactMap { $0["reason"] as? String }
            #expect(
                reasons.count == 2
                    && reasons.allSatisfy { $0.contains("not stored, so not applied") && $0.contains("full") }
            )
            #expect(try reason().contains("can't be stored"))
            #expect(try host.hawser("networks", "--output", "json").list.isEmpty)
        }

        try FileManager.default.removeItem(atPath: state + "/filler")
        #expect(
            try eventually(within: .seconds(60)) { try host.isReady() },
            "it doesn't notice that there is room")
        #expect(try host.push(arrival).alcorStatuses == ["SUCCESS", "SUCCESS"])
        #expect(try host.status(of: "late") == "applied")
    }

    @Test("because it is read-only, ends at the start and says so, leaves everything as it is, and is whole when it can write again")
    func readOnly() throws {
        try mountState("8m")
        defer { unmountState() }
        try host.start()
        try expectDone(host.apply(place.everything("a", isExtra: true)))
        let before = try host.settled()
        let floods = try place.floods()
        host.end(SIGKILL)
        try host.host.run("mount", "-o", "remount,ro", state)
        #expect(try host.startInVain() == 1)
        #expect(host.log.contains(state) && host.log.contains("Read-only file system"), "\(host.log.suffix(500))")
        #expect(try host.inventory() == before)
        #expect(try [place.policy(0), place.policy(1)] == ["a", "a"])
        try host.host.run("mount", "-o", "remount,rw", state)
        try host.start()
        try expect(before, policy: "a", isReady: true)
        try expectDone(host.apply(place.everything("b", isExtra: true)))
        floods.expectUndisturbed()
    }

    @Test("in the middle of a commit refuses it, and takes it when the disk works again", arguments: [Errno.ioError, .readOnlyFileSystem])
    func failing(with errno: Errno) throws {
        let isFailing = SharedFlag()
        let state = state
        try host.start(judging: ["pwrite64", "fdatasync", "fsync", "ftruncate"]) { call in
            isFailing.isUp && call.target.hasPrefix(state) ? .fail(errno) : .proceed
        }
        try expectDone(host.apply(place.everything("a", isExtra: false)))
        let before = try host.settled()
        let floods = try place.floods()
        for _ in 0..<2 {
            isFailing.set(true)
            try expectRefused(host.apply(place.everything("b", isExtra: true)), before, saying: "disk I/O error")
            isFailing.set(false)
            #expect(try eventually(within: .seconds(60)) { try host.isReady() })
        }
        // What was refused isn't found by the next one either.
        host.end(SIGKILL)
        try host.start()
        try expect(before, policy: "a", isReady: true)
        try expectDone(host.apply(place.everything("b", isExtra: true)))
        floods.expectUndisturbed()
    }

    @Test("slowly keeps the kernel waiting, and nobody's packets")
    func slow() throws {
        let log = Calls()
        let delay = Duration.seconds(3)
        let state = state
        try host.start(judging: ["fdatasync", "sendto"]) { call in
            if call.name == "fdatasync", call.target.hasPrefix(state), log.isOn {
                log.note("fdatasync")
                Thread.sleep(forTimeInterval: 3)
            } else if call.isNetlink {
                log.note("netlink")
            }
            return .proceed
        }
        try expectDone(host.apply(place.everything("a", isExtra: false)))
        _ = try host.settled()
        let floods = try place.floods()
        log.begin()
        let start = ContinuousClock.now
        try expectDone(host.apply(place.everything("b", isExtra: true)))
        #expect(start.duration(to: .now) >= delay)
        #expect(log.names.first == "fdatasync", "the kernel was told before the disk: \(log.names)")
        #expect(log.names.contains("netlink"))
        #expect(try [place.policy(0), place.policy(1)] == ["b", "b"])
        floods.expectUndisturbed()
    }

    // MARK: The database is lost

    enum Damage: String, CaseIterable, CustomTestStringConvertible {
        case header, pages, empty, gone, rows
        var testDescription: String {
            switch self {
            case .header: "its first bytes are garbage"
            case .pages: "its pages are garbage"
            case .empty: "it is empty"
            case .gone: "it is gone"
            case .rows: "rows of it say nothing"
            }
        }
    }

    @Test("with a lost database keeps what the kernel has until a snapshot says what there is to be", arguments: Damage.allCases)
    func lost(by damage: Damage) throws {
        try host.start()
        try expectDone(host.apply(place.everything("a", isExtra: true)))
        try expectDone(host.apply("pods:\n" + place.web.yaml("b")))
        let whole = try host.settled()
        let floods = try place.floods()
        host.end(SIGKILL)
        try spoil(damage)

        // However often it is started.
        for _ in 0..<2 {
            try host.start()
            try expect(whole, policy: "b", isReady: false)
            #expect(try reason().contains("until a snapshot"))
            host.end(SIGKILL)
        }
        try host.start()
        let asides = try FileManager.default.contentsOfDirectory(atPath: state).filter { $0.contains("damaged") && !$0.hasSuffix("-wal") }
        #expect(asides.count == (damage == .header || damage == .pages ? 1 : 0))
        for aside in asides { #expect(try reason().contains(aside)) }
        for aside in asides { #expect(host.log.contains(aside)) }
        #expect(try events("store").contains("lost"))

        // What is asked for piece by piece is in force, and the rest stays.
        let late = try host.pod("late", 30)
        let pieces = DaemonHost.groups(FaultPlace.groups)
        try expectDone(host.apply(pieces + "pods:\n" + late.yaml("a") + place.web.yaml("a")))
        #expect(try [place.policy(0), place.policy(1)] == ["a", "a"])
        #expect(try late.isReached(at: FaultPlace.first, from: place.quiet[0], 0, witness: FaultPlace.both))
        #expect(try !late.isReached(at: FaultPlace.second, from: place.quiet[0], 0, witness: FaultPlace.both))
        #expect(try host.links().count == 5)
        #expect(try !host.isReady())
        try expectDone(host.hawser("delete", "pod", "late", "--output", "json"))
        #expect(try host.links().count == 4)
        if damage != .rows {
            let unknown = try host.hawser("delete", "pod", "extra", "--output", "json")
            #expect(unknown.output.contains("deferred"), "\(unknown.output)")
        }
        #expect(try host.links().count == 4)

        // A snapshot is the whole again.
        try expectDone(host.prune(place.everything("b", isExtra: false)))
        #expect(try host.isReady())
        #expect(try host.links().count == 3)
        #expect(try [place.policy(0), place.policy(1)] == ["b", "b"])
        let bare = try host.settled()
        host.end(SIGKILL)
        try host.start()
        try expect(bare, policy: "b", isReady: true)
        floods.expectUndisturbed()
    }

    @Test("with a lost database is whole again by its files, where nobody else pushes")
    func lostWithFiles() throws {
        try host.folder.write(place.everything("b", isExtra: true), to: "intents.d/all.yaml")
        try host.start()
        #expect(try eventually { try host.status(of: "extra") == "applied" })
        let whole = try host.settled()
        let floods = try place.floods()
        host.end(SIGKILL)
        try spoil(.header)
        try host.start()
        #expect(try eventually { try host.isReady() })
        try expect(whole, policy: "b", isReady: true)
        floods.expectUndisturbed()
    }

    @Test("with the database of a newer version says so, ends, and leaves everything as it is")
    func newer() throws {
        try host.start()
        try expectDone(host.apply(place.everything("a", isExtra: true)))
        let before = try host.settled()
        let floods = try place.floods()
        host.end(SIGTERM)
        try change { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('of a later day')") }
        let bytes = try Data(contentsOf: URL(filePath: database))
        #expect(try host.startInVain() == 1)
        #expect(host.log.contains("a newer version of hawserd wrote it"))
        #expect(try host.inventory() == before)
        #expect(try place.policy(0) == "a")
        #expect(try Data(contentsOf: URL(filePath: database)) == bytes)

        try change { try $0.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = 'of a later day'") }
        try host.start()
        try expect(before, policy: "a", isReady: true)
        floods.expectUndisturbed()
    }

    // MARK: Means

    /// The state directory is a file system of its own, of so many bytes.
    private func mountState(_ size: String) throws {
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        try host.host.run("mount", "-t", "tmpfs", "-o", "mode=0750,size=\(size)", "tmpfs", state)
    }

    /// After the daemon, which still has files there.
    private func unmountState() {
        host.end(SIGKILL)
        _ = try? host.host.run("umount", state)
    }

    private func fill() throws {
        try Data().write(to: URL(filePath: state + "/filler"))
        let file = try FileDescriptor.open(FilePath(state + "/filler"), .writeOnly)
        defer { try? file.close() }
        for size in [4096, 1] {
            let bytes = [UInt8](repeating: 0, count: size)
            while (try? file.writeAll(bytes)) != nil {}
        }
    }

    private func spoil(_ damage: Damage) throws {
        switch damage {
        case .header, .pages:
            // Opened and closed, so that the log is folded in: what is in it counts more than the file.
            try change { _ in }
            let file = try FileDescriptor.open(FilePath(database), .readWrite)
            defer { try? file.close() }
            let size = try file.seek(offset: 0, from: .end)
            let start: Int64 = damage == .header ? 0 : 4096
            try file.writeAll(toAbsoluteOffset: start, [UInt8](repeating: 0x5a, count: Int(damage == .header ? 4096 : size - start)))
        case .empty:
            try Data().write(to: URL(filePath: database))
            try? FileManager.default.removeItem(atPath: database + "-wal")
        case .gone: try FileManager.default.removeItem(atPath: state)
        case .rows: try change { try $0.execute(sql: "UPDATE intents SET document = '{' WHERE id IN ('quiet-1', 'web', 'extra')") }
        }
    }

    private func change(_ body: (Database) throws -> Void) throws { try DatabaseQueue(path: database).write(body) }

    private final class Calls: Sendable {
        private let state = Mutex<(isOn: Bool, names: [String])>((false, []))
        var isOn: Bool { state.withLock { $0.isOn } }
        var names: [String] { state.withLock { $0.names } }
        func begin() { state.withLock { $0 = (true, []) } }
        func note(_ name: String) { state.withLock { if $0.isOn { $0.names.append(name) } } }
    }

    // MARK: Expectations

    private func reason() throws -> String { try host.hawser("status", "--output", "json").object["reason"] as? String ?? "" }

    /// What happened to a kind of thing, in order.
    private func events(_ kind: String) throws -> [String] {
        try host.hawser("events", "--output", "json").output.split(separator: "\n").compactMap { line in
            let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            return event?["kind"] as? String == kind ? event?["event"] as? String : nil
        }
    }

    private func expectDone(_ outcome: DaemonHost.Outcome, _ location: SourceLocation = #_sourceLocation) throws {
        #expect(outcome.status == 0, "\(outcome.output) \(outcome.complaints)", sourceLocation: location)
    }

    /// Every resource failed, for this reason, and nothing is different.
    private func expectRefused(
        _ outcome: DaemonHost.Outcome, _ before: [String: Int], saying words: String, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let results = outcome.object["results"] as? [[String: Any]] ?? []
        #expect(outcome.status == 1, sourceLocation: location)
        #expect(
            !results.isEmpty && results.allSatisfy { $0["status"] as? String == "failed" }, "\(outcome.output)", sourceLocation: location)
        let reasons = results.compactMap { $0["reason"] as? String }
        #expect(
            reasons.allSatisfy { $0.contains("not stored, so not applied") && $0.contains(words) }, "\(reasons)", sourceLocation: location)
        #expect(try reason().contains("can't be stored"), sourceLocation: location)
        try expect(before, policy: "a", isReady: false, location)
    }

    private func expect(
        _ inventory: [String: Int], policy: String, isReady: Bool, _ location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try host.inventory() == inventory, sourceLocation: location)
        #expect(try [place.policy(0), place.policy(1)] == [policy, policy], sourceLocation: location)
        #expect(try host.isReady() == isReady, sourceLocation: location)
    }
}
