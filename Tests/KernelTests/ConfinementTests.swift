import CLinux
import Foundation
import Kernel
import Lab
import OwnThreads
import SystemPackage
import Testing

@Suite("A confined process", .ownThreads) struct ConfinementTests {
    private static let isInside = ProcessInfo.processInfo.environment["HAWSER_CONFINED"] != nil

    @Test("can do what the daemon does, and nothing that would open what is shut", .enabled(if: !isInside))
    func holds() throws {
        let lab = try Lab()
        let host = try lab.namespace("host")
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path(percentEncoded: false)
        let words = ["env", "HAWSER_CONFINED=1", program, "--testing-library", "swift-testing", "--filter", "ConfinementTests"]
        let output = try host.run(words)
        #expect(output.contains("it was confined"), "\(output)")
    }

    /// Runs in a process of its own, which is confined for good.
    @Test("refuses", .enabled(if: isInside, "it runs by itself, in a process of its own"))
    func refuses() throws {
        let folder = "/tmp/hwc-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        /// The error number of a call, 0 when it succeeds.
        func errno(_ body: () -> Int32) -> Int32 { body() == 0 ? 0 : hawser_errno() }
        func mounts(_ flags: Int) -> Int32 { errno { unsafe mount("none", folder, "tmpfs", UInt(flags), nil) } }
        func remounts(_ flags: Int = 0) -> Int32 { errno { unsafe mount(nil, folder, nil, UInt(MS_REMOUNT | MS_BIND) | UInt(flags), nil) } }

        // Before: it can, as anybody with CAP_SYS_ADMIN.
        #expect(mounts(0) == 0 && remounts(Int(MS_RDONLY)) == 0 && remounts() == 0)
        try Confinement.begin()
        #expect(mounts(0) == EPERM)
        #expect(remounts() == EPERM, "a read-only file system would be writable again")
        #expect(errno { unshare(Int32(HAWSER_CLONE_NEWNS)) } == EPERM)
        #expect(errno { unshare(Int32(HAWSER_CLONE_NEWUSER)) } == EPERM)
        #expect(errno { unsafe umount2(folder, 0) } == EPERM)
        #expect(throws: (any Error).self) {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/true")
            try process.run()
            process.waitUntilExit()
            if process.terminationStatus != 0 { throw Errno.notPermitted }
        }

        // A namespace is made, named, entered and let go as before.
        _ = try DomainNamespace(path: folder + "/name", owner: NetworkNamespace.current().identity, name: "blue").open()
        try DomainNamespace(path: folder + "/name", owner: NetworkNamespace.current().identity, name: "blue").remove()
        #expect(errno { unsafe umount2(folder, Int32(MNT_DETACH)) } == 0)
        print("it was confined")
    }
}
