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
    }

    private let queue = Queue()

    init(_ name: String) {
        let thread = Thread { [queue, unowned self] in
            while true {
                queue.arrived.wait()
                let (job, isOver) = queue.state.withLock { ($0.jobs.isEmpty ? nil : $0.jobs.removeFirst(), $0.isOver) }
                if let job { unsafe job.runSynchronously(on: asUnownedSerialExecutor()) } else if isOver { return }
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

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.state.withLock { $0.jobs.append(job) }
        queue.arrived.signal()
    }
}
