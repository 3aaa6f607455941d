/// One thing done to the kernel.
package struct Operation: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case add
        /// From what is there to `entry`.
        case change(from: Object)
        case remove
    }

    package var action: Action
    package var entry: Entry

    package init(_ action: Action, _ entry: Entry) {
        self.action = action
        self.entry = entry
    }

    package var object: Object { entry.object }
    package var because: IntentID { entry.because }
}

/// The kernel refused one operation of a plan.
package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package var operation: Operation
    /// The error number (errno, asm-generic/errno.h).
    package var errno: Int32
    /// The error's name and meaning, and the kernel's own words where it gave any (`NLMSGERR_ATTR_MSG`, linux/netlink.h).
    package var explanation: String
    /// Whether it is the pod's own doing, or can be: it was refused in the pod's namespace, or for a pair that the pod has deleted.
    package var isInside: Bool

    package init(_ operation: Operation, errno: Int32, explanation: String, isInside: Bool = false) {
        self.operation = operation
        self.errno = errno
        self.explanation = explanation
        self.isInside = isInside
    }

    package var because: IntentID { operation.because }
    package var description: String { "\(operation.text): \(explanation)" }
}
