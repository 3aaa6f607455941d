import CLinux
import Glibc
import SystemPackage

/// A program that is run to its end (posix_spawn(3)). It starts in the network namespace of the thread that starts it.
struct Command {
    /// What it came to.
    struct Outcome {
        var status: Int32
        var output: String
        var complaints: String
    }

    var words: [String]
    /// What it reads; nothing unless given. As much as fits in a pipe, 64 KiB, or a file's name is the better way.
    var input = ""

    /// Runs `starting` around the start alone.
    func run(_ starting: (() throws -> pid_t) throws -> pid_t) throws -> Outcome {
        let (source, output, complaints) = (try Self.pipe(), try Self.pipe(), try Self.pipe())
        try source.writeEnd.writeAll(Array(input.utf8))
        try source.writeEnd.close()
        defer { for file in [source.readEnd, output.readEnd, complaints.readEnd] { try? file.close() } }
        let process: pid_t
        do {
            defer { for file in [output.writeEnd, complaints.writeEnd] { try? file.close() } }
            process = try starting { try start([source.readEnd, output.writeEnd, complaints.writeEnd]) }
        }
        let texts = try Self.read([output.readEnd, complaints.readEnd])
        var status: Int32 = 0
        while unsafe waitpid(process, &status, 0) < 0, Errno(rawValue: hawser_errno()) == .interrupted {}
        // Ended by itself: the status; by a signal: 128 and the signal, as a shell has it (wait(2)).
        return Outcome(status: status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f, output: texts[0], complaints: texts[1])
    }

    /// Not kept open by programs that other threads start meanwhile.
    private static func pipe() throws -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else { throw .current("pipe2") as LabError }
        return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
    }

    /// Starts it with these as its standard input, output and error. It begins with no signal blocked, whichever thread starts it: those of
    /// Swift's pool block most, and a program that inherits that can't be ended by SIGTERM.
    func start(_ files: [FileDescriptor]) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        for (number, file) in files.enumerated() { unsafe _ = posix_spawn_file_actions_adddup2(&actions, file.rawValue, Int32(number)) }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { unsafe arguments.forEach { unsafe free($0) } }
        var process: pid_t = 0
        let code = unsafe posix_spawnp(&process, arguments[0] ?? strdup(""), &actions, &attributes, arguments, environ)
        guard code == 0 else { throw LabError("\(words.first ?? "") can't be started: \(Errno(rawValue: code))") }
        return process
    }

    /// Reads all of several files at once, lest a program waits for one to be read while another is.
    private static func read(_ files: [FileDescriptor]) throws -> [String] {
        var contents = [[UInt8]](repeating: [], count: files.count)
        var open = Set(files.indices)
        var buffer = [UInt8](repeating: 0, count: 65536)
        while !open.isEmpty {
            let order = Array(open)
            var entries = order.map { pollfd(fd: files[$0].rawValue, events: Int16(POLLIN), revents: 0) }
            guard unsafe poll(&entries, nfds_t(entries.count), -1) >= 0 else { continue }
            for (index, entry) in zip(order, entries) where entry.revents != 0 {
                let count = try unsafe buffer.withUnsafeMutableBytes { unsafe try files[index].read(into: $0) }
                if count == 0 { open.remove(index) }
                contents[index] += buffer.prefix(count)
            }
        }
        return contents.map { String(decoding: $0, as: UTF8.self) }
    }
}
