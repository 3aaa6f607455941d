import Dispatch
import Foundation
import Synchronization
package import Testing

/// Runs the tests of a suite on threads beside Swift's own.
///
/// A test that waits for packets, or for a program, holds its thread meanwhile. Swift has as many threads as the machine has processors, and
/// whatever is told by `await` would come late by as much: clients would give up servers that are well. A suite's time limit counts its wait for a
/// thread, too.
///
/// No more tests are begun than there are threads. One that waits by `await` goes on at once when it can, and not after all that were there
/// before: flows would have timed out by then.
package struct OwnThreads: SuiteTrait, TestTrait, TestScoping {
    /// For each test of its own.
    package let isRecursive = true

    @concurrent package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        await Turns.all.take()
        defer { Turns.all.give() }
        try await withTaskExecutorPreference(Threads.all) { try await function() }
    }
}

/// As many tests at a time as there are threads for them, in the order in which they came.
private final class Turns: Sendable {
    static let all = Turns(count: ProcessInfo.processInfo.activeProcessorCount)

    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    private init(count: Int) { state = Mutex(State(free: count)) }

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func give() {
        let next = state.withLock { state in
            if state.waiting.isEmpty { state.free += 1 }
            return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
        }
        next?.resume()
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
