import CLinux

/// Waits until every packet that was on its way through the ruleset has come to its end.
///
/// The kernel judges packets inside RCU read-side sections, and `MEMBARRIER_CMD_GLOBAL` waits for a grace period of RCU
/// (`synchronize_rcu`, kernel/sched/membarrier.c): 10 to 30 ms.
package enum GracePeriod {
    @concurrent package static func wait() async {
        if hawser_membarrier(Int32(MEMBARRIER_CMD_GLOBAL.rawValue), 0) == 0 { return }
        // A kernel with isolated processors that run without a tick refuses; no packet takes as long as this.
        try? await ContinuousClock().sleep(for: .milliseconds(200))
    }
}
