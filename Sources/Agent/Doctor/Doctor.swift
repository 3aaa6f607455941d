import Foundation
import HostNetwork
import Synchronization

/// Looks at the host when somebody asks what is wrong with it: on a thread of its own that ends with the
/// look, one look at a time.
///
/// Those who ask while a look is under way are answered together by the next one, because the one under way
/// may have begun before what they ask about.
final class Doctor: Sendable {
    typealias Look = @Sendable () -> [Check]

    private struct State {
        var waiting: [CheckedContinuation<[Check], Never>] = []
        /// That of whoever came last: it knows the most.
        var look: Look?
        var isLooking = false
    }

    private let state = Mutex(State())

    /// How many wait for the next look.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Returns what `look`, or that of somebody who asked later, has found.
    func examine(_ look: @escaping Look) async -> [Check] {
        await withCheckedContinuation { continuation in
            let begins = state.withLock { state in
                state.waiting.append(continuation)
                state.look = look
                defer { state.isLooking = true }
                return !state.isLooking
            }
            if begins { Thread { self.run() }.start() }
        }
    }

    private func run() {
        while let (look, waiting) = next() {
            let checks = look()
            for continuation in waiting { continuation.resume(returning: checks) }
        }
    }

    /// The next look and who waits for it; nil: nobody does, and the thread ends.
    private func next() -> (Look, [CheckedContinuation<[Check], Never>])? {
        state.withLock { state in
            guard let look = state.look else {
                state.isLooking = false
                return nil
            }
            defer { (state.look, state.waiting) = (nil, []) }
            return (look, state.waiting)
        }
    }
}
