import Synchronization

/// Lets so much through at a time; the rest waits in the order in which it came. What is refused room long enough makes its client wait,
/// for nobody reads on from a client that waits here.
final class Gate: Sendable {
    private struct Waiter {
        var number: Int
        var weight: Int
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var inside = 0
        var waiting: [Waiter] = []
        var next = 0
        /// Cancelled before they began to wait.
        var cancelled: Set<Int> = []
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Waits until there is room. What weighs more than there is room for goes in alone. Throws when the task is cancelled.
    func enter(_ weight: Int) async throws(CancellationError) {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        let isIn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.cancelled.remove(number) != nil { return false }
                    if state.waiting.isEmpty, fits(weight, state) {
                        state.inside += weight
                        return true
                    }
                    state.waiting.append(Waiter(number: number, weight: weight, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiting.firstIndex(where: { $0.number == number }) else {
                    state.cancelled.insert(number)
                    return nil
                }
                return state.waiting.remove(at: index)
            }
            waiter?.continuation.resume(returning: false)
            admit()
        }
        _ = state.withLock { $0.cancelled.remove(number) }
        guard isIn else { throw CancellationError() }
    }

    func leave(_ weight: Int) {
        state.withLock { $0.inside -= weight }
        admit()
    }

    private func admit() {
        let admitted = state.withLock { state in
            var admitted: [Waiter] = []
            while let first = state.waiting.first, fits(first.weight, state) {
                state.inside += first.weight
                admitted.append(state.waiting.removeFirst())
            }
            return admitted
        }
        for waiter in admitted { waiter.continuation.resume(returning: true) }
    }

    private func fits(_ weight: Int, _ state: borrowing State) -> Bool { state.inside == 0 || state.inside + weight <= capacity }
}
