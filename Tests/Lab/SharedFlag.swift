import Synchronization

/// Something that is so or isn't, said by one thread to others.
package final class SharedFlag: Sendable {
    private let value: Atomic<Bool>

    package init(_ value: Bool = false) { self.value = Atomic(value) }

    package var isUp: Bool { value.load(ordering: .relaxed) }
    package func set(_ new: Bool) { value.store(new, ordering: .relaxed) }
}
