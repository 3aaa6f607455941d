import Lab
import Synchronization
import Testing

/// Counts the calls of the daemon and its helper by which something outside of them changes, and kills one of
/// the two before one of them.
///
/// Between two of them all that it leaves behind is the same, wherever it is killed: the points are all that there are.
final class KillPoint: Sendable {
    private struct State {
        var isArmed = false
        var point: Int?
        var isSpent = false
        var calls: [String] = []
    }

    /// Who is killed.
    enum Victim: CaseIterable, CustomTestStringConvertible {
        case daemon
        /// The helper that names namespaces, before a call of its own; others don't count.
        case helper

        var testDescription: String { self == .daemon ? "the daemon" : "its helper" }
    }

    private let victim: Victim
    private let state = Mutex(State())

    init(of victim: Victim = .daemon) { self.victim = victim }

    /// Those that change the kernel's tables, namespaces, mounts and settings, and the files of the store.
    static let calls = [
        "sendto", "pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "unlinkat", "rename", "renameat2", "mkdir", "mkdirat", "mount",
        "umount2", "unshare", "setns", "membarrier", "write",
    ]

    /// Counts anew, and kills before call number `point`, from 1 on.
    func arm(at point: Int?) { state.withLock { $0 = State(isArmed: true, point: point) } }

    /// The calls since it was armed.
    func disarm() -> [String] {
        state.withLock { state in
            defer { state = State() }
            return state.calls
        }
    }

    @Sendable func judge(_ call: SystemCall) -> SystemCall.Ruling {
        guard state.withLock({ $0.isArmed }), victim == .daemon || call.isOfChild, counts(call) else {
            return .proceed
        }
        return state.withLock { state in
            guard state.isArmed else { return .proceed }
            state.calls.append(call.name)
            state.isSpent = state.isSpent || state.calls.count == state.point
            // Other threads don't come any further either.
            return !state.isSpent ? .proceed : victim == .daemon ? .kill : .killCaller
        }
    }

    private func counts(_ call: SystemCall) -> Bool {
        switch call.name {
        case "sendto": call.isNetlink
        // Of the log and of sockets nothing stays; settings of the kernel's do.
        case "write": call.target.hasPrefix("/proc/")
        default: true
        }
    }
}
