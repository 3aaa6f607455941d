import CLinux
import Glibc
package import SystemPackage

/// A system call that a program is about to make, and that waits for what a test says of it.
package struct SystemCall: Sendable {
    /// What becomes of it.
    package enum Ruling: Sendable {
        case proceed
        /// It fails with this, and the kernel never hears of it.
        case fail(Errno)
        /// It returns this, and the kernel never hears of it.
        case answer(Int)
        /// The program is killed before it is made.
        case kill
        /// The process is killed that makes it, which may be a child of the program.
        case killCaller
    }

    /// Decides about each call, on a thread of the program's supervisor.
    package typealias Judge = @Sendable (SystemCall) -> Ruling

    /// As `syscalls(2)` has it: "sendto".
    package let name: String
    package let arguments: [UInt64]
    private let thread: Int32
    private let process: Int32

    init(name: String, _ call: hawser_call, of process: Int32) {
        self.name = name
        let all = call.arguments
        arguments = [all.0, all.1, all.2, all.3, all.4, all.5]
        thread = call.thread
        self.process = process
    }

    /// The descriptor that most calls have as their first argument.
    package var descriptor: Int32 { Int32(truncatingIfNeeded: arguments[0]) }

    /// Whether a child of the program makes it: a program's filter is its children's, too.
    package var isOfChild: Bool { unsafe access("/proc/\(process)/task/\(thread)", F_OK) != 0 }

    /// What it names: a path, or "socket:[…]".
    package var target: String { target(of: descriptor) }

    /// What another of the program's descriptors names.
    package func target(of descriptor: Int32) -> String {
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/\(thread)/fd/\(descriptor)", &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The descriptor, as one of this process's own.
    package func borrow() -> FileDescriptor? {
        let file = hawser_borrow(process, descriptor)
        return file < 0 ? nil : FileDescriptor(rawValue: file)
    }

    package var isNetlink: Bool {
        guard let file = borrow() else { return false }
        defer { try? file.close() }
        return hawser_get_option(file.rawValue, SOL_SOCKET, SO_DOMAIN) == AF_NETLINK
    }

    /// What of the program's memory is at `address`; nothing where that can't be read, as when it has ended.
    package func bytes(at address: UInt64, count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = unsafe bytes.withUnsafeMutableBytes { unsafe hawser_peek(process, address, $0.baseAddress, UInt($0.count)) }
        return Array(bytes.prefix(max(0, read)))
    }

    package func put(_ bytes: [UInt8], at address: UInt64) {
        _ = unsafe bytes.withUnsafeBytes { unsafe hawser_poke(process, address, $0.baseAddress, UInt($0.count)) }
    }
}

/// Hears every call of some kinds that a program makes, and has a judge decide about each.
final class Supervision: Sendable {
    private let listener: FileDescriptor
    private let process: Int32
    private let names: [Int32: String]
    private let judge: SystemCall.Judge

    /// Starts a program whose calls of these names wait; it begins with these as its standard input, output and error.
    static func start(
        _ words: [String], _ files: [FileDescriptor], calls: [String], judge: @escaping SystemCall.Judge
    ) throws -> (process: Int32, supervision: Supervision) {
        var arguments = unsafe words.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        defer { unsafe arguments.forEach { unsafe free($0) } }
        let names = Dictionary(calls.map { (unsafe hawser_call_number($0), $0) }.filter { $0.0 >= 0 }) { first, _ in first }
        let numbers = Array(names.keys)
        let descriptors = files.map(\.rawValue)
        var process: pid_t = -1
        let listener = unsafe hawser_supervise(arguments, environ, descriptors, numbers, Int32(numbers.count), &process)
        guard listener >= 0 else { throw .current("a program can't be supervised (seccomp_unotify(2))") as LabError }
        return (process, Supervision(FileDescriptor(rawValue: listener), process, names, judge))
    }

    private init(_ listener: FileDescriptor, _ process: Int32, _ names: [Int32: String], _ judge: @escaping SystemCall.Judge) {
        self.listener = listener
        self.process = process
        self.names = names
        self.judge = judge
    }

    deinit { try? listener.close() }

    /// Decides until the program has ended.
    func run() {
        while true {
            var call = hawser_call()
            switch unsafe hawser_await_call(listener.rawValue, &call) {
            case 0: return
            case 1:
                carryOut(
                    judge(SystemCall(name: names[call.number] ?? "", call, of: process)), call.id,
                    of: call.thread)
            default: continue  // Whoever called is gone.
            }
        }
    }

    private func carryOut(_ ruling: SystemCall.Ruling, _ id: UInt64, of thread: Int32) {
        switch ruling {
        case .proceed: _ = hawser_let_go(listener.rawValue, id)
        case .fail(let errno): _ = hawser_answer(listener.rawValue, id, 0, errno.rawValue)
        case .answer(let value): _ = hawser_answer(listener.rawValue, id, Int64(value), 0)
        case .kill: _ = Glibc.kill(process, SIGKILL)
        // By the number of any of its threads (kill(2) takes it for the process's, in Linux).
        case .killCaller: _ = Glibc.kill(thread, SIGKILL)
        }
    }
}
