import CLinux
import Foundation
import Glibc
import Synchronization
import SystemPackage

/// A program that runs beside whoever started it; killed with the last reference to it, if it still runs then.
package final class LabProgram: Sendable {
    package let process: Int32
    private let status = Mutex<Int32?>(nil)

    /// Starts it in a namespace.
    ///
    /// - Parameter log: the file that its standard output and error are appended to.
    package init(_ words: [String], in namespace: LabNamespace, log: String) throws {
        let nothing = try FileDescriptor.open(FilePath("/dev/null"), .readOnly, options: .closeOnExec)
        defer { try? nothing.close() }
        let file = try FileDescriptor.open(
            FilePath(log), .writeOnly, options: [.create, .append, .closeOnExec], permissions: [.ownerReadWrite])
        defer { try? file.close() }
        process = try namespace.inside { try Command(words: words).start([nothing, file, file]) }
    }

    /// Starts it in a namespace, and lets `judge` decide about every system call of these names: see `SystemCall`.
    ///
    /// - Parameter words: the first is a path.
    package init(
        _ words: [String], in namespace: LabNamespace, log: String, calls: [String], judge: @escaping SystemCall.Judge
    ) throws {
        let nothing = try FileDescriptor.open(FilePath("/dev/null"), .readOnly, options: .closeOnExec)
        defer { try? nothing.close() }
        let file = try FileDescriptor.open(
            FilePath(log), .writeOnly, options: [.create, .append, .closeOnExec], permissions: [.ownerReadWrite])
        defer { try? file.close() }
        let (process, supervision) = try namespace.inside {
            try Supervision.start(words, [nothing, file, file], calls: calls, judge: judge)
        }
        self.process = process
        Thread { supervision.run() }.start()
    }

    deinit { end(SIGKILL) }

    /// Sends a signal, unless it has ended already.
    package func signal(_ number: Int32) {
        status.withLock { if $0 == nil { _ = kill(process, number) } }
    }

    /// Sends a signal that ends it, and waits for that. The status as a shell has it.
    @discardableResult
    package func end(_ number: Int32) -> Int32 {
        signal(number)
        return wait()
    }

    /// Waits for its end.
    @discardableResult
    package func wait() -> Int32 {
        status.withLock { status in
            if let status { return status }
            var code: Int32 = 0
            while unsafe waitpid(process, &code, 0) < 0, Errno(rawValue: hawser_errno()) == .interrupted {}
            let result = code & 0x7f == 0 ? code >> 8 & 0xff : 128 + code & 0x7f
            status = result
            return result
        }
    }

    /// Whether it has ended; doesn't wait.
    package var hasEnded: Bool {
        status.withLock { status in
            if status != nil { return true }
            var code: Int32 = 0
            guard unsafe waitpid(process, &code, WNOHANG) == process else { return false }
            status = code & 0x7f == 0 ? code >> 8 & 0xff : 128 + code & 0x7f
            return true
        }
    }
}
