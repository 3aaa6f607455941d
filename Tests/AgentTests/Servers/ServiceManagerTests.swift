import Foundation
import Testing

@testable import Agent

@Suite("The service manager", .timeLimit(.minutes(60))) struct ServiceManagerTests {
    /// What a datagram socket such as systemd's is told, up to a number of datagrams. (NIO takes none from a socket without a name, which
    /// sd_notify(3)'s is, so Python listens.)
    private func told(_ count: Int, while body: @escaping @Sendable (_ path: String) async throws -> Void) async throws -> String {
        let folder = try TemporaryFolder()
        let script = """
            import os, socket
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind("\(folder.file("new"))")
            os.rename("\(folder.file("new"))", "\(folder.file("notify"))")
            told = [s.recv(4096).decode() for _ in range(\(count))]
            open("\(folder.file("told"))", "w").write("|".join(told))
            """
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !FileManager.default.fileExists(atPath: folder.file("notify")) {
                    try Task.checkCancellation()
                    await Task.yield()
                }
                try await body(folder.file("notify"))
            }
            try await Program.run("python3", ["-c", script])
            group.cancelAll()
            try await group.waitForAll()
            return try String(contentsOfFile: folder.file("told"), encoding: .utf8)
        }
    }

    @Test("is told what the daemon says, a datagram each")
    func says() async throws {
        let told = try await told(2) { path in
            let manager = try #require(await ServiceManager(environment: ["NOTIFY_SOCKET": path]))
            #expect(manager.watchdog == nil)
            await manager.say("READY=1", "STATUS=listening")
            await manager.say("STOPPING=1")
            await manager.close()
        }
        #expect(told == "READY=1\nSTATUS=listening|STOPPING=1")
    }

    @Test("hears of the watchdog again and again")
    func watchdog() async throws {
        let told = try await told(3) { path in
            let manager = try #require(await ServiceManager(environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "20000"]))
            #expect(manager.watchdog == .milliseconds(20))
            await manager.keepAlive { true }
            await manager.close()
        }
        #expect(told == "WATCHDOG=1|WATCHDOG=1|WATCHDOG=1")
    }

    @Test("isn't there without a socket", arguments: [[:], ["NOTIFY_SOCKET": "/nowhere/notify"], ["NOTIFY_SOCKET": ""]])
    func none(environment: [String: String]) async {
        #expect(await ServiceManager(environment: environment) == nil)
    }

    @Test(
        "may ask for any time, or none",
        arguments: [
            (nil, nil), ("", nil), ("0", nil), ("-1", nil), ("x", nil), ("30000000", Duration.seconds(30)), ("1", .microseconds(1)),
            ("18446744073709551615", .seconds(31_536_000)),
        ] as [(String?, Duration?)])
    func watchdog(text: String?, time: Duration?) {
        #expect(ServiceManager.watchdog(text) == time)
    }
}
