import Agent
import Foundation
import OwnThreads
import Testing

@Suite("hawserd", .timeLimit(.minutes(60)), .ownThreads) struct DaemonProgramTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The program beside the tests' own, its exit status and its words.
    private func hawserd(_ arguments: String...) async throws -> (status: Int32, text: String) {
        let here = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let line = #"exec "$0" "$@" > "\#(folder.file("words"))" 2>&1"#
        let program = here.appending(path: "hawserd").path(percentEncoded: false)
        var status: Int32 = 0
        do { try await Program.run("sh", ["-c", line, program] + arguments) } catch let error as Program.Failed { status = error.status }
        return (status, try String(contentsOfFile: folder.file("words"), encoding: .utf8))
    }

    @Test("checks its settings, and exits 2 with a line for each that is wrong")
    func check() async throws {
        let good = try folder.write("log: {level: debug}\n", to: "good.yaml")
        #expect(try await hawserd("--check", "--config", good).status == 0)
        let bad = try folder.write("log: {level: loud, colour: red}\n", to: "bad.yaml")
        let shape = try await hawserd("--check", "--config", bad)
        #expect(shape.status == 2 && shape.text.contains("log.colour: there is no such setting"))
        let values = try await hawserd("--check", "--config", good, "--log-format", "xml", "--control-socket=here")
        #expect(values.status == 2 && values.text.split(separator: "\n").count == 2)
        #expect(values.text.contains("--log-format is \"xml\"") && values.text.contains("--control-socket is \"here\""))
        #expect(try await hawserd("--check", "--config", folder.file("nowhere")).status == 2)
    }

    @Test("explains every setting in its help, with flag and default")
    func help() async throws {
        let help = try await hawserd("--help")
        #expect(help.status == 0)
        for setting in Setting.all { #expect(help.text.contains(setting.flag), "\(setting.flag)") }
        #expect(try await hawserd("--version").text == Daemon.version + "\n")
    }

    @Test("doesn't start where another one is running")
    func alone() async throws {
        let lock = try StateLock(directory: folder.file("state"))
        let second = try await hawserd("--cleanup", "--state-directory", folder.file("state"))
        #expect(second.status == 1 && second.text.contains("another hawserd holds it"))
        withExtendedLifetime(lock) {}
    }

    @Test("doesn't start with a state directory that others may write to, nor with somebody else's file for a lock")
    func foreignState() async throws {
        let state = folder.file("state")
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: state)
        let open = try await hawserd("--cleanup", "--state-directory", state)
        #expect(open.status == 1 && open.text.contains("others may write to \(state) (mode 777): chmod go-w"), "\(open)")
        try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: state)
        let secret = try folder.write("nobody else's", to: "secret")
        try FileManager.default.createSymbolicLink(atPath: state + "/lock", withDestinationPath: secret)
        let linked = try await hawserd("--cleanup", "--state-directory", state)
        #expect(linked.status == 1 && linked.text.contains("can't take \(state)/lock"), "\(linked)")
        try FileManager.default.removeItem(atPath: state + "/lock")
        let lock = try StateLock(directory: state)
        withExtendedLifetime(lock) {}
    }
}
