import CLinux
import Glibc
import Netlink
import Synchronization
import SystemPackage

/// Names of network namespaces: files in one folder, as `ip netns` has them, each with a namespace mounted on
/// it.
///
/// Whoever may mount and unmount can open the sandbox that it is in. So the daemon may not (`Confinement`),
/// and asks a helper: a process that is forked before the daemon confines itself, and that can do nothing but
/// this (names.h, decision 39). It ends with the daemon.
package final class NamespaceNames: Sendable {
    private enum State: Sendable {
        /// The other end of this socket is the helper's.
        case helped(Int32)
        /// There was none from the beginning: why.
        case helpless(Errno)
        case ended
    }

    package let folder: String
    /// How the helper ended, when it has; nothing where there is none.
    package let ends: AsyncStream<String>
    private let state: Mutex<State>

    /// Makes the folder if it isn't there, and starts the helper. Where that fails, each request does, with
    /// the reason.
    package init(in folder: String) {
        self.folder = folder
        let (ends, end) = AsyncStream.makeStream(of: String.self)
        self.ends = ends
        do throws(Errno) {
            try Self.make(folder)
            state = Mutex(.helped(try Self.start(folder, end)))
        } catch {
            state = Mutex(.helpless(error))
            end.finish()
        }
    }

    deinit { state.withLock { if case .helped(let socket) = $0 { _ = close(socket) } } }

    /// Why there has been no helper from the beginning; nil where there is one.
    package var problem: NamespaceError? {
        state.withLock { state in
            guard case .helpless(let errno) = state else { return nil }
            return NamespaceError(
                path: folder, errno: errno, reason: "can't be used for names of namespaces: \(errno)")
        }
    }

    package func path(of name: String) -> String { "\(folder)/\(name)" }

    /// Gives a namespace a name that nothing has.
    package func bind(_ namespace: borrowing NetworkNamespace, as name: String) throws(NamespaceError) {
        try bind(namespace.descriptor.rawValue, as: name)
    }

    /// The same, for one that an open file stands for.
    package func bind(_ descriptor: Int32, as name: String) throws(NamespaceError) {
        try ask(HAWSER_NAMES_BIND, name, descriptor)
    }

    /// Takes a name away.
    package func unbind(_ name: String) throws(NamespaceError) { try ask(HAWSER_NAMES_UNBIND, name, -1) }

    // MARK: The helper

    private func ask(_ verb: hawser_names_verb, _ name: String, _ descriptor: Int32) throws(NamespaceError) {
        if let problem { throw problem }
        var answer = hawser_names_answer()
        let isAnswered = state.withLock { state in
            guard case .helped(let socket) = state else { return false }
            if unsafe hawser_names_ask(socket, verb, name, descriptor, &answer) == 0 { return true }
            _ = close(socket)
            state = .ended
            return false
        }
        guard isAnswered else {
            let reason =
                "can't be given or taken: the helper that names namespaces has ended"
            throw NamespaceError(path: path(of: name), errno: .brokenPipe, reason: reason)
        }
        guard answer.step != HAWSER_NAMES_DONE else { return }
        throw NamespaceError(
            path: path(of: name), errno: Errno(rawValue: answer.error),
            reason: Self.reason(answer, isBinding: verb == HAWSER_NAMES_BIND))
    }

    private static func reason(_ answer: hawser_names_answer, isBinding: Bool) -> String {
        let errno = Errno(rawValue: answer.error)
        return switch answer.step {
        case HAWSER_NAMES_FOLDER where errno == .staleNFSFileHandle:
            "can't be used: the folder isn't the one that was there when hawserd started; restart it"
        case HAWSER_NAMES_FOLDER: "can't be used: the folder: \(errno)"
        case HAWSER_NAMES_NAMESPACE where errno == .invalidArgument: "is not a network namespace"
        case HAWSER_NAMES_MOUNT where isBinding: "cannot be bound: \(errno)"
        default: "cannot be \(isBinding ? "made" : "removed"): \(errno)"
        }
    }

    /// A socket to it. The thread that forks it lives as long as it does, for the kernel ends it with that
    /// thread.
    private static func start(_ folder: String, _ end: AsyncStream<String>.Continuation) throws(Errno)
        -> Int32
    {
        let begun = Begun()
        let waker: Waker
        do throws(TransportError) { waker = try Waker() } catch { throw error.errno }
        try WaitingThread.start {
            var helper: pid_t = 0
            let socket = unsafe hawser_names_begin(folder, &helper)
            begun.set(socket < 0 ? .failure(.current) : .success(socket))
            waker.wake()
            if socket >= 0 { end.yield(words(hawser_names_wait(helper))) }
            end.finish()
        }
        do throws(TransportError) { _ = try Readable.wait(for: [waker.readable]) } catch { throw error.errno }
        return try begun.get()
    }

    /// What became of the start, told by one thread to another.
    private final class Begun: Sendable {
        private let result = Mutex(Result<Int32, Errno>.failure(.canceled))
        func set(_ value: Result<Int32, Errno>) { result.withLock { $0 = value } }
        func get() throws(Errno) -> Int32 { try result.withLock { $0 }.get() }
    }

    /// How a process ended (wait(2)).
    private static func words(_ status: Int32) -> String {
        status & 0x7f == 0 ? "it ended with status \(status >> 8 & 0xff)" : "signal \(status & 0x7f) ended it"
    }

    /// Makes a folder with those that it is in, as far as they aren't there.
    private static func make(_ folder: String) throws(Errno) {
        var status = stat()
        if unsafe lstat(folder, &status) == 0 { return }
        if let slash = folder.lastIndex(of: "/"), slash != folder.startIndex {
            try make(String(folder[..<slash]))
        }
        guard unsafe mkdir(folder, 0o750) == 0 || Errno.current == .fileExists else { throw .current }
    }
}
