import CLinux
import Foundation
import Kernel
import Lab
import OwnThreads
import SystemPackage
import Testing

@Suite("A confined process", .ownThreads) struct ConfinementTests {
    private static let folder = ProcessInfo.processInfo.environment["HAWSER_CONFINED"]

    @Test(
        "can do what the daemon does, and nothing that would open what is shut", .enabled(if: folder == nil))
    func holds() throws {
        let lab = try Lab()
        let host = try lab.namespace("host")
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path(percentEncoded: false)
        // Nothing that is mounted in it can be unmounted from inside.
        let folder = "/tmp/hwc-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer {
            _ = unsafe umount2(folder, Int32(MNT_DETACH))
            try? FileManager.default.removeItem(atPath: folder)
        }
        let words = [
            "env", "HAWSER_CONFINED=\(folder)", program, "--testing-library", "swift-testing", "--filter",
            "ConfinementTests",
        ]
        let output = try host.run(words)
        #expect(output.contains("it was confined"), "\(output)")
    }

    /// Runs in a process of its own, which is confined for good.
    @Test("refuses", .enabled(if: folder != nil, "it runs by itself, in a process of its own"))
    func refuses() throws {
        let folder = try #require(Self.folder)
        let names = NamespaceNames(in: folder + "-names")
        defer { try? FileManager.default.removeItem(atPath: folder + "-names") }
        /// The error number of a call, 0 when it succeeds.
        func errno(_ body: () -> Int32) -> Int32 { body() == 0 ? 0 : hawser_errno() }
        func mounts(_ flags: Int) -> Int32 {
            errno { unsafe mount("none", folder, "tmpfs", UInt(flags), nil) }
        }
        func remounts(_ flags: Int = 0) -> Int32 {
            errno { unsafe mount(nil, folder, nil, UInt(MS_REMOUNT | MS_BIND) | UInt(flags), nil) }
        }

        /// The error number of a call that only its number tells; what its arguments mean is complained of
        /// later than the call itself.
        func calls(_ number: Int, _ arguments: [Int] = []) -> Int32 {
            unsafe hawser_call(number, arguments + [0, 0, 0, 0, 0, 0])
        }
        // A copy of what is mounted at the folder, in which nothing is read-only: open_tree_attr(2), of which
        // 6.15 is the first to know.
        var writable: [UInt64] = [0, 1, 0, 0]
        func copies() -> Int32 {
            let flags = 1 | Int(O_CLOEXEC)
            return unsafe writable.withUnsafeMutableBytes { attributes in
                unsafe folder.withCString { path in
                    calls(
                        467,
                        [
                            Int(AT_FDCWD), Int(bitPattern: path), flags,
                            Int(bitPattern: attributes.baseAddress), 32,
                        ])
                }
            }
        }

        // Before: it can, as anybody with CAP_SYS_ADMIN.
        #expect(mounts(0) == 0 && remounts(Int(MS_RDONLY)) == 0 && remounts() == 0)
        #expect(errno { unsafe mount(folder, folder, nil, UInt(MS_BIND), nil) } == 0)
        #expect(errno { unsafe umount2(folder, Int32(MNT_DETACH)) } == 0)
        let isNew = copies() != ENOSYS
        try Confinement.begin()
        #expect(mounts(0) == EPERM)
        #expect(remounts() == EPERM, "a read-only file system would be writable again")
        // Fails on 7673dba: a bind mount hides what is read-only, and what is unmounted shows what it hid.
        #expect(errno { unsafe mount(folder, folder, nil, UInt(MS_BIND), nil) } == EPERM)
        for flags in [Int32(MNT_DETACH), 0] { #expect(errno { unsafe umount2(folder, flags) } == EPERM) }
        // Fails on 7673dba where the kernel knows it.
        #expect(copies() == ENOSYS, "what is read-only would be writable in a copy")
        print(isNew ? "the kernel knows open_tree_attr(2)" : "the kernel doesn't know open_tree_attr(2)")
        // The same numbers again, as x32 has them; and one that nobody has.
        for number in Self.numbers.map({ 0x4000_0000 | $0 }) + [467, 999] {
            #expect(calls(number) == ENOSYS, "\(number)")
        }
        #expect(errno { unshare(Int32(HAWSER_CLONE_NEWNS)) } == EPERM)
        #expect(errno { unshare(Int32(HAWSER_CLONE_NEWUSER)) } == EPERM)
        #expect(errno { unshare(Int32(HAWSER_CLONE_NEWNET | HAWSER_CLONE_NEWNS)) } == EPERM)
        let own = unsafe hawser_open("/proc/self/ns/mnt", O_RDONLY)
        for type in [HAWSER_CLONE_NEWNS, 0] { #expect(errno { setns(own, Int32(type)) } == EPERM) }
        #expect(throws: (any Error).self) {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/true")
            try process.run()
            process.waitUntilExit()
            if process.terminationStatus != 0 { throw Errno.notPermitted }
        }

        // A namespace is made, named, entered and let go as before: the helper was there first.
        let domain = DomainNamespace(
            "hawser-blue", of: names, owner: try NetworkNamespace.current().identity, for: "blue")
        #expect(try domain.open().identity == NetworkNamespace(at: names.folder + "/hawser-blue").identity)
        try domain.remove()
        #expect(try FileManager.default.contentsOfDirectory(atPath: names.folder).isEmpty)
        print("it was confined")
    }

    private static let numbers = [
        unsafe Int(hawser_call_number("mount")), unsafe Int(hawser_call_number("umount2")),
    ]
}
