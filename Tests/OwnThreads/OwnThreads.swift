import Dispatch
import Foundation
import Synchronization
package import Testing

/// Runs the tests of a suite on threads beside Swift's own.
///
/// A test that waits for packets, or for a program, holds its thread meanwhile. Swift has as many threads as the machine has processors, and
/// whatever is told by `await` would come late by as much: clients would give up servers that are well. A suite's time limit counts its wait for a
/// thread, too.
package struct OwnThreads: SuiteTrait, TestScoping {
    @concurrent package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(Threads.all) { try await function() }
    }
}

extension Trait where Self == OwnThreads {
    /// For suites whose tests wait without `await`, or think for long.
    package static var ownThreads: OwnThreads { OwnThreads() }
}

/// As many threads as the machine has processors, for as long as the process lives.
private final class Threads: TaskExecutor {
    static let all = Threads(count: ProcessInfo.processInfo.activeProcessorCount)

    private let jobs = Mutex<[UnownedJob]>([])
    private let waiting = DispatchSemaphore(value: 0)

    private init(count: Int) {
        for _ in 0..<count { Thread { [unowned self] in work() }.start() }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        waiting.signal()
    }

    private func work() -> Never {
        while true {
            waiting.wait()
            let job = jobs.withLock { $0.removeFirst() }
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
