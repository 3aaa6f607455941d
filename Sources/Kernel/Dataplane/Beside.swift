import Glibc
import Synchronization
import SystemPackage

/// Something that is worked out on a thread of its own, while who wants it does something else.
final class Beside<Value: Sendable>: Sendable {
    private let body: @Sendable () -> Value
    private let result = Mutex<Value?>(nil)
    /// Nil where there was no thread for it: whoever wants it does it.
    private let thread = Mutex<pthread_t?>(nil)

    /// - Parameter isLong: whether it takes longer than a thread; otherwise whoever wants it does it, too.
    init(isLong: Bool = true, _ body: @escaping @Sendable () -> Value) {
        self.body = body
        guard isLong else { return }
        thread.withLock { thread in
            thread = try? WaitingThread.start(isDetached: false) { [self] in
                let value = body()
                result.withLock { $0 = value }
            }
        }
    }

    deinit {
        // Nobody wants it any more.
        if let thread = thread.withLock({ $0 }) { _ = pthread_detach(thread) }
    }

    /// Waits until it is there, and lets go of it; to be called once.
    func take() -> Value {
        if let thread = thread.withLock({ $0.take() }) { _ = pthread_join(thread, nil) }
        return result.withLock { $0.take() } ?? body()
    }
}
