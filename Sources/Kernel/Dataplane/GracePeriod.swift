import CLinux
import Synchronization
import SystemPackage

/// Waits until every packet that was on its way through the ruleset has come to its end.
///
/// The kernel judges packets inside RCU read-side sections, and `MEMBARRIER_CMD_GLOBAL` waits for a grace period of RCU
/// (`synchronize_rcu`, kernel/sched/membarrier.c): 10 to 30 ms.
package enum GracePeriod {
    private struct State {
        /// Those for whom a grace period is still to begin.
        var waiting: [CheckedContinuation<Bool, Never>] = []
        var isRunning = false
    }

    private static let state = Mutex(State())

    /// All who wait when one begins share it.
    @concurrent package static func wait() async {
        let isOver = await withCheckedContinuation { continuation in
            let isFirst = state.withLock { state in
                state.waiting.append(continuation)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            guard isFirst else { return }
            do throws(Errno) {
                try WaitingThread.start { serve { hawser_membarrier(Int32(MEMBARRIER_CMD_GLOBAL.rawValue), 0) == 0 } }
            } catch {
                serve { false }
            }
        }
        // A kernel with isolated processors that run without a tick refuses; no packet takes as long as this.
        if !isOver { try? await ContinuousClock().sleep(for: .milliseconds(200)) }
    }

    /// Waits for those who wait, until there are none.
    private static func serve(_ wait: () -> Bool) {
        while true {
            let waiting = state.withLock { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isRunning = false }
                return state.waiting
            }
            guard !waiting.isEmpty else { return }
            let isOver = wait()
            for continuation in waiting { continuation.resume(returning: isOver) }
        }
    }
}
