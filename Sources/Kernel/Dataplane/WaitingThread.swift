import CLinux
import Glibc
import SystemPackage

/// A thread of its own for what takes long, or waits for the kernel without an end; a task must not do that, for it would keep one of the
/// few threads that all tasks share.
enum WaitingThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// The thread ends with `body`. One that isn't detached must be joined (pthread_join(3)).
    @discardableResult
    static func start(isDetached: Bool = true, _ body: @escaping @Sendable () -> Void) throws(Errno) -> pthread_t {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe _ = pthread_attr_destroy(&attributes) }
        if isDetached { unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED)) }
        let argument = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, &attributes,
            { raw in
                if let raw = unsafe raw { unsafe Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            }, argument)
        guard code == 0 else {
            unsafe Unmanaged<Body>.fromOpaque(argument).release()
            throw Errno(rawValue: code)
        }
        return thread
    }
}
