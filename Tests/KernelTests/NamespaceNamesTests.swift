import CLinux
import Foundation
import Glibc
import Kernel
import Lab
import OwnThreads
import Synchronization
import SystemPackage
import Testing

/// What a daemon that was taken over may try with the helper that mounts in its place (decision 39).
@Suite("The helper that names namespaces", .ownThreads) struct NamespaceNamesTests {
    private let lab: Lab
    private let blue: LabNamespace
    private let folder: NamesFolder

    init() throws {
        lab = try Lab()
        blue = try lab.namespace("blue")
        folder = try NamesFolder()
    }

    @Test("names a network namespace where `ip netns` finds it, once, and takes the name away without a rest")
    func names() throws {
        let names = NamespaceNames(in: folder.path)
        #expect(names.problem == nil)
        try names.bind(NetworkNamespace(at: blue.path), as: "hawser-blue.0_~-")
        let there = try NetworkNamespace(at: folder.path + "/hawser-blue.0_~-").identity
        #expect(try there == NetworkNamespace(at: blue.path).identity)
        #expect(throws: NamespaceError.self) {
            try names.bind(NetworkNamespace(at: blue.path), as: "hawser-blue.0_~-")
        }
        try names.unbind("hawser-blue.0_~-")
        #expect(try folder.contents().isEmpty && folder.mounts().isEmpty)
        #expect(throws: NamespaceError.self) { try names.unbind("hawser-blue.0_~-") }
    }

    @Test("mounts nothing but a network namespace, whatever else it is handed", arguments: Handed.allCases)
    private func handed(_ handed: Handed) throws {
        let helper = try RawHelper(for: folder.path)
        let files = try handed.files(blue.path)
        defer { for file in files { _ = close(file) } }
        let answer = try helper.ask(1, "hawser-x", files)
        #expect(answer.error == EINVAL || answer.error == EBADF, "\(answer)")
        #expect(try folder.contents().isEmpty && folder.mounts().isEmpty)
        try expectAlive(helper)
    }

    /// What isn't a network namespace, or isn't one alone.
    private enum Handed: String, CaseIterable {
        case nothing, two, file, folder, pipe, device, socket, mounts, hostname, handle

        func files(_ namespace: String) throws -> [Int32] {
            func open(_ path: String, _ flags: Int32 = O_RDONLY) -> Int32 {
                unsafe hawser_open(path, flags | O_CLOEXEC)
            }
            let files: [Int32]
            switch self {
            case .nothing: files = []
            case .two: files = [open(namespace), open(namespace)]
            case .file: files = [open("/etc/passwd")]
            case .folder: files = [open("/proc/sys", O_RDONLY | O_DIRECTORY)]
            case .pipe:
                var ends: [Int32] = [-1, -1]
                #expect(unsafe pipe2(&ends, O_CLOEXEC) == 0)
                files = ends.dropLast() + []
                _ = close(ends[1])
            case .device: files = [open("/dev/null")]
            case .socket: files = [Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)]
            case .mounts: files = [open("/proc/self/ns/mnt")]
            case .hostname: files = [open("/proc/self/ns/uts")]
            // It can be mounted, but nobody can ask what it is.
            case .handle: files = [open(namespace, HAWSER_O_PATH)]
            }
            #expect(files.allSatisfy { $0 >= 0 })
            return files
        }
    }

    @Test("takes no path, and no name but its own kind's; nothing outside of its folder is touched")
    func paths() throws {
        let helper = try RawHelper(for: folder.path + "/inner")
        let victim = folder.path + "/hawser-victim"
        try bind(blue.path, on: victim)
        let namespace = unsafe hawser_open(blue.path, O_RDONLY | O_CLOEXEC)
        defer { _ = close(namespace) }
        let bad = [
            "", ".", "..", "/", "hawser-", "hawser", "blue", "xhawser-blue", "hawser-/../../hawser-victim",
            "../hawser-victim", victim, "hawser-a/b",
            "hawser-a b", "hawser-a\n", "hawser-a:b", "hawser-ä", "hawser-\u{7f}",
            "hawser-" + String(repeating: "a", count: 249),
        ]
        for name in bad {
            #expect(try helper.ask(1, name, [namespace]).error == EINVAL, "\(name)")
            #expect(try helper.ask(2, name, []).error == EINVAL, "\(name)")
        }
        // As long as a file's name can be.
        let longest = "hawser-" + String(repeating: "a", count: 248)
        #expect(try helper.ask(1, longest, [namespace]).error == 0)
        #expect(try helper.ask(2, longest, []).error == 0)
        #expect(try folder.mounts() == [victim])
    }

    @Test(
        "refuses another length, another verb, a descriptor where there is none to be"
    )
    func requests() throws {
        let helper = try RawHelper(for: folder.path)
        let namespace = unsafe hawser_open(blue.path, O_RDONLY | O_CLOEXEC)
        defer { _ = close(namespace) }
        for length in [1, 4, 12, 259, 261, 4096] {
            #expect(try helper.ask(1, "hawser-x", [namespace], length: length).error == EINVAL, "\(length)")
        }
        for verb: UInt32 in [0, 3, 256, .max] {
            #expect(try helper.ask(verb, "hawser-x", [namespace]).error == EINVAL, "\(verb)")
        }
        #expect(try helper.ask(2, "hawser-x", [namespace]).error == EINVAL)
        #expect(try folder.contents().isEmpty && folder.mounts().isEmpty)
        try expectAlive(helper)
    }

    @Test(
        "unmounts nothing but a network namespace: no file, no link to one, no other mount"
    )
    func others() throws {
        let helper = try RawHelper(for: folder.path)
        let (outside, plain) = (folder.path + "-outside", folder.path + "/plain")
        #expect(FileManager.default.createFile(atPath: plain, contents: Data("kept".utf8)))
        try bind(blue.path, on: outside)
        defer { try? release(outside) }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/hawser-link", withDestinationPath: outside)
        #expect(
            FileManager.default.createFile(atPath: folder.path + "/hawser-file", contents: Data("kept".utf8)))
        try bind(plain, on: folder.path + "/hawser-mount")
        try bind("/proc/self/ns/uts", on: folder.path + "/hawser-uts")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/hawser-folder", withIntermediateDirectories: false)
        let (contents, mounts) = (try folder.contents(), try folder.mounts())
        for name in [
            "hawser-link", "hawser-file", "hawser-mount", "hawser-uts", "hawser-folder", "hawser-none",
        ] {
            #expect(try helper.ask(2, name, []).error != 0, "\(name)")
        }
        // Nor is anything mounted over them.
        let namespace = unsafe hawser_open(blue.path, O_RDONLY | O_CLOEXEC)
        defer { _ = close(namespace) }
        for name in ["hawser-link", "hawser-file", "hawser-mount", "hawser-uts", "hawser-folder"] {
            #expect(try helper.ask(1, name, [namespace]).error == EEXIST, "\(name)")
        }
        #expect(try folder.contents() == contents && folder.mounts() == mounts)
        #expect(try NetworkNamespace(at: outside).identity == NetworkNamespace(at: blue.path).identity)
        try expectAlive(helper)
    }

    @Test("isn't led elsewhere by names that change while it works")
    func races() throws {
        let helper = try RawHelper(for: folder.path)
        let victim = folder.path + "-victim"
        try bind(blue.path, on: victim)
        defer { try? release(victim) }
        let name = folder.path + "/hawser-race"
        let isOver = SharedFlag()
        let (stirring, stirred) = (DispatchGroup(), name)
        stirring.enter()
        Thread {
            // Each of these is something that the helper may find, or that comes between two of its steps.
            while !isOver.isUp {
                _ = unsafe symlink(victim, stirred)
                _ = unsafe unlink(stirred)
                _ = unsafe rename(stirred, stirred + ".away")
                _ = unsafe unlink(stirred + ".away")
            }
            stirring.leave()
        }.start()
        let namespace = unsafe hawser_open(blue.path, O_RDONLY | O_CLOEXEC)
        defer { _ = close(namespace) }
        var outcomes: [Int32: Int] = [:]
        for _ in 0..<3000 {
            outcomes[try helper.ask(1, "hawser-race", [namespace]).error, default: 0] += 1
            outcomes[try helper.ask(2, "hawser-race", []).error, default: 0] += 1
        }
        isOver.set(true)
        stirring.wait()
        #expect(outcomes.count > 1, "nothing came between: \(outcomes)")
        #expect(try NetworkNamespace(at: victim).identity == NetworkNamespace(at: blue.path).identity)
        let mounts = try folder.mounts(also: victim)
        #expect(mounts.allSatisfy { $0 == victim || $0.hasPrefix(name) }, "\(mounts)")
        try expectAlive(helper)
    }

    @Test("knows its folder again, also mounted onto itself, and takes no other in its place")
    func replaced() throws {
        let place = folder.path + "/place"
        let helper = try RawHelper(for: place)
        let namespace = unsafe hawser_open(blue.path, O_RDONLY | O_CLOEXEC)
        defer { _ = close(namespace) }
        // As `ip netns add` does.
        try bind(place, on: place)
        #expect(try helper.ask(1, "hawser-x", [namespace]).error == 0)
        #expect(
            try NetworkNamespace(at: place + "/hawser-x").identity == NetworkNamespace(at: blue.path).identity
        )
        #expect(try helper.ask(2, "hawser-x", []).error == 0)
        #expect(unsafe umount2(place, Int32(MNT_DETACH)) == 0)

        let away = place + ".away"
        try FileManager.default.moveItem(atPath: place, toPath: away)
        try FileManager.default.createSymbolicLink(atPath: place, withDestinationPath: away)
        #expect(try helper.ask(1, "hawser-x", [namespace]).error != 0)
        try FileManager.default.removeItem(atPath: place)
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        #expect(try helper.ask(1, "hawser-x", [namespace]).error == ESTALE)
        #expect(try folder.contents() == ["place", "place.away"])
        try FileManager.default.removeItem(atPath: place)
        try FileManager.default.moveItem(atPath: away, toPath: place)
        #expect(try helper.ask(1, "hawser-x", [namespace]).error == 0)
        #expect(try helper.ask(2, "hawser-x", []).error == 0)
    }

    @Test(
        "holds nothing of what it was handed, has few rights, and can't be looked into without CAP_SYS_PTRACE"
    )
    func confined() throws {
        let helper = try RawHelper(for: folder.path)
        let file = unsafe hawser_open("/etc/passwd", O_RDONLY | O_CLOEXEC)
        defer { _ = close(file) }
        for _ in 0..<2000 { #expect(try helper.ask(1, "hawser-x", [file, file]).error == EINVAL) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(helper.process)/fd").count == 2)
        let status = try String(contentsOfFile: "/proc/\(helper.process)/status", encoding: .utf8)
        // CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN.
        for line in [
            "Name:\thawserd-names\n", "Seccomp:\t2\n", "NoNewPrivs:\t1\n", "CapPrm:\t0000000000200006\n",
            "CapEff:\t0000000000200006\n",
        ] {
            #expect(status.contains(line), "\(status)")
        }
        /// Whether root without CAP_SYS_PTRACE opens another's memory for writing.
        func opens(_ process: Int32) throws -> Bool {
            try blue.run(
                "setpriv", "--bounding-set", "-sys_ptrace", "sh", "-c",
                "(exec 3<>/proc/\(process)/mem) 2>/dev/null && echo yes || echo no"
            ).hasPrefix("yes")
        }
        let other = try LabProgram(
            ["setpriv", "--bounding-set", "-all", "sleep", "600"], in: blue, log: folder.path + "-log")
        #expect(try eventually { try opens(other.process) }, "nor is any other process's")
        #expect(try !opens(helper.process))
        try expectAlive(helper)
    }

    @Test(
        "ends with the other end of its socket, and with the thread that began it"
    )
    func ends() throws {
        let helper = try RawHelper(for: folder.path)
        #expect(helper.hangUp() == 0)

        let begun = Mutex<(socket: Int32, process: Int32)>((-1, -1))
        let path = folder.path
        Thread {
            var answer = hawser_names_answer()
            begun.withLock { begun in
                let socket = unsafe hawser_names_begin(path, &begun.process)
                // It has become what it is when it answers.
                if unsafe hawser_names_ask(socket, HAWSER_NAMES_UNBIND, "hawser-none", -1, &answer) == 0 {
                    begun.socket = socket
                }
            }
        }.start()
        #expect(eventually { begun.withLock { $0.socket >= 0 } })
        let process = begun.withLock { $0.process }
        // SIGKILL
        #expect(hawser_names_wait(process) == 9)
        _ = close(begun.withLock { $0.socket })
    }

    @Test("that is gone is told of, and no name is given or taken")
    func gone() async throws {
        let names = NamespaceNames(in: folder.path)
        // It has become what it is when it answers.
        #expect(throws: NamespaceError.self) { try names.unbind("hawser-none") }
        let helpers = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap(Int32.init)
            .filter { process in
                (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8))?.hasPrefix(
                    "\(process) (hawserd-names) ") == true
                    && (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/1"))
                        == folder.path
            }
        try #require(helpers.count == 1)
        for helper in helpers { _ = kill(helper, SIGKILL) }
        for await how in names.ends { #expect(how == "signal 9 ended it") }
        let error = #expect(throws: NamespaceError.self) {
            try names.bind(NetworkNamespace(at: blue.path), as: "hawser-x")
        }
        #expect(error?.reason.contains("the helper that names namespaces has ended") == true)
        #expect(try folder.contents().isEmpty)
    }

    @Test("that can't have its folder says why, each time")
    func helpless() throws {
        #expect(FileManager.default.createFile(atPath: folder.path + "/file", contents: nil))
        let names = NamespaceNames(in: folder.path + "/file/folder")
        #expect(names.problem?.errno.rawValue == ENOTDIR)
        #expect(throws: NamespaceError.self) { try names.unbind("hawser-x") }
    }

    // MARK: Means

    private func eventually(_ body: () throws -> Bool) rethrows -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline { if try body() { return true } }
        return false
    }

    private func expectAlive(_ helper: RawHelper, _ location: SourceLocation = #_sourceLocation) throws {
        let namespace = unsafe hawser_open(blue.path, O_RDONLY | O_CLOEXEC)
        defer { _ = close(namespace) }
        #expect(try helper.ask(1, "hawser-alive", [namespace]).error == 0, sourceLocation: location)
        #expect(try helper.ask(2, "hawser-alive", []).error == 0, sourceLocation: location)
    }

    /// Mounts a file or a folder on another, which is made if it isn't there.
    private func bind(_ source: String, on target: String) throws {
        if !FileManager.default.fileExists(atPath: target) {
            #expect(FileManager.default.createFile(atPath: target, contents: nil))
        }
        guard unsafe mount(source, target, nil, UInt(MS_BIND), nil) == 0 else {
            throw LabError("\(source) isn't mounted on \(target)")
        }
    }

    private func release(_ target: String) throws {
        _ = unsafe umount2(target, Int32(MNT_DETACH))
        try FileManager.default.removeItem(atPath: target)
    }
}

/// A helper as a process that was taken over sees it: bytes and descriptors.
private final class RawHelper {
    private let socket: Int32
    let process: Int32
    private var hasEnded = false

    init(for folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var process: pid_t = 0
        socket = unsafe hawser_names_begin(folder, &process)
        self.process = process
        guard socket >= 0 else { throw LabError("there is no helper: errno \(hawser_errno())") }
    }

    deinit {
        guard !hasEnded else { return }
        _ = kill(process, SIGKILL)
        _ = hangUp()
    }

    /// Closes this end of the socket, and waits for the helper's end; its status (wait(2)).
    func hangUp() -> Int32 {
        _ = close(socket)
        hasEnded = true
        return hawser_names_wait(process)
    }

    func ask(_ verb: UInt32, _ name: String, _ files: [Int32], length: Int = 260) throws -> (
        error: Int32, step: UInt32
    ) {
        var bytes = unsafe withUnsafeBytes(of: verb) { unsafe Array($0) } + Array(name.utf8)
        bytes += [UInt8](repeating: 0, count: max(0, length - bytes.count))
        var answer = hawser_names_answer()
        let result = unsafe bytes.withUnsafeBytes { bytes in
            unsafe hawser_names_exchange(
                socket, bytes.baseAddress, length, files, Int32(files.count), &answer)
        }
        guard result == 0 else { throw LabError("the helper doesn't answer: errno \(hawser_errno())") }
        return (answer.error, answer.step.rawValue)
    }
}

/// A folder for names, and what becomes of it.
private final class NamesFolder {
    let path: String

    init() throws {
        path = "/tmp/hwn-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        for mount in (try? mounts()) ?? [] { _ = unsafe umount2(mount, Int32(MNT_DETACH)) }
        try? FileManager.default.removeItem(atPath: path)
    }

    func contents() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    /// What something is mounted on in it, or on one more path (the fifth field, proc_pid_mountinfo(5)).
    func mounts(also other: String? = nil) throws -> [String] {
        // Other tests mount and unmount meanwhile, and the kernel goes by places in a list: what two readings agree on.
        var last = try listed(also: other)
        for _ in 0..<100 {
            let again = try listed(also: other)
            if again == last { return again }
            last = again
        }
        return last
    }

    private func listed(also other: String?) throws -> [String] {
        try String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).split(separator: "\n").compactMap { line in
            line.split(separator: " ").dropFirst(4).first.map(String.init)
        }.filter { $0.hasPrefix(path + "/") || $0 == other }
    }
}
