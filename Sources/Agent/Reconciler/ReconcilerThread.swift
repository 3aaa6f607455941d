import Dispatch
import Foundation
import Synchronization

/// A thread of the reconciler's own: what it does blocks in the kernel, and nobody else's work should stand behind it.
final class ReconcilerThread: SerialExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    private let arrived = DispatchSemaphore(value: 0)

    init() {
        let thread = Thread { [unowned self] in
            while true { runNext() }
        }
        thread.name = "reconciler"
        // The deepest thing that it does is to sort and to recurse a few levels.
        thread.stackSize = 8 << 20
        thread.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        arrived.signal()
    }

    private func runNext() {
        arrived.wait()
        guard let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return }
        unsafe job.runSynchronously(on: asUnownedSerialExecutor())
    }

    /// The process has one, for as long as it lives.
    static let shared = ReconcilerThread()
}
