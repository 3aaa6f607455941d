import Dispatch
import Foundation
import Synchronization

/// A thread of an actor's own: what it does blocks in the kernel, and nobody else's work should stand behind it.
final class OwnThread: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isOver = false
    }

    /// What the thread itself holds: it outlives the last word of its owner.
    private final class Queue: Sendable {
        let state = Mutex(State())
        let arrived = DispatchSemaphore(value: 0)
        /// When it began what it is doing; nil while it waits for work.
        let began = Mutex<ContinuousClock.Instant?>(nil)
    }

    private let queue = Queue()

    init(_ name: String) {
        let thread = Thread { [queue, unowned self] in
            while true {
                queue.arrived.wait()
                let (job, isOver) = queue.state.withLock { ($0.jobs.isEmpty ? nil : $0.jobs.removeFirst(), $0.isOver) }
                if let job {
                    queue.began.withLock { $0 = .now }
                    unsafe job.runSynchronously(on: asUnownedSerialExecutor())
                    queue.began.withLock { $0 = nil }
                } else if isOver {
                    return
                }
            }
        }
        thread.name = name
        // The deepest thing that it does is to sort and to recurse a few levels.
        thread.stackSize = 8 << 20
        thread.start()
    }

    deinit {
        queue.state.withLock { $0.isOver = true }
        queue.arrived.signal()
    }

    /// For how long it has been doing one thing; nil while it waits for work.
    func busy(at now: ContinuousClock.Instant = .now) -> Duration? { queue.began.withLock { $0?.duration(to: now) } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.state.withLock { $0.jobs.append(job) }
        queue.arrived.signal()
    }
}
